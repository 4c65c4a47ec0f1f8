"""Units of every group in order of their value: sorted once, read by statistics, gates and ranks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray

IndexArray = npt.NDArray[np.intp]

SHORT_CODES: Final = 1 << 16  # numpy sorts 16-bit integers by radix, in linear time


@dataclass(frozen=True, slots=True, eq=False)
class Lineup:
    """m of n units by group, then by value, then by row.

    unit: (m,) row of each; value: (m,) ascending within a group; start: (g + 1,) where each group begins.
    """

    unit: IndexArray
    value: FloatArray
    start: IndexArray

    @property
    def size(self) -> IndexArray:
        """(g,) units of each group."""
        return np.diff(self.start)

    @property
    def group(self) -> IndexArray:
        """(m,) group of each."""
        return np.repeat(np.arange(len(self.start) - 1), self.size)

    def keep(self, chosen: BoolArray) -> "Lineup":
        """The line without the units that are not chosen (n,); nothing is sorted again."""
        kept = chosen[self.unit]
        before = np.append(0, np.cumsum(kept))
        return Lineup(self.unit[kept], self.value[kept], before[self.start])


def line_up(group: IndexArray, value: FloatArray, takes_part: BoolArray, *, groups: int) -> Lineup:
    """Sort those that take part.

    Args:
        group: (n,) 0-based group of each unit.
        value: (n,) less is better; finite where it takes part.
        takes_part: (n,) who stands in the line.
        groups: how many groups there are, the empty ones with them.
    """
    chosen = np.flatnonzero(takes_part)
    chosen = chosen[np.argsort(value[chosen], kind="stable")]
    codes = group[chosen]
    short = codes.astype(np.uint16) if groups <= SHORT_CODES else codes
    chosen = chosen[np.argsort(short, kind="stable")]
    start = np.append(0, np.cumsum(np.bincount(codes, minlength=groups)))
    return Lineup(chosen, value[chosen], start)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """(g,) each; NaN where a group is empty. mean and median have the value's unit, the others are of log values.

    log_mad: median absolute deviation from log_median, not scaled; log_low_quarter, log_high_quarter: quartiles.
    """

    size: IndexArray
    mean: FloatArray
    median: FloatArray
    log_median: FloatArray
    log_mad: FloatArray
    log_low_quarter: FloatArray
    log_high_quarter: FloatArray


def spread(line: Lineup) -> Spread:
    """Statistics of every group of a line of positive values.

    Only the values a quantile rests on are looked at, so nothing is sorted and few logarithms are taken. Quantiles
    lie between two neighbours on a straight line (numpy's default).
    """
    log_median = _log_quantile(line, 0.5)
    return Spread(
        line.size, mean(line), _median(line), log_median, _log_mad(line, log_median),
        _log_quantile(line, 0.25), _log_quantile(line, 0.75),
    )  # fmt: skip


def mean(line: Lineup) -> FloatArray:
    """(g,) arithmetic mean of each group: the same-type average; NaN where it is empty."""
    total = np.bincount(line.group, weights=line.value, minlength=len(line.size))
    found: FloatArray = np.divide(total, line.size, out=np.full(len(total), np.nan), where=line.size > 0)
    return found


def _at(line: Lineup, place: IndexArray) -> FloatArray:
    """(g,) value at a place of each group; NaN where the place lies outside the group."""
    inside = (place >= 0) & (place < line.size)
    if not len(line.value):
        return np.full(len(place), np.nan)
    return np.where(inside, line.value[np.where(inside, line.start[:-1] + place, 0)], np.nan)


def _median(line: Lineup) -> FloatArray:
    return (_at(line, (line.size - 1) // 2) + _at(line, line.size // 2)) / 2


def _log_quantile(line: Lineup, share: float) -> FloatArray:
    wanted = (line.size - 1) * share
    below = np.floor(wanted).astype(np.intp)
    low, high = np.log(_at(line, below)), np.log(_at(line, np.ceil(wanted).astype(np.intp)))
    between: FloatArray = low + (high - low) * (wanted - below)
    return between


def _log_mad(line: Lineup, centre: FloatArray) -> FloatArray:
    half, more = (line.size + 1) // 2, line.size // 2 + 1
    return (_kth_deviation(line, centre, half) + _kth_deviation(line, centre, more)) / 2


def _kth_deviation(line: Lineup, centre: FloatArray, nearest: IndexArray) -> FloatArray:
    """(g,) the k-th smallest distance of log values from the centre.

    In a sorted line the k nearest stand side by side; a bisection over where they begin finds them in all groups at
    once.
    """
    first, last = np.zeros_like(nearest), np.maximum(line.size - nearest, 0)
    while (first < last).any():
        middle = (first + last) // 2
        left, right = np.log(_at(line, middle)), np.log(_at(line, middle + nearest))
        is_right = (first < last) & (centre - left > right - centre)
        last = np.where(first < last, np.where(is_right, last, middle), last)
        first = np.where(is_right, middle + 1, first)
    begin, end = np.log(_at(line, first)), np.log(_at(line, first + nearest - 1))
    return np.maximum(centre - begin, end - centre)
