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
    time_ms = np.concatenate([np.empty(0, np.int64), *(batch.time_ms for batch in batches)])
    value = np.concatenate([np.empty(0, np.float64), *(batch.value for batch in batches)])
    quality = np.concatenate([np.empty(0, np.uint8), *(batch.quality for batch in batches)])
    lengths = [len(batch) for batch in batches]
    part = np.repeat(np.arange(len(batches), dtype=np.int32), lengths)

    kept = _acceptable(time_ms, value, quality, end_ms)
    for at, batch in enumerate(batches):
        nameable = _nameable.of(batch.series)
        if nameable is not None:
            start = sum(lengths[:at])
            kept[start : start + lengths[at]] &= nameable[batch.index]
    expired = [0] * len(batches)
    if floor_ms > EARLIEST_MS:
        too_old = kept & (time_ms < floor_ms)
        expired = np.bincount(part[too_old], minlength=len(batches)).tolist()
        kept &= ~too_old
    if kept.all():
        number = np.concatenate([np.empty(0, np.int32), *(numbering.of_rows(batch) for batch in batches)])
        return Gathered(number, time_ms, value, quality, part, [0] * len(batches), expired)

    ends = np.cumsum([0, *lengths]).tolist()
    spans = zip(batches, ends[:-1], ends[1:], strict=True)
    chosen = [batch.select(kept[start:end]) for batch, start, end in spans]
    number = np.concatenate([np.empty(0, np.int32), *(numbering.of_rows(batch) for batch in chosen)])
    refused: list[int] = np.bincount(part[~kept], minlength=len(batches)).tolist()
    return Gathered(number, time_ms[kept], value[kept], quality[kept], part[kept], refused, expired)


def _acceptable(time_ms: Int64Array, value: FloatArray, quality: UInt8Array, end_ms: int) -> BoolArray:
    """(m,) True for the rows that can be kept: finite, or NaN marked BAD; a sane time."""
    kept: BoolArray = np.isfinite(value)
    if not kept.all():
        kept |= np.isnan(value) & ((quality & Quality.BAD) != 0)
    kept &= (time_ms >= EARLIEST_MS) & (time_ms < end_ms)
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
