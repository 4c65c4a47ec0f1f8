"""Amounts per interval with what is known about them: the columns every ledger kernel returns."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

from kgce.domain.batch import FloatArray, UInt8Array


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
    """(m,) columns: amount (NaN = nothing known) in the point's unit, coverage 0..1, Provenance and Flag codes."""

    amount: FloatArray
    coverage: FloatArray
    provenance: UInt8Array
    flags: UInt8Array

    @classmethod
    def missing(cls, intervals: int) -> "Amounts":
        """Nothing known about any of them."""
        codes = np.zeros(intervals, np.uint8)
        return cls(np.full(intervals, np.nan), np.zeros(intervals), codes, codes.copy())


def flag_names(flags: int) -> tuple[str, ...]:
    """Lower-case names of the set flags."""
    return tuple(flag.name.lower() for flag in Flag if flag.name and flag.value and flag & flags)
