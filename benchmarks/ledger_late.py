"""Late data that touch one meter in a hundred: what it costs beside working everything out."""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row
from kgce.analytics.book import Book
from kgce.domain.batch import Batch
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series
from kgce.store.open import open_registry, open_store
from kgce.store.shelf import FolderShelf

POINTS = 1000
SHARE = 100  # one point in so many gets late data
STEP_MS = 900_000
START_MS = 1_546_272_000_000  # 2019-01-01T00:00+08:00
READINGS = 35_040
YEAR = 2019
ROUNDS = 3


def run() -> list[Row]:
    """Points brought up to date per second: all of them at first, then one in a hundred after a late batch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry, store = open_registry(folder), open_store(folder)
        points = [
            Point(
                Series(f"u{number // 20}", f"m{number}", "active_energy_import", "electricity"),
                "electricity",
                Kind.COUNTER,
            )
            for number in range(POINTS)
        ]
        registry.save_institutions(Institution(f"u{number}", f"u{number}") for number in range(POINTS // 20))
        registry.save_points(points)
        time_ms = START_MS + STEP_MS * np.arange(READINGS, dtype=np.int64)
        random = np.random.default_rng(1)
        for first in range(0, POINTS, 100):
            chosen = points[first : first + 100]
            value = np.cumsum(random.random((100, READINGS)), axis=1)
            index = np.repeat(np.arange(100), READINGS)
            store.append(Batch.of([point.series for point in chosen], index, np.tile(time_ms, 100), value.ravel()))
        book = Book(store, registry, FolderShelf(folder / "shelf"))
        began = time.perf_counter()
        book.bring_up(YEAR)
        full_s = time.perf_counter() - began
        late = [point.series for point in points[::SHARE]]
        best_s = np.inf
        for turn in range(ROUNDS):
            times = time_ms[::480] + 60_000 * (turn + 1)  # every five days, all year
            index = np.repeat(np.arange(len(late)), len(times))
            store.append(
                Batch.of(late, index, np.tile(times, len(late)), np.full(len(index), 1.0), np.full(len(index), 2))
            )
            began = time.perf_counter()
            done = book.bring_up(YEAR)
            best_s = min(best_s, time.perf_counter() - began)
            if done.work.worked_out != len(late) * 12:
                raise RuntimeError(f"worked out {done.work.worked_out} months, not those of {len(late)} meters")
        store.close()
        registry.close()
    note = f"all: {full_s:.1f} s, late: {best_s * 1000:.0f} ms; bar: 0.5"
    return [
        Row(
            f"late data for 1 % of {POINTS} meters, a year each", len(late) / best_s, POINTS / full_s, "meters/s",
            "working all of them out", note,
        )
    ]  # fmt: skip


if __name__ == "__main__":
    from benchmarks.table import show

    show(run())
