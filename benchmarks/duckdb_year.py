"""DuckDB: a year of 1 000 points every 15 minutes in, and out again, against a Parquet file scanned by DuckDB.

And growth: the same questions at 1, 10 and 100 million readings.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import numpy as np

from benchmarks.table import Row
from kgce.domain.batch import Batch
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore

POINTS, ROWS, STEP_MS = 1_000, 35_040, 900_000
START_MS = 1_577_836_800_000  # 2020
SLICE = 960  # ten days a batch
GROWTH = (1_000_000, 10_000_000, 100_000_000)
FRESH = 96  # rounds of a day
SERIES = tuple(
    Series(f"institution-{at // 20}", f"meter-{at}", "active_energy_import", "electricity") for at in range(POINTS)
)


def run() -> list[Row]:
    """Rows/s in; answers/s out; and what growth does to both."""
    with tempfile.TemporaryDirectory() as folder:
        return _year(Path(folder)) + _growth(Path(folder))


def _year(folder: Path) -> list[Row]:
    rng = np.random.default_rng(5)
    batches = [_batch(first, min(SLICE, ROWS - first), rng) for first in range(0, ROWS, SLICE)]
    count = sum(map(len, batches))
    with DuckDbStore(folder / "year.duckdb") as store:
        ours = _took(lambda: [store.append(batch) for batch in batches])
        path = folder / "year.parquet"
        peer = _took(lambda: _write_parquet(path, batches))
        rows = [Row("DuckDB, a year of 1 000 points in", count / ours, count / peer, "readings/s", "writing Parquet")]
        keys = [series.key for series in SERIES]
        everything = f"select number, time_ms, value, quality from '{path}' order by number, time_ms"
        for name, asked, query, compact in (
            ("all of it out", keys, everything, False),
            ("one point out", keys[7:8], everything.replace(" order", " where number = 7 order"), False),
            ("one point out, compacted", keys[7:8], everything.replace(" order", " where number = 7 order"), True),
        ):
            if compact:
                store.compact()
            expected = ROWS * len(asked)
            ours = _median(partial(_count, store, asked, 0, 2**60), expected)
            peer = _median(partial(_scanned, query), expected)
            note = f"{ours * 1000:,.0f} ms, Parquet {peer * 1000:,.0f} ms"
            rows.append(Row(f"DuckDB, a year: {name}", 1 / ours, 1 / peer, "answers/s", "Parquet, DuckDB", note))
    return rows


def _growth(folder: Path) -> list[Row]:
    """At each size: appending a fresh and a late batch, a year of one point, opening."""
    rng = np.random.default_rng(6)
    figures: list[_Figures] = []
    held, first, path = 0, 0, folder / "growth.duckdb"
    for size in GROWTH:
        with DuckDbStore(path) as store:
            while held < size:
                held += store.append(_batch(first, SLICE, rng)).stored
                first += SLICE
            store.compact()
        figures.append(_at_size(path, first, rng))
        first += FRESH
        held += FRESH * POINTS
    texts = {
        "append": f"{FRESH * POINTS:,} fresh readings in",
        "late": f"{POINTS:,} late ones in",
        "year": "a year of one point out",
        "opening": "opening",
    }
    sizes = " / ".join(f"{one.megabytes:,.0f}" for one in figures)
    rows = []
    for name, text in texts.items():
        seconds = [getattr(one, name) for one in figures]
        times = " / ".join(f"{one * 1000:,.0f}" for one in seconds)
        note = f"{times} ms at 1 / 10 / 100 million readings, files of {sizes} MB"
        rows.append(Row(f"DuckDB growth, {text}", 1 / seconds[-1], 1 / seconds[0], "a second", "at 1 million", note))
    return rows


@dataclass(frozen=True, slots=True)
class _Figures:
    """Seconds, and the file's size."""

    append: float
    late: float
    year: float
    opening: float
    megabytes: float


def _at_size(path: Path, first: int, rng: np.random.Generator) -> _Figures:
    keys, late_ms = [one.key for one in SERIES], START_MS + 3 * STEP_MS + 1
    fresh = _batch(first, FRESH, rng)
    late = Batch.of(SERIES, np.arange(POINTS), np.full(POINTS, late_ms), np.ones(POINTS))
    end_ms = START_MS + (first + FRESH) * STEP_MS
    began = time.perf_counter()
    with DuckDbStore(path) as store:
        store.latest()
        opening = time.perf_counter() - began
        append = _took(partial(store.append, fresh))
        lately = _took(partial(store.append, late))
        store.delete(keys, start_ms=late_ms, end_ms=late_ms + 1)
        year = _median(partial(_count, store, keys[7:8], end_ms - ROWS * STEP_MS, end_ms))
    return _Figures(append, lately, year, opening, path.stat().st_size / 1e6)


def _count(store: DuckDbStore, keys: list[SeriesKey], start_ms: int, end_ms: int) -> int:
    return len(store.read(keys, start_ms=start_ms, end_ms=end_ms))


def _scanned(query: str) -> int:
    return len(duckdb.execute(query).fetchnumpy()["time_ms"])


def _batch(first: int, count: int, rng: np.random.Generator) -> Batch:
    times = START_MS + np.repeat(np.arange(first, first + count), POINTS) * STEP_MS
    value = np.round(rng.uniform(0, 1e6, count * POINTS), 2)
    return Batch.of(SERIES, np.tile(np.arange(POINTS), count), times, value)


def _write_parquet(path: Path, batches: list[Batch]) -> None:
    with duckdb.connect() as database:
        database.execute("create table readings (number integer, time_ms bigint, value double, quality utinyint)")
        for batch in batches:
            columns = {"a": batch.index, "b": batch.time_ms, "c": batch.value, "d": batch.quality}
            database.register("batch", columns)
            database.execute("insert into readings select a, b, c, d from batch")
            database.unregister("batch")
        database.execute(f"copy readings to '{path}' (format parquet)")


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(ask: Callable[[], int], expected: int | None = None) -> float:
    found = []
    for _ in range(5):
        began = time.perf_counter()
        count = ask()
        found.append(time.perf_counter() - began)
        assert expected is None or count == expected, count
    return median(found)
