"""Counter readings to interval amounts that add up exactly to the counter's difference.

readings --usable, sorted--> register --anomalies--> stretches --edges--> Amounts
"""

from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.analytics.ledger.anomalies import Register, clean_register
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int64Array, UInt8Array

GAP_FACTOR: Final = 1.5  # of the normal spacing; a stretch longer than this is a gap
GAP_FLOOR_MS: Final = 60_000  # second-by-second meters miss a poll now and then
FULL: Final = 1 - 1e-9


def counter_amounts(time_ms: Int64Array, value: FloatArray, quality: UInt8Array, edges_ms: Int64Array) -> Amounts:
    """Amounts of one counter per interval.

    Args:
        time_ms: (n,) in any order; of equal times the last reading counts. UTC. [ms]
        value: (n,) register; NaN and unusable quality are left out, never zero. [point's unit]
        quality: (n,) Quality bits.
        edges_ms: (m + 1,) ascending. UTC. [ms]

    Returns:
        (m,) columns. Between two good readings the amounts add up to the register's difference, whatever lies between.
        A drop that stays is a reset: the stretch across it is unknown to everybody and stays missing.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    Source: design section 5; docs/decisions/0002-what-coverage-means.md.
    """
    _check(time_ms, value, quality, edges_ms)
    register = clean_register(*_usable(time_ms, value, quality))
    if len(register.time_ms) < 2:  # noqa: PLR2004 - one reading alone says nothing about an amount
        return Amounts.missing(len(edges_ms) - 1)
    return _spread(register, edges_ms)


def _check(time_ms: Int64Array, value: FloatArray, quality: UInt8Array, edges_ms: Int64Array) -> None:
    if not len(time_ms) == len(value) == len(quality):
        raise ValueError(f"columns differ in length: {len(time_ms)}, {len(value)}, {len(quality)}")
    if len(edges_ms) < 2 or bool((np.diff(edges_ms) <= 0).any()):  # noqa: PLR2004 - one interval has two edges
        raise ValueError("edges must be at least two and ascending")


def _usable(time_ms: Int64Array, value: FloatArray, quality: UInt8Array) -> tuple[Int64Array, FloatArray]:
    good = ((quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(value)
    if not good.all():
        time_ms, value = time_ms[good], value[good]
    steps = np.diff(time_ms)
    if not (steps > 0).all():
        order = np.argsort(time_ms, kind="stable")
        time_ms, value = time_ms[order], value[order]
        last = np.append(np.diff(time_ms) > 0, True) if len(time_ms) else np.zeros(0, np.bool_)
        time_ms, value = time_ms[last], value[last]
    return time_ms, value


def _spread(register: Register, edges_ms: Int64Array) -> Amounts:
    times, known = register.time_ms, ~register.is_reset
    start, end = edges_ms[:-1], edges_ms[1:]
    width = (end - start).astype(np.float64)

    growth = np.interp(edges_ms, times, register.value)
    bounded_ms = np.interp(edges_ms, times, np.concatenate(([0], np.cumsum(np.where(known, np.diff(times), 0)))))
    bounded = np.diff(bounded_ms)

    guessed = _guessed_ms(times, known, edges_ms)
    coverage = np.clip((bounded - guessed) / width, 0.0, 1.0)
    bounded_ratio = bounded / width

    amount = np.where(bounded_ratio > 0, np.diff(growth), np.nan)
    provenance = np.full(len(width), Provenance.MEASURED, np.uint8)
    provenance[guessed > 0] = Provenance.INTERPOLATED
    provenance[~(bounded_ratio > 0)] = Provenance.MISSING
    flags = _flags(register, edges_ms)
    flags[(bounded_ratio > 0) & (bounded_ratio < FULL)] |= np.uint8(Flag.PARTIAL)
    return Amounts(amount, coverage, provenance, flags)


def gap_limit_ms(spacing_ms: Int64Array) -> float:
    """Longest stretch that is still the meter's normal rhythm, from its spacings. [ms]."""
    return max(GAP_FACTOR * float(np.median(spacing_ms)), GAP_FLOOR_MS)


def _guessed_ms(times: Int64Array, known: BoolArray, edges_ms: Int64Array) -> FloatArray:
    """(m,) time of each interval that lies in a gap which one of its edges cuts. [ms]."""
    spacing = np.diff(times)
    is_gap = known & (spacing > gap_limit_ms(spacing))
    at = np.clip(np.searchsorted(times, edges_ms, side="right") - 1, 0, len(spacing) - 1)
    cut = is_gap[at] & (times[at] < edges_ms) & (edges_ms < times[at + 1])
    start, end = edges_ms[:-1], edges_ms[1:]
    head = np.where(cut[:-1], np.minimum(times[at[:-1] + 1], end) - start, 0)
    tail = np.where(cut[1:], end - np.maximum(times[at[1:]], start), 0)
    same = cut[:-1] & cut[1:] & (at[:-1] == at[1:])
    return np.where(same, end - start, head + tail).astype(np.float64)


def _flags(register: Register, edges_ms: Int64Array) -> UInt8Array:
    intervals = len(edges_ms) - 1
    flags = np.zeros(intervals, np.uint8)
    for moment in register.spikes_ms:
        place = int(np.searchsorted(edges_ms, moment, side="right")) - 1
        if 0 <= place < intervals:
            flags[place] |= np.uint8(Flag.SPIKE_REJECTED)
    for stretch in np.flatnonzero(register.is_reset):
        first = int(np.searchsorted(edges_ms, register.time_ms[stretch], side="right")) - 1
        last = int(np.searchsorted(edges_ms, register.time_ms[stretch + 1], side="left"))
        flags[max(first, 0) : max(last, 0)] |= np.uint8(Flag.RESET)
    return flags
