"""Counter readings to interval amounts that add up exactly to the counter's difference.

readings --usable, sorted--> one register --changes, anomalies--> stretches --edges--> Amounts
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.analytics.ledger.amounts import Amounts, Flag, check_columns
from kgce.analytics.ledger.changes import Rules, join
from kgce.analytics.ledger.stretches import Stretches, mark, spread
from kgce.domain.batch import UNUSABLE, BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from kgce.domain.changes import MeterChange

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
    count = np.bincount(index, minlength=n_series)
    enough = count > 1  # one reading alone says nothing about an amount
    if rules.changes:
        enough[[row for row in rules.changes if count[row]]] = True  # beside a declared level it does
    if (count[~enough] > 0).any():
        several = enough[index]
        index, time_ms, value = index[several], time_ms[several], value[several]
    measured = np.flatnonzero(enough)
    begins = np.concatenate(([0], np.cumsum(count[measured]))).astype(np.int64)
    found = [Amounts.missing(n_series, len(edges_ms) - 1) for edges_ms in grids]
    for first, last in _blocks(begins, max(map(len, grids))):
        part = slice(int(begins[first]), int(begins[last]))
        block = _Block(measured[first:last], time_ms[part], value[part], begins[first : last + 1] - begins[first])
        if rules.changes:
            block = block.joined(rules.changes)
        if not len(block.rows):
            continue
        stretches = Stretches.of(
            block.time_ms, block.value, block.begins, base=block.base,
            width=rules.width[block.rows], most_per_hour=rules.most_per_hour[block.rows],
        )  # fmt: skip
        for amounts, edges_ms in zip(found, grids, strict=True):
            amounts.put(_run(block.rows), spread(stretches, edges_ms))
            mark(amounts.flags, block.declared, edges_ms)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Counters worked on at once: rows (s,), their readings one after the other, begins (s + 1,).

    base: what declared changes added to the shown levels, None = nothing; declared: (row, time in ms, Flag) of these.
    """

    rows: npt.NDArray[np.intp]
    time_ms: Int64Array
    value: FloatArray
    begins: Int64Array
    base: FloatArray | None = None
    declared: tuple[tuple[int, int, Flag], ...] = ()

    def joined(self, changes: Mapping[int, Sequence[MeterChange]]) -> "_Block":
        """With the declared changes laid in; a counter without two readings even so is left out."""
        rows = self.rows.tolist()
        if not any(row in changes for row in rows):
            return self
        pieces = [
            join(self.time_ms[start:end], self.value[start:end], changes.get(row, ()))
            for row, (start, end) in zip(rows, itertools.pairwise(self.begins.tolist()), strict=True)
        ]
        kept = [place for place, piece in enumerate(pieces) if len(piece.time_ms) > 1]
        whole = [pieces[place] for place in kept]
        sizes = np.array([len(piece.time_ms) for piece in whole], np.int64)
        return _Block(
            self.rows[kept],
            np.concatenate([piece.time_ms for piece in whole]) if whole else self.time_ms[:0],
            np.concatenate([piece.value for piece in whole]) if whole else self.value[:0],
            np.concatenate(([0], np.cumsum(sizes))),
            np.concatenate([piece.base for piece in whole]) if whole else None,
            tuple((rows[place], moment, flag) for place in kept for moment, flag in pieces[place].marks),
        )


def _run(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp] | slice:
    """The same rows as a slice where they follow each other: numpy copies these much faster."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


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
