"""Interval amounts (each with its own start and end) to the amounts of a grid."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.grid import Grid, edges_ms
from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int64Array, Quality, UInt8Array
from kgce.domain.tree import Step

FIXED_MS: Final = {Step.QUARTER_HOUR: 900_000, Step.HALF_HOUR: 1_800_000, Step.HOUR: 3_600_000}
CALENDAR: Final = {Step.DAY: Grid.DAY, Step.MONTH: Grid.MONTH, Step.YEAR: Grid.YEAR}
DAY_MS: Final = 86_400_000  # of a day that does not start at local midnight
FULL: Final = 1 - 1e-9


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
        ValueError: columns of different length.
    """
    if not len(start_ms) == len(end_ms) == len(value) == len(quality):
        raise ValueError("columns differ in length")
    good = ((quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(value)
    order = np.argsort(start_ms[good], kind="stable")
    start, end, amount, bits = (column[good][order] for column in (start_ms, end_ms, value, quality))
    last = np.append(np.diff(start) > 0, True) if len(start) else np.zeros(0, np.bool_)
    start, end, amount, bits = start[last], end[last], amount[last], bits[last]
    if not len(start):
        return Amounts.missing(len(edges) - 1)
    overlapped = np.append(end[:-1] > start[1:], False)
    length = (end - start).astype(np.float64)
    end = np.where(overlapped, np.append(start[1:], end[-1]), end)
    amount = np.where(overlapped, amount * (end - start) / length, amount)
    return _to_grid(_Parts(start, end, amount, bits, overlapped), edges)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Usable intervals in time order, none overlapping the next."""

    start: Int64Array
    end: Int64Array
    amount: FloatArray
    quality: UInt8Array
    overlapped: BoolArray


def _to_grid(part: _Parts, edges: Int64Array) -> Amounts:
    m = len(edges) - 1
    first = np.searchsorted(edges, part.start, side="right") - 1
    whole = (first >= 0) & (first < m) & (part.end <= edges[np.clip(first + 1, 0, m)])
    cut = ~whole & (part.end > edges[0]) & (part.start < edges[-1])

    held = first[whole]
    amount = np.bincount(held, part.amount[whole], m) + _spread(part, cut, part.amount, edges)
    spread_ms = _spread(part, cut, (part.end - part.start).astype(np.float64), edges)
    covered = np.bincount(held, (part.end - part.start)[whole], m) + spread_ms
    coverage = np.minimum(covered / np.diff(edges), 1.0)

    provenance = np.where(covered > 0, np.uint8(Provenance.MEASURED), np.uint8(Provenance.MISSING))
    provenance[spread_ms > 0] = Provenance.INTERPOLATED
    for bit, code in ((Quality.ESTIMATED, Provenance.ESTIMATED), (Quality.MANUAL, Provenance.MANUAL)):
        provenance[_touched(part, (part.quality & np.uint8(bit)) > 0, edges)] = code
    flags = np.zeros(m, np.uint8)
    flags[_touched(part, part.overlapped, edges)] |= np.uint8(Flag.OVERLAP)
    flags[(covered > 0) & (coverage < FULL)] |= np.uint8(Flag.PARTIAL)
    return Amounts(np.where(covered > 0, amount, np.nan), coverage, provenance, flags)


def _spread(part: _Parts, chosen: BoolArray, weight: FloatArray, edges: Int64Array) -> FloatArray:
    """(m,) the chosen intervals' weights, each spread evenly over its own time."""
    if not chosen.any():
        return np.zeros(len(edges) - 1)
    stamps = np.stack((part.start[chosen], part.end[chosen]), axis=1).ravel()
    grown = np.cumsum(weight[chosen])
    levels = np.stack((grown - weight[chosen], grown), axis=1).ravel()
    return np.diff(np.interp(edges, stamps, levels))


def _touched(part: _Parts, chosen: BoolArray, edges: Int64Array) -> BoolArray:
    """(m,) grid intervals that share time with a chosen interval."""
    change = np.zeros(len(edges) + 1, np.int64)
    np.add.at(change, np.clip(np.searchsorted(edges, part.start[chosen], side="right") - 1, 0, len(edges)), 1)
    np.add.at(change, np.clip(np.searchsorted(edges, part.end[chosen], side="left"), 0, len(edges)), -1)
    return np.asarray(np.cumsum(change)[: len(edges) - 1] > 0)
