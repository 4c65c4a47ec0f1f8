"""DuckDbStore.append, which checks and counts every row, against DuckDB's own bulk insert, which does neither."""

import gc
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.table import Row
from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore

SERIES = 10_000
ROWS = 1_000_000
ROUNDS = 5
START_MS = 1_700_000_000_000
STEP_MS = 60_000


def run() -> list[Row]:
    """Rows/s for 1 million new rows of 10 000 series, in the order gateways send them; the best of 5 rounds each."""
    batches = [_batch(at) for at in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(Path(folder) / "ours.duckdb", batches)
        peer = _peer(Path(folder) / "peer.duckdb", batches)
    note = f"{ROWS:,} rows, {SERIES:,} series; the peer neither checks, sorts nor counts"
    return [Row("DuckDB append", ours, peer, "rows/s", "bare duckdb insert", note)]


def _batch(at: int) -> Batch:
    """Every series once per minute; each batch follows the one before."""
    random = np.random.default_rng(at)
    series = [
        Series(f"institution-{number // 20}", f"meter-{number}", "active_energy_import", "electricity")
        for number in range(SERIES)
    ]
    minutes = ROWS // SERIES
    time_ms = START_MS + STEP_MS * (at * minutes + np.repeat(np.arange(minutes), SERIES))
    return Batch.of(series, np.tile(np.arange(SERIES), minutes), time_ms, random.random(ROWS))


def _ours(path: Path, batches: list[Batch]) -> float:
    with DuckDbStore(path) as store:
        best = _rows_per_s([partial(_append, store, batch) for batch in batches])
        stored = len(store.read([series.key for series in batches[0].series], start_ms=0, end_ms=1 << 62))
    assert stored == ROUNDS * ROWS
    return best


def _append(store: DuckDbStore, batch: Batch) -> None:
    assert store.append(batch).stored == ROWS


def _peer(path: Path, batches: list[Batch]) -> float:
    with duckdb.connect(str(path)) as database:
        database.execute("create table readings (series_id integer, time_ms bigint, value double, quality utinyint)")
        best = _rows_per_s([partial(_insert, database, batch) for batch in batches])
        assert database.execute("select count(*) from readings").fetchall() == [(ROUNDS * ROWS,)]
    return best


def _insert(database: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    columns = {"series_id": batch.index, "time_ms": batch.time_ms, "value": batch.value, "quality": batch.quality}
    database.register("batch", columns)
    database.execute("insert into readings select series_id, time_ms, value, quality from batch")
    database.unregister("batch")


def _rows_per_s(rounds: list[Callable[[], None]]) -> float:
    fastest_s = np.inf
    for work in rounds:
        gc.collect()
        began = time.perf_counter()
        work()
        fastest_s = min(fastest_s, time.perf_counter() - began)
    return ROWS / float(fastest_s)
