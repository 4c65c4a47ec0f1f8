"""LastSeen: the last reading of every series, to recognise one that a source hands over twice."""

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray, FloatArray
from kgce.edge.checks.numbered import FIRST_CAPACITY, Numbered


class LastSeen:
    """Knows one reading per series; older repetitions are for the sink to find."""

    def __init__(self) -> None:
        self._numbered = Numbered()
        self._time_ms = np.full(FIRST_CAPACITY, np.iinfo(np.int64).min, np.int64)
        self._value = np.full(FIRST_CAPACITY, np.nan)
        self._quality = np.zeros(FIRST_CAPACITY, np.uint8)

    def repeats(self, batch: Batch) -> BoolArray:
        """(m,) True for a row equal in series, time, value and quality to the one seen before it."""
        number = self._number(batch)
        order = np.lexsort((batch.time_ms, number))  # stable: the given order within one series and time
        same = np.zeros(len(batch), np.bool_)
        is_first = np.ones(len(batch), np.bool_)  # of its series and time in this batch
        if len(batch) > 1:
            left, right = order[:-1], order[1:]
            follows = (number[left] == number[right]) & (batch.time_ms[left] == batch.time_ms[right])
            same[right] = (
                follows & _equal(batch.value[left], batch.value[right]) & (batch.quality[left] == batch.quality[right])
            )
            is_first[right] = ~follows
        known = (
            is_first  # a later one follows a change made in this batch: back to the old value is news
            & (self._time_ms[number] == batch.time_ms)
            & _equal(self._value[number], batch.value)
            & (self._quality[number] == batch.quality)
        )
        repeated: BoolArray = same | known
        return repeated

    def remember(self, batch: Batch) -> None:
        """These rows are safe now; of several rows of a series the last one counts."""
        number = self._number(batch)
        self._time_ms[number] = batch.time_ms
        self._value[number] = batch.value
        self._quality[number] = batch.quality

    def _number(self, batch: Batch) -> npt.NDArray[np.intp]:
        number = self._numbered.of(batch)
        while self._numbered.capacity() > len(self._value):
            self._double()
        return number

    def _double(self) -> None:
        size = len(self._value)
        self._time_ms = np.concatenate([self._time_ms, np.full(size, np.iinfo(np.int64).min, np.int64)])
        self._value = np.concatenate([self._value, np.full(size, np.nan)])
        self._quality = np.concatenate([self._quality, np.zeros(size, np.uint8)])


def _equal(left: FloatArray, right: FloatArray) -> BoolArray:
    same: BoolArray = (left == right) | (np.isnan(left) & np.isnan(right))
    return same
