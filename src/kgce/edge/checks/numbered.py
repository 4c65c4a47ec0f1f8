"""Numbered: a small number for every series ever seen, so that what is known of them lies in arrays."""

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable

FIRST_CAPACITY = 256


class Numbered:
    """Numbers from 0, in the order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[SeriesKey, int] = {}
        self._tables = ByTable(self._numbers_of)

    def of(self, batch: Batch) -> npt.NDArray[np.intp]:
        """(m,) the number of each row's series."""
        return self._tables.of(batch.series)[batch.index]

    def number(self, key: SeriesKey) -> int:
        """The number of one series."""
        return self._numbers.setdefault(key, len(self._numbers))

    def keys(self) -> list[SeriesKey]:
        """Every series, by its number."""
        return list(self._numbers)

    def capacity(self) -> int:
        """A power of two times the first capacity that holds all numbers."""
        capacity = FIRST_CAPACITY
        while capacity < len(self._numbers):
            capacity *= 2
        return capacity

    def _numbers_of(self, table: tuple[Series, ...]) -> npt.NDArray[np.intp]:
        return np.array([self.number(series.key) for series in table], np.intp)


def is_single(number: npt.NDArray[np.intp]) -> BoolArray:
    """(m,) rows whose series has no other row among these."""
    counts = np.bincount(number)
    single: BoolArray = counts[number] == 1
    return single
