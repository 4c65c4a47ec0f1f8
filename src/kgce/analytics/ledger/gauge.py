"""Gauges over time: time-weighted mean, integral (kW -> kWh); a check on counters, never across a gap."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import check_columns
from kgce.analytics.ledger.stretches import gap_limit_ms
from kgce.domain.batch import UNUSABLE, FloatArray, Int64Array, UInt8Array

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class TimeMeans:
    """(m,) columns: mean in the gauge's unit, integral in unit x hours, both NaN where nothing is known; coverage."""

    mean: FloatArray
    integral: FloatArray
    coverage: FloatArray


def time_means(time_ms: Int64Array, value: FloatArray, quality: UInt8Array, edges_ms: Int64Array) -> TimeMeans:
    """Time-weighted mean and integral of a gauge per interval, straight between readings.

    Args:
        time_ms: (n,) in any order; of equal times the last reading counts. UTC. [ms]
        value: (n,) NaN and unusable quality are left out. [point's unit]
        quality: (n,) Quality bits.
        edges_ms: (m + 1,) ascending. UTC. [ms]

    Returns:
        (m,) of the covered time only: a gap between readings adds nothing and lowers the coverage, so the integral of
        an interval with coverage below 1 is a part, not an estimate of the whole.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    Source: trapezoidal rule; gaps as for counters, docs/decisions/0002-what-coverage-means.md.
    """
    check_columns(edges_ms, time_ms, value, quality)
    good = np.flatnonzero(((quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(value))
    good = good[np.argsort(time_ms[good], kind="stable")]
    good = good[np.append(time_ms[good][1:] > time_ms[good][:-1], True)[: len(good)]]
    width = np.diff(edges_ms).astype(np.float64)
    if len(good) < 2:  # noqa: PLR2004 - one instant has no duration
        return TimeMeans(np.full(len(width), np.nan), np.full(len(width), np.nan), np.zeros(len(width)))
    covered_ms, integral = _accumulated(time_ms[good], value[good], edges_ms)
    integral = np.where(covered_ms > 0, integral / HOUR_MS, np.nan)
    mean = np.divide(integral * HOUR_MS, covered_ms, out=np.full(len(width), np.nan), where=covered_ms > 0)
    return TimeMeans(mean, integral, covered_ms / width)


def _accumulated(time_ms: Int64Array, value: FloatArray, edges_ms: Int64Array) -> tuple[FloatArray, FloatArray]:
    """(m,) covered time [ms] and integral [unit x ms] between the edges: both are read off at each edge."""
    spacing = np.diff(time_ms)
    known = spacing <= gap_limit_ms(spacing)
    covered = np.concatenate(([0], np.cumsum(np.where(known, spacing, 0))))
    area = np.concatenate(([0.0], np.cumsum(np.where(known, (value[1:] + value[:-1]) / 2 * spacing, 0.0))))

    inside = np.clip(edges_ms, time_ms[0], time_ms[-1])
    at = np.minimum(np.searchsorted(time_ms, inside, side="right") - 1, len(spacing) - 1)
    elapsed = np.where(known[at], inside - time_ms[at], 0)
    slope = (value[at + 1] - value[at]) / spacing[at]
    return np.diff(covered[at] + elapsed), np.diff(area[at] + (value[at] + slope * elapsed / 2) * elapsed)
