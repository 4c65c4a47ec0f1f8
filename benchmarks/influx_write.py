"""InfluxDB write: our store (columns in; lines made, posted, counted) against httpx posting the lines ready-made."""

import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from tests.servers import influxdb

from benchmarks.table import Row
from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.store.influx.store import InfluxStore
from kgce.store.line_protocol import reading_lines

DEVICES, FIELDS, TIMES = 200, 10, 50  # a batch: 10 000 lines of ten fields
BATCHES = 12  # each side, alternating
START_MS = 1_700_000_000_000
LINES_PER_POST = 5_000


def run() -> list[Row]:
    """Readings/s of both, the median batch."""
    with tempfile.TemporaryDirectory() as folder, influxdb(Path(folder)) as server:
        ours, peer = _measure(server.url)
    rows = DEVICES * FIELDS * TIMES
    note = f"{rows:,} readings a batch, {FIELDS} fields a line, {LINES_PER_POST:,} lines a post on both sides"
    return [Row("InfluxDB write", rows / ours, rows / peer, "readings/s", "httpx, ready-made lines", note)]


def _measure(url: str) -> tuple[float, float]:
    for database in ("ours", "bare"):
        httpx.post(f"{url}/query", data={"q": f"CREATE DATABASE {database}"}).raise_for_status()
    ours, peer = [], []
    with InfluxStore(url, "ours") as store, httpx.Client(timeout=60) as http:
        for number in range(BATCHES + 2):
            batch = _batch(number)
            texts = reading_lines(batch, states_quality=np.zeros(len(batch), np.bool_)).texts
            bodies = [b"\n".join(texts[at : at + LINES_PER_POST]) for at in range(0, len(texts), LINES_PER_POST)]
            began = time.perf_counter()
            for body in bodies:
                http.post(f"{url}/write?db=bare&precision=ms", content=body).raise_for_status()
            peer.append(time.perf_counter() - began)
            began = time.perf_counter()
            assert store.append(batch).stored == len(batch)
            ours.append(time.perf_counter() - began)
    return median(ours[2:]), median(peer[2:])  # the first ones make the series


def _batch(number: int) -> Batch:
    rng = np.random.default_rng(number)
    series = tuple(
        Series("school", f"meter-{device}", f"quantity_{field}", "electricity", "a", "370102")
        for device in range(DEVICES)
        for field in range(FIELDS)
    )
    count = len(series) * TIMES
    index = np.tile(np.arange(len(series)), TIMES)
    times = START_MS + (number * TIMES + np.repeat(np.arange(TIMES), len(series))) * 1000
    return Batch.of(series, index, times, np.round(rng.uniform(0, 1e6, count), 2))
