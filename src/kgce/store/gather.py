"""Gathering: the rows of some batches that can be kept, as columns under the numbers of a store's series table.

A gateway sends the same series again and again: what is known about a table of series is remembered with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray, FloatArray, Int32Array, Int64Array, Quality, UInt8Array
from kgce.domain.tree import Series
from kgce.store.intake import Intake
from kgce.store.series_table import Numbering

# A device whose clock was never set says 1970; bills of the oldest buildings on record are far inside these bounds.
EARLIEST_MS: Final = 315_532_800_000  # 1980-01-01T00:00:00Z
END_MS: Final = 7_258_118_400_000  # 2200-01-01T00:00:00Z


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows that can be kept, of several batches, and how many of each batch cannot."""

    number: Int32Array  # (m,) series number in the store's table
    time_ms: Int64Array
    value: FloatArray
    quality: UInt8Array
    part: Int32Array  # (m,) which batch
    refused: list[int]  # of each batch
    expired: list[int]  # of each batch, part of refused: older than `floor_ms`

    def intake(self) -> Intake:
        """Sorted and grouped."""
        return Intake(self.number, self.time_ms, self.value, self.quality, self.part)


def gather(
    batches: Sequence[Batch], numbering: Numbering, *, floor_ms: int = EARLIEST_MS, end_ms: int = END_MS
) -> Gathered:
    """Number the rows that can be kept; a store that forgets says from when it keeps, and until when."""
    numbers, times, values, qualities, refused, expired = [], [], [], [], [], []
    for batch in batches:
        kept = acceptable(batch, end_ms=end_ms)
        if floor_ms > EARLIEST_MS:
            in_time = batch.time_ms >= floor_ms
            expired.append(int(np.count_nonzero(kept & ~in_time)))
            kept &= in_time
        else:
            expired.append(0)
        refused.append(int(len(batch) - np.count_nonzero(kept)))
        rows = batch if not refused[-1] else batch.select(kept)
        numbers.append(numbering.of_rows(rows))
        times.append(rows.time_ms)
        values.append(rows.value)
        qualities.append(rows.quality)
    part = np.repeat(np.arange(len(batches), dtype=np.int32), [len(one) for one in times])
    if len(batches) == 1:
        return Gathered(numbers[0], times[0], values[0], qualities[0], part, refused, expired)
    return Gathered(
        np.concatenate([np.empty(0, np.int32), *numbers]),
        np.concatenate([np.empty(0, np.int64), *times]),
        np.concatenate([np.empty(0, np.float64), *values]),
        np.concatenate([np.empty(0, np.uint8), *qualities]),
        part,
        refused,
        expired,
    )


def acceptable(batch: Batch, *, end_ms: int = END_MS) -> BoolArray:
    """(m,) True for the rows that can be kept: finite, or NaN marked BAD; a sane time; a series that can be named."""
    kept: BoolArray = np.isfinite(batch.value)
    if not kept.all():
        kept |= np.isnan(batch.value) & ((batch.quality & Quality.BAD) != 0)
    kept &= (batch.time_ms >= EARLIEST_MS) & (batch.time_ms < end_ms)
    nameable = _nameable.of(batch.series)
    if nameable is not None:
        kept &= nameable[batch.index]
    return kept


def is_text(text: str) -> bool:
    """False for lone surrogates: no file and no wire holds them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_nameable(series: Series) -> bool:
    """A field needs a name, and names must be text."""
    return bool(series.quantity) and is_text("".join((*series.key, series.measurement, series.building, series.region)))


class _Nameable:
    """Remembers, for the tables of series that came last, which of their series can be named."""

    _MOST: Final = 4096

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[Series, ...], BoolArray | None]] = {}

    def of(self, table: tuple[Series, ...]) -> BoolArray | None:
        """(n,) which series can be named; None = all of them."""
        found = self._known.get(id(table))
        if found is not None and found[0] is table:
            return found[1]
        mask = np.array([_is_nameable(series) for series in table], np.bool_)
        answer = None if mask.all() else mask
        if len(self._known) >= self._MOST:
            self._known.clear()
        self._known[id(table)] = (table, answer)  # holding the table keeps its id its own
        return answer


_nameable: Final = _Nameable()
