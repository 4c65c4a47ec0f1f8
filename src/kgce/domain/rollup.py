"""Rollup: readings of a series summed up per interval, for curves over months and years."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from kgce.domain.batch import UNUSABLE, Batch, FloatArray, Int32Array, Int64Array
from kgce.domain.tree import Series


@dataclass(frozen=True, slots=True, eq=False)
class Rollup:
    """Columns by series, then start; one row per interval that holds a reading.

    series: table of n series; index: (m,) whose interval it is; start_ms: (m,) UTC milliseconds, its start, a whole
    multiple of the interval's length since 1970; rows: (m,) readings in it; count: (m,) those of them that are usable
    (a value, and no bit of UNUSABLE). minimum, maximum, mean, first, last: (m,) of the usable ones, in the canonical
    unit of the quantity; NaN where count is 0.
    """

    series: tuple[Series, ...]
    index: Int32Array
    start_ms: Int64Array
    rows: Int64Array
    count: Int64Array
    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    first: FloatArray
    last: FloatArray

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def empty(cls) -> Self:
        """No interval at all."""
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return cls((), np.empty(0, np.int32), none, none, none, nothing, nothing, nothing, nothing, nothing)

    @classmethod
    def of(cls, batch: Batch, *, every_ms: int) -> Self:
        """Sum up rows that stand by series, then time."""
        if not len(batch):
            return cls.empty()
        start_ms = batch.time_ms // every_ms * every_ms
        is_first = np.ones(len(batch), np.bool_)
        is_first[1:] = (batch.index[1:] != batch.index[:-1]) | (start_ms[1:] != start_ms[:-1])
        starts = np.flatnonzero(is_first)
        group = np.cumsum(is_first) - 1
        usable = ~np.isnan(batch.value) & ((batch.quality & int(UNUSABLE)) == 0)
        count = np.bincount(group[usable], minlength=len(starts)).astype(np.int64)
        some, value = count > 0, batch.value[usable]
        bounds = (np.cumsum(count) - count)[some]  # where each group with usable rows begins among these

        def filled(found: FloatArray) -> FloatArray:
            column = np.full(len(starts), np.nan)
            column[some] = found
            return column

        sums = np.add.reduceat(value, bounds) if len(bounds) else value
        return cls(
            batch.series,
            batch.index[starts],
            start_ms[starts],
            np.diff(starts, append=len(batch)).astype(np.int64),
            count,
            filled(np.minimum.reduceat(value, bounds) if len(bounds) else value),
            filled(np.maximum.reduceat(value, bounds) if len(bounds) else value),
            filled(sums / count[some]),
            filled(value[bounds]),
            filled(value[bounds + count[some] - 1]),
        )

    @classmethod
    def concat(cls, parts: Sequence["Rollup"]) -> Self:
        """One rollup of several that share no interval, over one table of series by key."""
        filled = [part for part in parts if len(part)]
        if not filled:
            return cls.empty()
        series = sorted({one for part in filled for one in part.series}, key=lambda one: one.key)
        place = {one: at for at, one in enumerate(series)}
        index = np.concatenate([np.array([place[one] for one in part.series], np.int32)[part.index] for part in filled])
        names = ("start_ms", "rows", "count", "minimum", "maximum", "mean", "first", "last")
        columns = [np.concatenate([getattr(part, name) for part in filled]) for name in names]
        order = np.lexsort((columns[0], index))
        return cls(tuple(series), index[order], *(column[order] for column in columns))
