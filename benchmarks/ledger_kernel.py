"""Counter readings to 15-minute amounts: the ledger's kernel with all its rules against pandas' plain resample."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.table import Row
from kgce.analytics.ledger.changes import Rules
from kgce.analytics.ledger.counter import counter_amounts_many
from kgce.domain.batch import FloatArray, Int32Array, Int64Array
from kgce.domain.changes import MeterChange

SERIES = 200
READINGS = 35_040  # a year of 15 minutes
STEP_MS = 900_000
ROUNDS = 3  # the best of so many, for everybody
WIDTH = 10_000.0  # the meters' registers start again here, once or twice in the year
FAULTS = "4 000 outages, 4 000 dips, 200 swaps, roll-overs; same sum"
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
    faulty = _Faulty.of(times, values)
    with_faults = _readings_per_s(lambda: faulty.amounts(edges), used)
    same = "the same without faults"
    peers = [
        Row("counter -> 15 min ledger", kgce, _readings_per_s(peer, used), "readings/s", name, IGNORES)
        for name, peer in (
            ("pandas groupby-diff-resample", lambda: _grouped(frame)),
            ("pandas meter by meter, its fastest", lambda: _meter_by_meter(frame)),
        )
    ]
    return [*peers, Row("counter -> 15 min ledger, all rules on", with_faults, kgce, "readings/s", same, FAULTS)]


@dataclass(frozen=True, slots=True, eq=False)
class _Faulty:
    """The same meters with every rule at work: widths and limits known, outages, dips, a swap for each."""

    index: Int32Array
    time_ms: Int64Array
    value: FloatArray
    rules: Rules

    @classmethod
    def of(cls, times: Int64Array, values: FloatArray) -> "_Faulty":
        generator = np.random.default_rng(2)
        kept = np.ones(values.shape, np.bool_)
        shown, changes = values % WIDTH, {}
        for row in range(SERIES):
            swap = int(generator.integers(READINGS // 4, READINGS // 2))
            last = float(shown[row, swap])
            shown[row, swap + 1 :] = (values[row, swap + 1 :] - values[row, swap] + 5.0) % WIDTH
            at_ms = int(times[row, swap]) + 1
            changes[row] = [MeterChange("a", str(row), "q", at_ms, old_last=last, new_first=5.0)]
            for _ in range(20):
                start = int(generator.integers(10, READINGS - 200))
                kept[row, start : start + 24] = False  # six hours of silence
                if WIDTH / 10 < shown[row, start + 100] < WIDTH / 2:
                    shown[row, start + 100] = 0.0
        kept[:, [0, -1]] = True
        index = np.repeat(np.arange(SERIES, dtype=np.int32), kept.sum(axis=1))
        rules = Rules(np.full(SERIES, WIDTH), np.full(SERIES, 200.0), changes)
        return cls(index, times[kept], shown[kept], rules)

    def amounts(self, edges: Int64Array) -> float:
        """What the ledger makes of it: still every unit that was used."""
        quality = np.zeros(len(self.index), np.uint8)
        found = counter_amounts_many(self.index, self.time_ms, self.value, quality, edges, SERIES, rules=self.rules)
        return float(np.nansum(found.amount))


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
