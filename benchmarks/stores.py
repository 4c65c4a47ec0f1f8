"""Reading from every store: the newest of 10 000 points, and one point's year; beside the bare query of the same thing.

Bare is what the server itself needs to answer over HTTP, the answer thrown away; for DuckDB, a Parquet file sorted by
point and time, scanned by DuckDB. Times are the median (p50) and the 99th percentile of 100 questions.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import duckdb
import httpx
import numpy as np
from tests.servers import influxdb, victoria_metrics

from benchmarks.table import Row
from kgce.domain.batch import Batch, FloatArray
from kgce.domain.ports import ReadingStore
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.influx.store import InfluxStore
from kgce.store.victoria.store import VictoriaStore

POINTS, YEAR_POINTS = 10_000, 1_000
STEP_MS = 900_000
YEAR_ROWS = 35_040
DAY_ROWS = 96
QUESTIONS = 100


def run() -> list[Row]:
    """Answers/s (1 / p50) of ours and of the bare query."""
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("duckdb", "influx", "victoria"):
            (folder / name).mkdir()
        influx = stack.enter_context(influxdb(folder / "influx")).url
        victoria = stack.enter_context(victoria_metrics(folder / "victoria"))
        stores: dict[str, ReadingStore] = {
            "DuckDB": stack.enter_context(DuckDbStore(folder / "duckdb" / "readings.duckdb")),
            "InfluxDB": stack.enter_context(InfluxStore(influx, "bench")),
            "VictoriaMetrics": stack.enter_context(VictoriaStore(victoria, "bench")),
        }
        end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
        start_ms = end_ms - YEAR_ROWS * STEP_MS
        for store in stores.values():
            _fill(store, start_ms)
        parquet = _parquet(folder / "year.parquet", start_ms)
        year = {
            "DuckDB": lambda: duckdb.execute(parquet).fetchnumpy(),
            "InfluxDB": lambda: _influx_year(influx),
            "VictoriaMetrics": lambda: _victoria_year(victoria),
        }
        newest = {
            "DuckDB": lambda: duckdb.execute(parquet.replace("time_ms, value", "max(time_ms), max(value)")).fetchall(),
            "InfluxDB": lambda: _influx_newest(influx),
            "VictoriaMetrics": lambda: _victoria_newest(victoria),
        }
        for name, store in stores.items():
            ours = _times(partial(_year_of, store), YEAR_ROWS)
            rows.append(_row(f"{name}, a year of one point", ours, _times(year[name])))
        for name, store in stores.items():
            ours = _times(partial(_newest_of, store), POINTS)
            rows.append(_row(f"{name}, newest of {POINTS:,}", ours, _times(newest[name])))
        return rows


def _year_of(store: ReadingStore) -> int:
    return len(store.read([_series(7).key], start_ms=0, end_ms=2**60))


def _newest_of(store: ReadingStore) -> int:
    return len(store.latest())


def _row(name: str, ours: FloatArray, peer: FloatArray) -> Row:
    p50, p99 = np.percentile(ours, (50, 99)) * 1000
    bare = float(np.median(peer))
    note = f"p50 {p50:,.1f} ms, p99 {p99:,.1f} ms; bare p50 {bare * 1000:,.1f} ms"
    return Row(name, 1000 / p50, 1 / bare, "answers/s", "the bare query", note)


def _times(ask: Callable[[], object], expected: object = None) -> FloatArray:
    found = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        answer = ask()
        found.append(time.perf_counter() - began)
        assert expected is None or answer == expected
    return np.array(found)


def _series(number: int) -> Series:
    return Series(f"institution-{number // 20}", f"meter-{number}", "active_power", "electricity", "a", "370102")


def _fill(store: ReadingStore, start_ms: int) -> None:
    """A year of 1 000 points every quarter of an hour, a day of the others."""
    rng = np.random.default_rng(3)
    series = tuple(_series(number) for number in range(POINTS))
    for first in range(0, YEAR_ROWS, 1000):
        at = np.arange(first, min(first + 1000, YEAR_ROWS))
        count = len(at) * 20
        for group in range(0, YEAR_POINTS, 20) if first == 0 else range(0, 20, 20):
            chosen = np.arange(group, group + 20)
            index, times = np.tile(chosen, len(at)), np.repeat(start_ms + at * STEP_MS, 20)
            store.append(Batch.of(series, index, times, np.round(rng.uniform(0, 100, count), 2)))
    at = np.arange(YEAR_ROWS - DAY_ROWS, YEAR_ROWS)
    index, times = np.tile(np.arange(20, POINTS), DAY_ROWS), np.repeat(start_ms + at * STEP_MS, POINTS - 20)
    store.append(Batch.of(series, index, times, np.round(rng.uniform(0, 100, len(index)), 2)))


def _parquet(path: Path, start_ms: int) -> str:
    rng = np.random.default_rng(3)
    numbers = np.repeat(np.arange(20), YEAR_ROWS)
    times = np.tile(start_ms + np.arange(YEAR_ROWS) * STEP_MS, 20)
    columns = {"number": numbers, "time_ms": times, "value": np.round(rng.uniform(0, 100, len(times)), 2)}
    with duckdb.connect() as database:
        database.register("columns", columns)
        database.execute(f"copy (select * from columns) to '{path}' (format parquet)")
    return f"select time_ms, value from read_parquet('{path}') where number = 7"


def _influx_year(url: str) -> None:
    where = "\"institution\" = 'institution-0' AND \"device\" = 'meter-7'"
    _asked(url, f'SELECT "active_power", "active_power_q" FROM "electricity" WHERE {where}')


def _influx_newest(url: str) -> None:
    _asked(url, 'SELECT last("active_power") FROM "electricity" GROUP BY region, institution, building, device')


def _asked(url: str, query: str) -> None:
    httpx.post(f"{url}/query", params={"db": "bench", "epoch": "ms", "chunked": "true"}, data={"q": query}, timeout=60)


def _victoria_year(url: str) -> None:
    match = '{db="bench",institution="institution-0",device="meter-7"}'
    httpx.post(f"{url}/api/v1/export", data={"match[]": match, "start": "1"}, timeout=60).raise_for_status()


def _victoria_newest(url: str) -> None:
    query = 'last_over_time({db="bench"}[2h]) keep_metric_names'
    httpx.post(f"{url}/api/v1/query", data={"query": query, "nocache": "1"}, timeout=60).raise_for_status()
