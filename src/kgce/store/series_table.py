"""SeriesTable: the series a store knows, by dense number, each with its newest reading."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, Int32Array, Int64Array, UInt8Array
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Series

_TABLES: Final = 4096  # remembered tables of series; a gateway sends the same ones again and again
NEVER_MS: Final = np.iinfo(np.int64).min  # newest time of a series nothing was read from yet


class SeriesTable:
    """Numbers series and remembers the newest reading of each; not thread-safe, its store holds the lock."""

    def __init__(self) -> None:
        self.entries: list[Series] = []
        self._number_of: dict[SeriesKey, int] = {}
        self._sorted: npt.NDArray[np.intp] | None = None  # numbers by key; an institution's stand together
        self._places: dict[str, tuple[int, int]] = {}  # where each institution's stand
        self._tables: dict[int, tuple[tuple[Series, ...], Int32Array, bool]] = {}
        self._time_ms: Int64Array = np.empty(0, np.int64)
        self._highest_ms: Int64Array = np.empty(0, np.int64)  # of every reading there ever was, deleted ones too
        self._value: FloatArray = np.empty(0, np.float64)
        self._quality: UInt8Array = np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self.entries)

    def number(self, key: SeriesKey) -> int | None:
        """The number of a known key."""
        return self._number_of.get(key)

    def add(self, series: Iterable[Series]) -> None:
        """Number further series after the last one; their keys must be unknown so far."""
        had = len(self.entries)
        for entry in series:
            self._number_of[entry.key] = len(self.entries)
            self.entries.append(entry)
        added = len(self.entries) - had
        if not added:
            return
        self._sorted = None
        self._time_ms = np.concatenate([self._time_ms, np.full(added, NEVER_MS, np.int64)])
        self._highest_ms = np.concatenate([self._highest_ms, np.full(added, NEVER_MS, np.int64)])
        self._value = np.concatenate([self._value, np.full(added, np.nan)])
        self._quality = np.concatenate([self._quality, np.zeros(added, np.uint8)])

    def known_numbers(self, table: tuple[Series, ...]) -> tuple[Int32Array, bool]:
        """(n,) the number of each series, -1 for unknown ones, and whether all are known; remembered by table."""
        remembered = self._tables.get(id(table))
        if remembered is not None and remembered[0] is table and remembered[2]:
            return remembered[1], True
        numbers = np.fromiter((self._number_of.get(one.key, -1) for one in table), np.int32, len(table))
        is_whole = not len(numbers) or int(numbers.min()) >= 0
        if len(self._tables) >= _TABLES:
            self._tables.clear()
        self._tables[id(table)] = (table, numbers, is_whole)  # holding the table keeps its id its own
        return numbers, is_whole

    def highest_ms(self, numbers: npt.NDArray[np.integer]) -> Int64Array:
        """Time of the newest reading there ever was of each numbered series; NEVER_MS for numbers not added yet."""
        times = np.full(len(numbers), NEVER_MS, np.int64)
        known = numbers < len(self._highest_ms)
        times[known] = self._highest_ms[numbers[known]]
        return times

    def raise_highest(self, numbers: npt.NDArray[np.integer], time_ms: Int64Array) -> None:
        """There were readings up to these times, each series named once."""
        self._highest_ms[numbers] = np.maximum(self._highest_ms[numbers], time_ms)

    def advance(
        self, numbers: npt.NDArray[np.integer], time_ms: Int64Array, value: FloatArray, quality: UInt8Array
    ) -> None:
        """Take over readings, sorted by number then time, where they are not older than the newest known."""
        if not len(numbers):
            return
        is_last = np.append(numbers[1:] != numbers[:-1], True)
        rows = np.flatnonzero(is_last)
        rows = rows[time_ms[rows] >= self._time_ms[numbers[rows]]]
        self._time_ms[numbers[rows]] = time_ms[rows]
        self._value[numbers[rows]] = value[rows]
        self._quality[numbers[rows]] = quality[rows]
        self.raise_highest(numbers[rows], time_ms[rows])

    def replace_newest(
        self, numbers: npt.NDArray[np.integer], time_ms: Int64Array, value: FloatArray, quality: UInt8Array
    ) -> None:
        """State the newest readings anew, also when they are older than what was known; NEVER_MS = none is left."""
        self._time_ms[numbers], self._value[numbers], self._quality[numbers] = time_ms, value, quality

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series that has one, by key."""
        numbers = self._by_key(institution)
        numbers = numbers[self._time_ms[numbers] != NEVER_MS]
        return Batch.of(
            [self.entries[number] for number in numbers.tolist()],
            np.arange(len(numbers)),
            self._time_ms[numbers],
            self._value[numbers],
            self._quality[numbers],
        )

    def _by_key(self, institution: str | None) -> npt.NDArray[np.intp]:
        """Numbers of the series (of one institution), by key; sorted once, until there are further ones."""
        if self._sorted is None:
            self._sorted = np.array(sorted(range(len(self.entries)), key=lambda at: self.entries[at].key), np.intp)
            self._places = {}
            for place, number in enumerate(self._sorted.tolist()):
                first, _ = self._places.get(self.entries[number].institution, (place, 0))
                self._places[self.entries[number].institution] = (first, place + 1)
        if institution is None:
            return self._sorted
        first, end = self._places.get(institution, (0, 0))
        return self._sorted[first:end]


class Numbering:
    """Numbers series for one append: those of the table, and after them those it does not know yet."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._unknown: dict[SeriesKey, int] = {}
        self.new: list[Series] = []  # to `SeriesTable.add` once they are kept

    def of_rows(self, batch: Batch) -> Int32Array:
        """(m,) the number of each row's series; only series with rows are numbered."""
        numbers, is_whole = self._table.known_numbers(batch.series)
        if not is_whole:
            numbers = numbers.copy()
            has_rows = np.zeros(len(numbers), np.bool_)
            has_rows[batch.index] = True
            for position in np.flatnonzero((numbers < 0) & has_rows).tolist():
                numbers[position] = self._number_of_new(batch.series[position])
        return numbers[batch.index]

    def _number_of_new(self, series: Series) -> int:
        next_number = len(self._table) + len(self.new)
        number = self._unknown.setdefault(series.key, next_number)
        if number == next_number:
            self.new.append(series)
        return number
