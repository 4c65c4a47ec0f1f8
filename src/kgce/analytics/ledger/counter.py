"""Counter readings to interval amounts that add up exactly to the counter's difference.

readings --usable, sorted--> register --anomalies--> stretches --edges--> Amounts
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts, check_columns
from kgce.analytics.ledger.stretches import Stretches, spread
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array

BLOCK_CELLS: Final = 1 << 16  # readings and intervals worked on at once: their columns stay in a core's cache
BLOCK_COUNTERS: Final = 1 << 10  # counters share one time scale in a block; so many centuries are exact in a float


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
    index = np.zeros(len(time_ms), np.int32)
    return counter_amounts_many(index, time_ms, value, quality, edges_ms, 1).row(0)


def counter_amounts_many(  # noqa: PLR0917 - the columns in the order of a batch, like every kernel
    index: Int32Array,
    time_ms: Int64Array,
    value: FloatArray,
    quality: UInt8Array,
    edges_ms: Int64Array,
    n_series: int,
) -> Amounts:
    """Amounts of many counters over the same intervals, each exactly as `counter_amounts` gives it alone.

    Args:
        index: (n,) which counter a reading belongs to, 0 <= index < n_series; fastest when already sorted.
        time_ms: (n,) see counter_amounts. [ms]
        value: (n,) see counter_amounts. [point's unit]
        quality: (n,) Quality bits.
        edges_ms: (m + 1,) ascending. UTC. [ms]
        n_series: how many counters; one without readings is missing.

    Returns:
        (n_series, m) columns.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    """
    check_columns(edges_ms, index, time_ms, value, quality)
    index, time_ms, value = _usable(index, time_ms, value, quality)
    count = np.bincount(index, minlength=n_series)
    if (count == 1).any():  # one reading alone says nothing about an amount
        several = count[index] > 1
        index, time_ms, value = index[several], time_ms[several], value[several]
    measured = np.flatnonzero(count > 1)
    begins = np.concatenate(([0], np.cumsum(count[measured]))).astype(np.int64)
    found = Amounts.missing(n_series, len(edges_ms) - 1)
    for first, last in _blocks(begins, len(edges_ms)):
        part = slice(int(begins[first]), int(begins[last]))
        block = spread(Stretches.of(time_ms[part], value[part], begins[first : last + 1] - begins[first]), edges_ms)
        rows = measured[first:last]
        found.amount[rows], found.coverage[rows] = block.amount, block.coverage
        found.provenance[rows], found.flags[rows] = block.provenance, block.flags
    return found


def _usable(
    index: Int32Array, time_ms: Int64Array, value: FloatArray, quality: UInt8Array
) -> tuple[Int32Array, Int64Array, FloatArray]:
    """Good readings by counter then time, one per counter and time."""
    good = ((quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(value)
    if not good.all():
        index, time_ms, value = index[good], time_ms[good], value[good]
    if not _is_later(index, time_ms).all():
        order = np.lexsort((time_ms, index))  # stable: of equal times the last stays last
        index, time_ms, value = index[order], time_ms[order], value[order]
        newest = np.append(_is_later(index, time_ms), True)
        index, time_ms, value = index[newest], time_ms[newest], value[newest]
    return index, time_ms, value


def _is_later(index: Int32Array, time_ms: Int64Array) -> BoolArray:
    """(n - 1,) whether each reading comes after the one before it: a later time, or the next counter."""
    return np.asarray((time_ms[1:] > time_ms[:-1]) & (index[1:] == index[:-1]) | (index[1:] > index[:-1]))


def _blocks(begins: Int64Array, edges: int) -> Iterator[tuple[int, int]]:
    """Ranges of counters small enough to be worked on at once; one counter is never divided."""
    cells = begins + np.arange(len(begins), dtype=np.int64) * edges
    first, counters = 0, len(begins) - 1
    while first < counters:
        fitting = int(np.searchsorted(cells, cells[first] + BLOCK_CELLS, side="right")) - 1
        last = min(max(fitting, first + 1), first + BLOCK_COUNTERS, counters)
        yield first, last
        first = last
