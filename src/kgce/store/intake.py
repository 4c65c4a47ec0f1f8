"""Intake: what becomes of each row of some batches, counted alike for every store.

    Batches --gather--> Gathered (rows that can be kept, numbered) --Intake--> one group per (series, time)
            --settle--> counts of each batch, groups to write

The counts are those of keeping the rows one by one, so cutting the same rows into other batches never changes a sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from kgce.domain.ports import AppendResult

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What each group came to, and the counts of each batch."""

    insert: BoolArray  # (g,) nothing was stored under this series and time
    update: BoolArray  # (g,) another value was stored, the last row of the group replaces it
    _group: Positions  # (m,) group of each row, in sorted order
    _part: Int32Array  # (m,) batch of each row
    _is_same: BoolArray  # (m,) the row repeats what stood before it
    _is_replacing: BoolArray  # (m,)

    def results(
        self, refused: Sequence[int], expired: Sequence[int], *, failed: Positions | None = None
    ) -> list[AppendResult]:
        """The counts of each batch; every row of the `failed` groups turns out refused."""
        is_kept = np.ones(len(self._group), np.bool_)
        if failed is not None and len(failed):
            has_failed = np.zeros(len(self.insert), np.bool_)
            has_failed[failed] = True
            is_kept = ~has_failed[self._group]
        stored, duplicate, replaced, lost = (
            self._per_part(rows, len(refused))
            for rows in (
                is_kept & ~self._is_same,
                is_kept & self._is_same,
                is_kept & self._is_replacing,
                ~is_kept,
            )
        )
        return [
            AppendResult(*counts)
            for counts in zip(
                stored, duplicate, (a + b for a, b in zip(lost, refused, strict=True)), replaced, expired, strict=True
            )
        ]

    def _per_part(self, rows: BoolArray, parts: int) -> list[int]:
        if parts == 1:
            return [int(np.count_nonzero(rows))]
        found: list[int] = np.bincount(self._part[rows], minlength=parts).tolist()
        return found


class Intake:
    """Rows sorted by series number then time, in their given order within one series and time.

    A group is the rows of one series and time; its last row is what shall stand.
    """

    def __init__(
        self,
        number: Int32Array,
        time_ms: Int64Array,
        value: FloatArray,
        quality: UInt8Array,
        part: Int32Array | None = None,
    ) -> None:
        """Sort the rows; `number` says which series of the store each belongs to, `part` which batch it came in."""
        order = np.lexsort((time_ms, number))
        number, time_ms = number[order], time_ms[order]
        self._value, self._quality = value[order], quality[order]
        self._part = np.zeros(len(order), np.int32) if part is None else part[order]
        self._is_first = np.ones(len(order), np.bool_)
        self._is_first[1:] = (number[1:] != number[:-1]) | (time_ms[1:] != time_ms[:-1])
        self._starts = np.flatnonzero(self._is_first)
        ends = np.append(self._starts[1:], len(order)) - 1 if len(order) else self._starts
        self.number, self.time_ms = number[self._starts], time_ms[self._starts]
        self.value, self.quality = self._value[ends], self._quality[ends]

    def __len__(self) -> int:
        return len(self.number)

    def settle(self, groups: Positions, stored_value: FloatArray, stored_quality: UInt8Array) -> Settlement:
        """Compare with what the store holds: a value and quality for each of these groups, nothing for the others."""
        had = np.zeros(len(self), np.bool_)
        had[groups] = True
        old_value = np.full(len(self), np.nan)
        old_value[groups] = stored_value
        old_quality = np.zeros(len(self), np.uint8)
        old_quality[groups] = stored_quality

        value_before, quality_before = np.roll(self._value, 1), np.roll(self._quality, 1)
        value_before[self._starts], quality_before[self._starts] = old_value, old_quality
        has_before = ~self._is_first
        has_before[self._starts] = had
        is_same = has_before & _equal(self._value, value_before) & (self._quality == quality_before)
        is_last_same = _equal(self.value, old_value) & (self.quality == old_quality)
        return Settlement(
            ~had,
            had & ~is_last_same,
            np.cumsum(self._is_first) - 1,
            self._part,
            is_same,
            has_before & ~is_same,
        )


def _equal(left: FloatArray, right: FloatArray) -> BoolArray:
    same: BoolArray = (left == right) | (np.isnan(left) & np.isnan(right))
    return same


def matching(
    number: npt.NDArray[np.integer],
    time_ms: Int64Array,
    held_number: npt.NDArray[np.integer],
    held_ms: Int64Array,
) -> tuple[Positions, Positions]:
    """Positions of the rows whose (series number, time) is among the held ones, and of those held ones.

    Each held pair must be there once.
    """
    if not len(number) or not len(held_number):
        none = np.empty(0, np.intp)
        return none, none
    first_ms = min(int(time_ms.min()), int(held_ms.min()))
    span = max(int(time_ms.max()), int(held_ms.max())) - first_ms + 1  # 220 years are 7e12 ms: 1.3 million series fit
    held = held_number.astype(np.int64) * span + (held_ms - first_ms)
    wanted = number.astype(np.int64) * span + (time_ms - first_ms)
    order = np.argsort(held)
    at = np.searchsorted(held, wanted, sorter=order)
    found = at < len(order)
    found[found] = held[order[at[found]]] == wanted[found]
    return np.flatnonzero(found), order[at[found]]
