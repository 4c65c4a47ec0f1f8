"""Stretches between the readings of counters, spread over grid intervals.

counter.py --Stretches--> here --> Amounts
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import FULL, Amounts, Flag, Provenance
from kgce.analytics.ledger.anomalies import clean_register
from kgce.domain.batch import BoolArray, FloatArray, Int64Array, UInt8Array

GAP_FACTOR: Final = 1.5  # of the normal spacing; a stretch longer than this is a gap
GAP_FLOOR_MS: Final = 60_000  # second-by-second meters miss a poll now and then


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Cleaned registers of s counters, one after the other; none ever falls.

    time_ms, value: (n,) readings, each counter's times ascending; begins: (s + 1,) where each counter's rows begin,
    at least two rows each; is_reset: (n,) whether the stretch to the next reading is unknown, None = none is;
    marks: (counter, time in ms, Flag) of what was rejected, bridged or declared.
    """

    time_ms: Int64Array
    value: FloatArray
    begins: Int64Array
    is_reset: BoolArray | None
    marks: tuple[tuple[int, int, Flag], ...]

    @classmethod
    def of(
        cls,
        time_ms: Int64Array,
        value: FloatArray,
        begins: Int64Array,
        *,
        width: FloatArray,
        most_per_hour: FloatArray,
        base: FloatArray | None = None,
    ) -> "Stretches":
        """Clean each counter, (s,) width and most_per_hour; without anomalies the given arrays are used as they are.

        base: (n,) what declared replacements added to the shown levels, None = nothing.
        """
        falls = np.diff(value) < 0
        falls[begins[1:-1] - 1] = False  # from one counter to the next
        if not falls.any() and not np.isfinite(most_per_hour).any():
            return cls(time_ms, value, begins, None, ())
        registers = [
            clean_register(
                time_ms[start:end],
                value[start:end],
                width=wide,
                most_per_hour=most,
                base=None if base is None else base[start:end],
            )
            for (start, end), wide, most in zip(
                itertools.pairwise(begins.tolist()), width.tolist(), most_per_hour.tolist(), strict=True
            )
        ]
        sizes = [len(register.time_ms) for register in registers]
        any_reset = any(register.is_reset.any() for register in registers)
        return cls(
            np.concatenate([register.time_ms for register in registers]),
            np.concatenate([register.value for register in registers]),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            np.concatenate([np.append(register.is_reset, False) for register in registers]) if any_reset else None,
            tuple((row, moment, flag) for row, register in enumerate(registers) for moment, flag in register.marks),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Edges laid over the stretches; key_ms puts the counters' times one after the other.

    key_ms: (n,); inside_ms: (s, m + 1) edges held between a counter's first and last reading; edge_key_ms: the same
    on the keys' scale.
    """

    key_ms: Int64Array
    inside_ms: Int64Array
    edge_key_ms: Int64Array


def spread(stretches: Stretches, edges_ms: Int64Array) -> Amounts:
    """(s, m) amounts: the counter's value is read off at every edge, so neighbours add up to its difference."""
    placed = _place(stretches, edges_ms)
    growth = np.interp(placed.edge_key_ms.ravel(), placed.key_ms, stretches.value).reshape(placed.edge_key_ms.shape)
    np.maximum.accumulate(growth, axis=1, out=growth)  # rounding must not make an amount negative
    bounded = _bounded_ms(stretches, placed)
    width = np.diff(edges_ms).astype(np.float64)

    amount = np.diff(growth, axis=1)
    unknown, ratio = bounded <= 0, bounded / width
    amount[unknown] = np.nan
    provenance = np.full(amount.shape, Provenance.MEASURED, np.uint8)
    guessed = _guessed(stretches, edges_ms)
    coverage, estimated = ratio, np.zeros(amount.shape)
    if guessed is not None:
        guessed_ms, in_gaps = guessed
        coverage = np.clip((bounded - guessed_ms) / width, 0.0, 1.0)
        estimated = np.where(unknown, 0.0, np.minimum(in_gaps, amount))
        provenance[guessed_ms > 0] = Provenance.INTERPOLATED
    provenance[unknown] = Provenance.MISSING
    flags = _flags(stretches, edges_ms)
    flags[~unknown & (ratio < FULL)] |= np.uint8(Flag.PARTIAL)
    return Amounts(amount, coverage, provenance, flags, estimated)


def _place(stretches: Stretches, edges_ms: Int64Array) -> _Placed:
    times, begins = stretches.time_ms, stretches.begins
    first, last = times[begins[:-1], None], times[begins[1:] - 1, None]
    inside = np.clip(edges_ms[None, :], first, last)
    if len(begins) == 2:  # noqa: PLR2004 - one counter has two bounds and needs no shift
        return _Placed(times, inside, inside)
    origin = int(first.min())
    span = int(last.max()) - origin + 1
    shift = np.arange(len(begins) - 1, dtype=np.int64) * span - origin
    return _Placed(times + np.repeat(shift, np.diff(begins)), inside, inside + shift[:, None])


def _bounded_ms(stretches: Stretches, placed: _Placed) -> FloatArray:
    """(s, m) time of each interval that lies between two readings and not across a reset. [ms]."""
    if stretches.is_reset is None:
        return np.diff(placed.inside_ms, axis=1).astype(np.float64)
    known_ms = np.where(stretches.is_reset[:-1], 0, np.diff(placed.key_ms))
    level = np.concatenate(([0], np.cumsum(known_ms)))
    at_edges = np.interp(placed.edge_key_ms.ravel(), placed.key_ms, level).reshape(placed.edge_key_ms.shape)
    return np.diff(at_edges, axis=1)


def gap_limit_ms(spacing_ms: Int64Array) -> float:
    """Longest stretch that is still the meter's normal rhythm, from its spacings. [ms]."""
    return max(GAP_FACTOR * float(np.median(spacing_ms)), GAP_FLOOR_MS)


def _gaps(stretches: Stretches) -> Int64Array | None:
    """Readings that a gap follows, in order; None when there is none. A reset is no gap."""
    begins = stretches.begins
    spacing = np.empty_like(stretches.time_ms)
    np.subtract(stretches.time_ms[1:], stretches.time_ms[:-1], out=spacing[:-1])
    spacing[begins[1:] - 1] = spacing[begins[1:] - 2]  # no stretch follows a counter's last reading
    longest = np.maximum.reduceat(spacing, begins[:-1])
    # The median is at least the shortest spacing: only a counter above this bound can have a gap.
    uneven = np.flatnonzero(longest > np.maximum(GAP_FACTOR * np.minimum.reduceat(spacing, begins[:-1]), GAP_FLOOR_MS))
    found = []
    for row in uneven.tolist():
        start, end = int(begins[row]), int(begins[row + 1]) - 1
        own = spacing[start:end]
        found.append(start + np.flatnonzero(own > gap_limit_ms(own)))
    gaps = np.concatenate(found) if found else np.zeros(0, np.int64)
    if stretches.is_reset is not None:
        gaps = gaps[~stretches.is_reset[gaps]]
    return gaps if len(gaps) else None


def _guessed(stretches: Stretches, edges_ms: Int64Array) -> tuple[FloatArray, FloatArray] | None:
    """(s, m) time of each interval in a gap which one of its edges cuts [ms], and what is spread there; None = none."""
    gaps = _gaps(stretches)
    if gaps is None:
        return None
    intervals = len(edges_ms) - 1
    start, end = stretches.time_ms[gaps], stretches.time_ms[gaps + 1]
    first = np.searchsorted(edges_ms, start, side="right") - 1
    last = np.searchsorted(edges_ms, end, side="left") - 1
    cut = (first != last) & (last >= 0) & (first < intervals)
    if not cut.any():
        return None
    gaps, start, end = gaps[cut], start[cut], end[cut]
    first, last = np.maximum(first[cut], 0), np.minimum(last[cut], intervals - 1)
    count = last - first + 1
    of = np.repeat(np.arange(len(gaps)), count)
    place = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count) + first[of]
    shared_ms = np.minimum(end[of], edges_ms[place + 1]) - np.maximum(start[of], edges_ms[place])
    slope = (stretches.value[gaps + 1] - stretches.value[gaps]) / (end - start)
    row = np.searchsorted(stretches.begins, gaps, side="right") - 1
    cell, size = row[of] * intervals + place, (len(stretches.begins) - 1) * intervals
    guessed_ms, spread_there = (np.bincount(cell, what, size) for what in (shared_ms, shared_ms * slope[of]))
    return guessed_ms.astype(np.float64).reshape(-1, intervals), spread_there.astype(np.float64).reshape(-1, intervals)


def mark(flags: UInt8Array, marks: Iterable[tuple[int, int, Flag]], edges_ms: Int64Array) -> None:
    """Set (row, time in ms, Flag) in the intervals that hold the times; flags (s, m) is changed."""
    for row, moment, flag in marks:
        place = int(np.searchsorted(edges_ms, moment, side="right")) - 1
        if 0 <= place < flags.shape[1]:
            flags[row, place] |= np.uint8(flag)


def _flags(stretches: Stretches, edges_ms: Int64Array) -> UInt8Array:
    intervals = len(edges_ms) - 1
    flags = np.zeros((len(stretches.begins) - 1, intervals), np.uint8)
    mark(flags, stretches.marks, edges_ms)
    if stretches.is_reset is None:
        return flags
    for reading in np.flatnonzero(stretches.is_reset).tolist():
        row = int(np.searchsorted(stretches.begins, reading, side="right")) - 1
        first = int(np.searchsorted(edges_ms, stretches.time_ms[reading], side="right")) - 1
        last = int(np.searchsorted(edges_ms, stretches.time_ms[reading + 1], side="left"))
        flags[row, max(first, 0) : max(last, 0)] |= np.uint8(Flag.RESET)
    return flags
