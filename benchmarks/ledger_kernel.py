"""Counter readings to 15-minute amounts: the ledger's kernel with all its rules against pandas' plain resample."""

import time

import numpy as np
import pandas as pd

from benchmarks.table import Row
from kgce.analytics.ledger.counter import counter_amounts

SERIES = 200
READINGS = 35_040  # a year of 15 minutes
STEP_MS = 900_000


def run() -> list[Row]:
    """Readings per second of both, on the same data."""
    generator = np.random.default_rng(1)
    jitter = generator.integers(0, 60_000, (SERIES, READINGS))
    times = np.arange(READINGS, dtype=np.int64) * STEP_MS + jitter
    values = np.cumsum(generator.random((SERIES, READINGS)), axis=1)
    total = SERIES * READINGS
    ours, peer = total / _ours(times, values), total / _pandas(times, values)
    return [
        Row("counter -> 15 min ledger", ours, peer, "readings/s", "pandas groupby-diff-resample", "which knows no gaps")
    ]


def _ours(times: np.ndarray, values: np.ndarray) -> float:
    edges = np.arange(READINGS + 1, dtype=np.int64) * STEP_MS
    quality = np.zeros(READINGS, np.uint8)
    began = time.perf_counter()
    for row in range(SERIES):
        counter_amounts(times[row], values[row], quality, edges)
    return time.perf_counter() - began


def _pandas(times: np.ndarray, values: np.ndarray) -> float:
    stamps = pd.to_datetime(times.ravel(), unit="ms")
    frame = pd.DataFrame({"meter": np.repeat(np.arange(SERIES), READINGS), "value": values.ravel()}, index=stamps)
    began = time.perf_counter()
    frame["step"] = frame.groupby("meter")["value"].diff()
    frame.groupby("meter")["step"].resample("15min").sum()
    return time.perf_counter() - began


if __name__ == "__main__":
    from benchmarks.table import show

    show(run())
