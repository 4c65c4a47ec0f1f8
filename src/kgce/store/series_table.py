"""SeriesTable: the series a store knows, by dense number, each with its newest reading."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, Int32Array, Int64Array, UInt8Array
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Series

NEVER_MS = np.iinfo(np.int64).min  # newest time of a series nothing was read from yet


class SeriesTable:
    """Numbers series and remembers the newest reading of each; not thread-safe, its store holds the lock."""

    def __init__(self) -> None:
        self.entries: list[Series] = []
        self._number_of: dict[SeriesKey, int] = {}
        self._time_ms: Int64Array = np.empty(0, np.int64)
        self._value: FloatArray = np.empty(0, np.float64)
        self._quality: UInt8Array = np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self.entries)

    def number(self, key: SeriesKey) -> int | None:
        """The number of a known key."""
        return self._number_of.get(key)

    def add(self, series: Iterable[Series]) -> None:
        """Number further series after the last one; their keys must be unknown so far."""
        for entry in series:
            self._number_of[entry.key] = len(self.entries)
            self.entries.append(entry)
        added = len(self.entries) - len(self._time_ms)
        self._time_ms = np.concatenate([self._time_ms, np.full(added, NEVER_MS, np.int64)])
        self._value = np.concatenate([self._value, np.full(added, np.nan)])
        self._quality = np.concatenate([self._quality, np.zeros(added, np.uint8)])

    def numbers_for(self, wanted: Sequence[Series]) -> tuple[Int32Array, list[Series]]:
        """The number of each wanted series, and the unknown ones in the order `add` would number them."""
        unknown: dict[SeriesKey, int] = {}
        new: list[Series] = []
        numbers = np.empty(len(wanted), np.int32)
        for position, series in enumerate(wanted):
            number = self._number_of.get(series.key)
            if number is None:
                number = unknown.setdefault(series.key, len(self.entries) + len(new))
                if number == len(self.entries) + len(new):
                    new.append(series)
            numbers[position] = number
        return numbers, new

    def newest_ms(self, numbers: npt.NDArray[np.integer]) -> Int64Array:
        """Time of the newest reading of each numbered series; NEVER_MS for numbers not added yet."""
        times = np.full(len(numbers), NEVER_MS, np.int64)
        known = numbers < len(self._time_ms)
        times[known] = self._time_ms[numbers[known]]
        return times

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

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series that has one, by key."""
        has_reading = self._time_ms != NEVER_MS
        chosen = sorted(
            (series.key, number)
            for number, series in enumerate(self.entries)
            if has_reading[number] and institution in {None, series.institution}
        )
        numbers = np.array([number for _, number in chosen], np.intp)
        return Batch.of(
            [self.entries[number] for number in numbers],
            np.arange(len(numbers)),
            self._time_ms[numbers],
            self._value[numbers],
            self._quality[numbers],
        )
