"""Amounts per interval with what is known about them: the columns every ledger kernel returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import FloatArray, Int64Array, UInt8Array

Rows = npt.NDArray[np.integer] | list[int] | slice
Cells = Rows | tuple[Rows, slice]
FULL: Final = 1 - 1e-9  # coverage from here on is whole


class Provenance(IntEnum):
    """Where an interval's amount comes from."""

    MISSING = 0
    MEASURED = 1
    INTERPOLATED = 2  # inside a gap, bounded by two good readings
    ESTIMATED = 3
    MANUAL = 4  # a bill


class Flag(IntFlag):
    """What happened in an interval."""

    NONE = 0
    ROLLOVER = 1
    RESET = 2
    REPLACED = 4
    SPIKE_REJECTED = 8
    PARTIAL = 16  # only part of the interval is known
    OVERLAP = 32  # two amounts claimed the same time


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """(m,) or (n, m) columns: amount (NaN = nothing known, unit of the point), coverage 0..1, Provenance and Flag.

    estimated: the part of the amount that is not known to belong to this interval (spread over a gap, an estimate).
    """

    amount: FloatArray
    coverage: FloatArray
    provenance: UInt8Array
    flags: UInt8Array
    estimated: FloatArray

    @classmethod
    def missing(cls, *shape: int) -> "Amounts":
        """Nothing known about any of them."""
        codes = np.zeros(shape, np.uint8)
        return cls(np.full(shape, np.nan), np.zeros(shape), codes, codes.copy(), np.zeros(shape))

    @classmethod
    def concat(cls, parts: "Sequence[Amounts]", axis: int = 0) -> "Amounts":
        """Several (n, m) below (axis 0) or beside (axis 1) each other."""
        return cls(*(np.concatenate(columns, axis) for columns in zip(*(part.columns for part in parts), strict=True)))

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, UInt8Array, UInt8Array, FloatArray]:
        """All of them, in the order of the fields."""
        return (self.amount, self.coverage, self.provenance, self.flags, self.estimated)

    def copy(self) -> "Amounts":
        """The same numbers in arrays of their own."""
        return Amounts(
            self.amount.copy(), self.coverage.copy(), self.provenance.copy(), self.flags.copy(), self.estimated.copy()
        )

    def row(self, place: int | npt.NDArray[np.integer]) -> "Amounts":
        """(m,) one series of (n, m), or (k, m) several."""
        return Amounts(*(column[place] for column in self.columns))

    def put(self, rows: Cells, part: "Amounts") -> None:
        """Lay other columns into these rows, or rows and intervals, of (n, m)."""
        self.amount[rows], self.coverage[rows], self.estimated[rows] = part.amount, part.coverage, part.estimated
        self.provenance[rows], self.flags[rows] = part.provenance, part.flags


def flag_names(flags: int) -> tuple[str, ...]:
    """Lower-case names of the set flags."""
    return tuple(flag.name.lower() for flag in Flag if flag.name and flag.value and flag & flags)


def check_columns(edges_ms: Int64Array, *columns: np.ndarray) -> None:
    """Refuse what no kernel can work on.

    Raises:
        ValueError: columns of different length, or edges that are fewer than two or not ascending.
    """
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns differ in length: {', '.join(map(str, lengths))}")
    if len(edges_ms) < 2 or bool((np.diff(edges_ms) <= 0).any()):  # noqa: PLR2004 - one interval has two edges
        raise ValueError("edges must be at least two and ascending")
