"""Counter readings to interval amounts that add up exactly to the counter's difference.

readings --usable, sorted--> one register --changes, anomalies--> stretches --edges--> Amounts
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts, Flag, check_columns
from kgce.analytics.ledger.changes import Rules, join
from kgce.analytics.ledger.stretches import Stretches, mark, spread
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array

BLOCK_CELLS: Final = 1 << 16  # readings and intervals worked on at once: their columns stay in a core's cache
BLOCK_COUNTERS: Final = 1 << 10  # counters share one time scale in a block; so many centuries are exact in a float


def counter_amounts(
    time_ms: Int64Array, value: FloatArray, quality: UInt8Array, edges_ms: Int64Array, rules: Rules | None = None
) -> Amounts:
    """Amounts of one counter per interval.

    Args:
        time_ms: (n,) in any order; of equal times the last reading counts. UTC. [ms]
        value: (n,) register; NaN and unusable quality are left out, never zero. [point's unit]
        quality: (n,) Quality bits.
        edges_ms: (m + 1,) ascending. UTC. [ms]
        rules: of this one counter; None = nothing is known beyond its readings.

    Returns:
        (m,) columns. Between two good readings the amounts add up to the register's difference, whatever lies between.
        A drop that stays is a reset: the stretch across it is unknown to everybody and stays missing.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    Source: design section 5; docs/decisions/0002-what-coverage-means.md.
    """
    index = np.zeros(len(time_ms), np.int32)
    return counter_amounts_many(index, time_ms, value, quality, edges_ms, 1, rules=rules).row(0)


def counter_amounts_many(  # noqa: PLR0917 - the columns in the order of a batch, like every kernel
    index: Int32Array,
    time_ms: Int64Array,
    value: FloatArray,
    quality: UInt8Array,
    edges_ms: Int64Array,
    n_series: int,
    *,
    rules: Rules | None = None,
) -> Amounts:
    """Amounts of many counters over the same intervals, each exactly as `counter_amounts` gives it alone.

    Args:
        index: (n,) which counter a reading belongs to, 0 <= index < n_series; fastest when already sorted.
        time_ms: (n,) see counter_amounts. [ms]
        value: (n,) see counter_amounts. [point's unit]
        quality: (n,) Quality bits.
        edges_ms: (m + 1,) ascending. UTC. [ms]
        n_series: how many counters; one without readings is missing.
        rules: of each counter; None = nothing is known beyond their readings.

    Returns:
        (n_series, m) columns.

    Raises:
        ValueError: columns of different length, or edges not ascending.
    """
    check_columns(edges_ms, index, time_ms, value, quality)
    return counter_amounts_on(index, time_ms, value, quality, [edges_ms], n_series, rules=rules)[0]


def counter_amounts_on(  # noqa: PLR0917 - the columns in the order of a batch, like every kernel
    index: Int32Array,
    time_ms: Int64Array,
    value: FloatArray,
    quality: UInt8Array,
    grids: Sequence[Int64Array],
    n_series: int,
    *,
    rules: Rules | None = None,
) -> list[Amounts]:
    """The same over several grids at once: the readings are judged only once; see `counter_amounts_many`."""
    for edges_ms in grids:
        check_columns(edges_ms, index, time_ms, value, quality)
    rules = rules or Rules.none(n_series)
    index, time_ms, value = _usable(index, time_ms, value, quality)
    declared: list[tuple[int, int, Flag]] = []
    base: FloatArray | None = None
    if rules.changes:
        index, time_ms, value, base, declared = _joined(index, time_ms, value, rules)
    count = np.bincount(index, minlength=n_series)
    if (count == 1).any():  # one reading alone says nothing about an amount
        several = count[index] > 1
        index, time_ms, value = index[several], time_ms[several], value[several]
        base = None if base is None else base[several]
    measured = np.flatnonzero(count > 1)
    begins = np.concatenate(([0], np.cumsum(count[measured]))).astype(np.int64)
    found = [Amounts.missing(n_series, len(edges_ms) - 1) for edges_ms in grids]
    for first, last in _blocks(begins, max(map(len, grids))):
        part, rows = slice(int(begins[first]), int(begins[last])), measured[first:last]
        stretches = Stretches.of(
            time_ms[part], value[part], begins[first : last + 1] - begins[first],
            width=rules.width[rows], most_per_hour=rules.most_per_hour[rows],
            base=None if base is None else base[part],
        )  # fmt: skip
        for amounts, edges_ms in zip(found, grids, strict=True):
            amounts.put(rows, spread(stretches, edges_ms))
    for amounts, edges_ms in zip(found, grids, strict=True):
        mark(amounts.flags, declared, edges_ms)
    return found


def _joined(
    index: Int32Array, time_ms: Int64Array, value: FloatArray, rules: Rules
) -> tuple[Int32Array, Int64Array, FloatArray, FloatArray, list[tuple[int, int, Flag]]]:
    """Readings with the declared changes laid in, what these added to each level, and where they are."""
    begins = np.searchsorted(index, np.arange(len(rules.width) + 1))
    pieces: list[tuple[Int32Array, Int64Array, FloatArray, FloatArray]] = []
    declared: list[tuple[int, int, Flag]] = []
    done = 0
    for row in sorted(rules.changes):
        start, end = int(begins[row]), int(begins[row + 1])
        pieces.append((index[done:start], time_ms[done:start], value[done:start], np.zeros(start - done)))
        joined = join(time_ms[start:end], value[start:end], rules.changes[row])
        pieces.append((np.full(len(joined.time_ms), row, index.dtype), joined.time_ms, joined.value, joined.base))
        declared += [(row, moment, flag) for moment, flag in joined.marks]
        done = end
    pieces.append((index[done:], time_ms[done:], value[done:], np.zeros(len(value) - done)))
    columns = tuple(np.concatenate(column) for column in zip(*pieces, strict=True))
    return columns[0], columns[1], columns[2], columns[3], declared


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
