"""Intake: what becomes of each row of a batch, counted alike for every store.

    Batch --accept--> rows that can be kept --Intake--> one group per (series, time) --settle--> counts, rows to write

The counts are those of keeping the rows one by one, so cutting the same rows into other batches never changes a sum.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray, FloatArray, Int32Array, Int64Array, Quality, UInt8Array
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series

# A device whose clock was never set says 1970; bills of the oldest buildings on record are far inside these bounds.
EARLIEST_MS = 315_532_800_000  # 1980-01-01T00:00:00Z
END_MS = 7_258_118_400_000  # 2200-01-01T00:00:00Z

Positions = npt.NDArray[np.intp]


def accept(batch: Batch) -> BoolArray:
    """(m,) True for the rows that can be kept: finite, or NaN marked BAD; a sane time; a series that can be named."""
    missing = np.isnan(batch.value) & ((batch.quality & Quality.BAD) != 0)
    in_time = (batch.time_ms >= EARLIEST_MS) & (batch.time_ms < END_MS)
    kept: BoolArray = (np.isfinite(batch.value) | missing) & in_time
    nameable = np.array([_is_nameable(series) for series in batch.series], np.bool_)
    if not nameable.all():
        kept &= nameable[batch.index]
    return kept


def _is_nameable(series: Series) -> bool:
    """A field needs a name, and names must be text."""
    return bool(series.quantity) and is_text("".join((*series.key, series.measurement, series.building, series.region)))


def is_text(text: str) -> bool:
    """False for lone surrogates: no file and no wire holds them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def used_series(batch: Batch) -> tuple[list[Series], Int32Array]:
    """The series that have rows, and (m,) which of them each row belongs to."""
    has_rows = np.zeros(len(batch.series), np.bool_)
    has_rows[batch.index] = True
    index = (np.cumsum(has_rows, dtype=np.int32) - 1)[batch.index]
    return [batch.series[position] for position in np.flatnonzero(has_rows)], index


@dataclass(frozen=True, slots=True)
class Settlement:
    """What each group came to: positions of groups to insert or to update, and the counts per group."""

    insert: BoolArray  # (g,) nothing was stored under this series and time
    update: BoolArray  # (g,) another value was stored, the last row of the group replaces it
    stored: Int64Array  # (g,) rows
    duplicate: Int64Array
    replaced: Int64Array

    def result(self, *, refused: int, failed: Positions | None = None) -> AppendResult:
        """The counts; every row of the `failed` groups turns out refused."""
        kept = np.ones(len(self.stored), np.bool_)
        if failed is not None:
            kept[failed] = False
            refused += int((self.stored[failed] + self.duplicate[failed]).sum())
        return AppendResult(
            stored=int(self.stored[kept].sum()),
            duplicate=int(self.duplicate[kept].sum()),
            refused=refused,
            replaced=int(self.replaced[kept].sum()),
        )


class Intake:
    """Rows sorted by series number then time, in their given order within one series and time.

    A group is the rows of one series and time; its last row is what shall stand.
    """

    def __init__(self, number: Int32Array, time_ms: Int64Array, value: FloatArray, quality: UInt8Array) -> None:
        """Sort the rows; `number` says which series of the store each belongs to."""
        order = np.lexsort((time_ms, number))
        number, time_ms = number[order], time_ms[order]
        self._value, self._quality = value[order], quality[order]
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
            insert=~had,
            update=had & ~is_last_same,
            stored=self._per_group(~is_same),
            duplicate=self._per_group(is_same),
            replaced=self._per_group(has_before & ~is_same),
        )

    def _per_group(self, rows: BoolArray) -> Int64Array:
        if len(self) == len(rows):
            return rows.astype(np.int64)  # one row each, as nearly always
        return np.add.reduceat(rows, self._starts, dtype=np.int64) if len(self) else np.empty(0, np.int64)


def _equal(left: FloatArray, right: FloatArray) -> BoolArray:
    same: BoolArray = (left == right) | (np.isnan(left) & np.isnan(right))
    return same
