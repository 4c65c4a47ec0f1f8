"""Counter readings to 15-minute amounts: the ledger's kernel with all its rules against pandas' plain resample."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.table import Row
from kgce.analytics.ledger.counter import counter_amounts_many

SERIES = 200
READINGS = 35_040  # a year of 15 minutes
STEP_MS = 900_000
ROUNDS = 3  # the best of so many, for everybody
IGNORES = "pandas knows no gaps, resets, coverage"


def run() -> list[Row]:
    """Readings per second of each, on the same data; refuses to print a speed if the sums disagree."""
    generator = np.random.default_rng(1)
    jitter = generator.integers(0, 60_000, (SERIES, READINGS))
    times = np.arange(READINGS, dtype=np.int64) * STEP_MS + jitter
    values = np.cumsum(generator.random((SERIES, READINGS)), axis=1)
    index = np.repeat(np.arange(SERIES, dtype=np.int32), READINGS)
    edges = np.arange(READINGS + 1, dtype=np.int64) * STEP_MS
    quality = np.zeros(SERIES * READINGS, np.uint8)
    frame = pd.DataFrame({"meter": index, "value": values.ravel()}, index=pd.to_datetime(times.ravel(), unit="ms"))

    def ours() -> float:
        return float(
            np.nansum(counter_amounts_many(index, times.ravel(), values.ravel(), quality, edges, SERIES).amount)
        )

    used = float((values[:, -1] - values[:, 0]).sum())
    kgce = _readings_per_s(ours, used)
    return [
        Row("counter -> 15 min ledger", kgce, _readings_per_s(peer, used), "readings/s", name, IGNORES)
        for name, peer in (
            ("pandas groupby-diff-resample", lambda: _grouped(frame)),
            ("pandas meter by meter, its fastest", lambda: _meter_by_meter(frame)),
        )
    ]


def _readings_per_s(work: Callable[[], float], expected: float) -> float:
    best_s = np.inf
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = work()
        best_s = min(best_s, time.perf_counter() - began)
        if not np.isclose(found, expected, rtol=1e-9):
            raise RuntimeError(f"amounts add up to {found}, the counters say {expected}")
    return SERIES * READINGS / best_s


def _grouped(frame: pd.DataFrame) -> float:
    steps = frame.assign(step=frame.groupby("meter")["value"].diff())
    return float(steps.groupby("meter")["step"].resample("15min").sum().sum())


def _meter_by_meter(frame: pd.DataFrame) -> float:
    return float(
        sum(rows["value"].diff().resample("15min").sum().to_numpy().sum() for _, rows in frame.groupby("meter"))
    )


if __name__ == "__main__":
    from benchmarks.table import show

    show(run())
