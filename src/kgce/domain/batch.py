"""Batch: the one type that travels from device to store, as columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Self

import numpy as np
import numpy.typing as npt

from kgce.domain.tree import Series

Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Quality(IntFlag):
    """Quality bits of one reading; 0 is good. BAD and SUSPECT readings never become amounts."""

    GOOD = 0
    BAD = 1  # the device said "not available", or the value cannot be
    SUSPECT = 2  # plausible but unconfirmed
    OUT_OF_RANGE = 4  # outside the point's physical bounds
    TIME_UNSURE = 8  # stamped while the clock was not trusted
    MANUAL = 16  # entered by a person (a bill)
    ESTIMATED = 32  # somebody's estimate, not a measurement


UNUSABLE = Quality.BAD | Quality.SUSPECT | Quality.OUT_OF_RANGE


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings as columns.

    series: table of n series; index: (m,) which row belongs to which series; time_ms: (m,) UTC milliseconds;
    value: (m,) canonical unit of the series' quantity, NaN only with Quality.BAD; quality: (m,) Quality bits.

    Raises:
        ValueError: the columns differ in length, or an index points outside the table.
    """

    series: tuple[Series, ...]
    index: Int32Array
    time_ms: Int64Array
    value: FloatArray
    quality: UInt8Array

    def __post_init__(self) -> None:
        lengths = {len(self.index), len(self.time_ms), len(self.value), len(self.quality)}
        if len(lengths) != 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")
        if len(self.index) and not 0 <= int(self.index.min()) <= int(self.index.max()) < len(self.series):
            raise ValueError("a row points to a series outside the table")

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def empty(cls) -> Self:
        """A batch without rows."""
        return cls.from_rows(())

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[Series, int, float, int]]) -> Self:
        """Build from (series, time_ms, value, quality) rows, in the given order."""
        table: dict[Series, int] = {}
        columns = [
            (table.setdefault(series, len(table)), time_ms, value, quality) for series, time_ms, value, quality in rows
        ]
        index, time_ms, value, quality = zip(*columns, strict=True) if columns else ((), (), (), ())
        return cls.of(tuple(table), index, time_ms, value, quality)

    @classmethod
    def of(
        cls,
        series: Sequence[Series],
        index: npt.ArrayLike,
        time_ms: npt.ArrayLike,
        value: npt.ArrayLike,
        quality: npt.ArrayLike | None = None,
    ) -> Self:
        """Build from anything array-like; quality defaults to good."""
        values = np.asarray(value, np.float64)
        bits = np.zeros(len(values), np.uint8) if quality is None else np.asarray(quality, np.uint8)
        return cls(tuple(series), np.asarray(index, np.int32), np.asarray(time_ms, np.int64), values, bits)

    @classmethod
    def concat(cls, batches: Iterable["Batch"]) -> Self:
        """All rows of several batches, in order, over one series table."""
        table: dict[Series, int] = {}
        parts = list(batches)
        indices = [
            np.array([table.setdefault(series, len(table)) for series in part.series], np.int32)[part.index]
            if len(part)
            else part.index
            for part in parts
        ]
        if not parts:
            return cls.of((), [], [], [])
        return cls(
            tuple(table),
            np.concatenate(indices),
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
        )

    def select(self, rows: BoolArray | npt.NDArray[np.intp]) -> "Batch":
        """The chosen rows (mask or positions) over the same series table."""
        return Batch(self.series, self.index[rows], self.time_ms[rows], self.value[rows], self.quality[rows])

    def of_series(self, position: int) -> "Batch":
        """Rows of the series at this position of the table."""
        return self.select(self.index == position)
