"""Interval amounts (each with its own start and end) to the amounts of a grid."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.grid import Grid, edges_ms
from kgce.analytics.ledger.amounts import FULL, Amounts, Flag, Provenance, check_columns
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int32Array, Int64Array, Quality, UInt8Array
from kgce.domain.tree import Step

FIXED_MS: Final = {
    Step.TEN_MINUTES: 600_000,
    Step.QUARTER_HOUR: 900_000,
    Step.HALF_HOUR: 1_800_000,
    Step.HOUR: 3_600_000,
}
CALENDAR: Final = {Step.DAY: Grid.DAY, Step.MONTH: Grid.MONTH, Step.YEAR: Grid.YEAR}
DAY_MS: Final = 86_400_000  # of a day that does not start at local midnight


def interval_ends(time_ms: Int64Array, step: Step, timezone: str) -> Int64Array:
    """End of each interval that starts at time_ms.

    Args:
        time_ms: (n,) starts. UTC. [ms]
        step: length; days, months and years end at local midnight.
        timezone: IANA name.

    Returns:
        (n,) ends. UTC. [ms]
    """
    if step in FIXED_MS:
        return time_ms + FIXED_MS[step]
    if not len(time_ms):
        return time_ms.copy()
    edges = edges_ms(int(time_ms.min()), int(time_ms.max()) + 1, CALENDAR[step], timezone)
    place = np.searchsorted(edges, time_ms, side="right")
    starts_day = edges[place - 1] == time_ms
    return np.where(starts_day | (step is not Step.DAY), edges[place], time_ms + DAY_MS)


def interval_amounts(
    start_ms: Int64Array, end_ms: Int64Array, value: FloatArray, quality: UInt8Array, edges: Int64Array
) -> Amounts:
    """Amounts of one interval point per grid interval.

    Args:
        start_ms: (n,) UTC; of equal starts the last counts. [ms]
        end_ms: (n,) UTC, after start. [ms]
        value: (n,) amount of the interval; NaN and unusable quality are left out. [point's unit]
        quality: (n,) Quality bits; MANUAL and ESTIMATED decide the provenance.
        edges: (m + 1,) ascending. UTC. [ms]

    Returns:
        (m,) columns. An interval inside a grid interval is added whole; one that an edge cuts is spread evenly
        (interpolated). Where two overlap, the time belongs to the later one and the flag says so.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    """
    index = np.zeros(len(start_ms), np.int32)
    return interval_amounts_many(index, start_ms, end_ms, value, quality, edges, 1).row(0)


def interval_amounts_many(  # noqa: PLR0917 - the columns in the order of a batch, like every kernel
    index: Int32Array,
    start_ms: Int64Array,
    end_ms: Int64Array,
    value: FloatArray,
    quality: UInt8Array,
    edges: Int64Array,
    n_series: int,
) -> Amounts:
    """Amounts of many interval points over the same grid, each exactly as `interval_amounts` gives it alone.

    Args:
        index: (n,) which point a row belongs to, 0 <= index < n_series.
        start_ms: (n,) see interval_amounts. [ms]
        end_ms: (n,) see interval_amounts. [ms]
        value: (n,) see interval_amounts. [point's unit]
        quality: (n,) Quality bits.
        edges: (m + 1,) ascending. UTC. [ms]
        n_series: how many points; one without rows is missing.

    Returns:
        (n_series, m) columns.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    """
    check_columns(edges, index, start_ms, end_ms, value, quality)
    good = np.flatnonzero(((quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(value))
    order = good[np.lexsort((start_ms[good], index[good]))]  # stable: of equal starts the last stays last
    series, start = index[order], start_ms[order]
    repeated = np.append((series[1:] == series[:-1]) & (start[1:] == start[:-1]), False)[: len(order)]
    kept = order[~repeated]
    parts = _Parts.of(index[kept], start_ms[kept], end_ms[kept], value[kept], quality[kept])
    return _to_grid(parts, edges, n_series)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """(n,) usable amounts by series and time, none reaching into the next of its series."""

    series: Int32Array
    start: Int64Array
    end: Int64Array
    amount: FloatArray
    quality: UInt8Array
    is_cut_short: BoolArray

    @classmethod
    def of(
        cls, series: Int32Array, start: Int64Array, end: Int64Array, value: FloatArray, quality: UInt8Array
    ) -> "_Parts":
        """Give the time that two amounts claim to the later one."""
        overlapping = np.append((series[1:] == series[:-1]) & (end[:-1] > start[1:]), False)[: len(start)]
        shown_end = np.where(overlapping, np.roll(start, -1), end)
        amount = np.where(overlapping, value * ((shown_end - start) / (end - start)), value)
        return cls(series, start, shown_end, amount, quality, overlapping)


def _to_grid(part: _Parts, edges: Int64Array, n_series: int) -> Amounts:
    """Every pair of an amount and a grid interval it shares time with, summed per series and grid interval."""
    m = len(edges) - 1
    first = np.maximum(np.searchsorted(edges, part.start, side="right") - 1, 0)
    last = np.minimum(np.searchsorted(edges, part.end, side="left"), m)  # the first interval beyond
    touched = np.maximum(last - first, 0)
    of = np.repeat(np.arange(len(first)), touched)
    place = np.arange(len(of)) - np.repeat(np.cumsum(touched) - touched, touched) + first[of]
    cell = part.series[of].astype(np.int64) * m + place
    shared_ms = np.minimum(part.end[of], edges[place + 1]) - np.maximum(part.start[of], edges[place])
    length_ms = (part.end - part.start)[of]

    size = n_series * m
    piece = part.amount[of] * (shared_ms / length_ms)
    amount = np.bincount(cell, piece, size).astype(np.float64)
    is_guess = (part.quality[of] & np.uint8(Quality.ESTIMATED)) > 0
    unmeasured = (shared_ms < length_ms) | part.is_cut_short[of] | is_guess
    estimated = np.bincount(cell, np.where(unmeasured, piece, 0.0), size).astype(np.float64)
    covered_ms = np.bincount(cell, shared_ms, size)
    coverage = np.minimum(covered_ms.reshape(n_series, m) / np.diff(edges), 1.0).ravel()

    provenance = np.where(covered_ms > 0, np.uint8(Provenance.MEASURED), np.uint8(Provenance.MISSING))
    provenance[cell[(shared_ms < length_ms) | part.is_cut_short[of]]] = Provenance.INTERPOLATED
    for bit, code in ((Quality.ESTIMATED, Provenance.ESTIMATED), (Quality.MANUAL, Provenance.MANUAL)):
        provenance[cell[(part.quality[of] & np.uint8(bit)) > 0]] = code
    flags = np.zeros(size, np.uint8)
    flags[cell[part.is_cut_short[of]]] |= np.uint8(Flag.OVERLAP)
    flags[(covered_ms > 0) & (coverage < FULL)] |= np.uint8(Flag.PARTIAL)
    amount[~(covered_ms > 0)] = np.nan
    shape = (n_series, m)
    return Amounts(
        amount.reshape(shape),
        coverage.reshape(shape),
        provenance.reshape(shape),
        flags.reshape(shape),
        estimated.reshape(shape),
    )
