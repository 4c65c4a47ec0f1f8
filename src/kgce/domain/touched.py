"""Touched: which intervals late, corrected or deleted readings have touched; the ledger works them out anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from kgce.domain.batch import Int32Array, Int64Array
from kgce.domain.tree import Series

GRID_MS: Final = 900_000  # marks are whole quarters of an hour, the ledger's grid


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """Columns of marks: series table, index: (m,) whose mark, start_ms and end_ms: (m,) [start, end) on the grid.

    A mark may come twice, and may cover a slot nothing changed in; it is never missing. `cursor` is what to ask with
    the next time. A reading also bears on the intervals around it, up to its neighbours: that is the ledger's to know.
    """

    series: tuple[Series, ...]
    index: Int32Array
    start_ms: Int64Array
    end_ms: Int64Array
    cursor: int

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def of(cls, series: Sequence[Series], index: Int32Array, time_ms: Int64Array, *, cursor: int = 0) -> Self:
        """The marks of readings at these times: neighbouring slots of one series become one mark."""
        slot = np.unique(np.stack([index.astype(np.int64), time_ms // GRID_MS]), axis=1)
        if not slot.shape[1]:
            return cls(tuple(series), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64), cursor)
        is_first = np.ones(slot.shape[1], np.bool_)
        is_first[1:] = (slot[0, 1:] != slot[0, :-1]) | (slot[1, 1:] != slot[1, :-1] + 1)
        starts = np.flatnonzero(is_first)
        ends = np.append(starts[1:], slot.shape[1]) - 1
        return cls(
            tuple(series),
            slot[0, starts].astype(np.int32),
            slot[1, starts] * GRID_MS,
            (slot[1, ends] + 1) * GRID_MS,
            cursor,
        )
