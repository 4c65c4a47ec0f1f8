"""DuckDbStore: readings in one file, `readings.duckdb`.

    Batches --gather, sort--> Intake --compare late rows--> insert, update, mark, commit --> counts

Rows newer than the newest of their series are certainly new; only the others are compared with what is stored.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self, TypeVar

import duckdb
import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, Int32Array, Int64Array
from kgce.domain.errors import ConfigError, InputError, StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, SeriesKey, StoredEvent, StoreStatus
from kgce.domain.rollup import Rollup
from kgce.domain.touched import Touched
from kgce.domain.tree import Series
from kgce.store.duckdb import statements as sql
from kgce.store.duckdb.errors import is_conflict
from kgce.store.duckdb.file import ReadingsFile
from kgce.store.duckdb.writing import add_series, compared, with_columns, write
from kgce.store.events import event_of, event_rows
from kgce.store.gather import gather
from kgce.store.series_table import NEVER_MS, Numbering, SeriesTable
from kgce.store.tags import has_tags

_ATTEMPTS: Final = 100  # changes by other stores on this file in this process; each loser means somebody else won
_Answer = TypeVar("_Answer")
_Numbers = npt.NDArray[np.integer]


class DuckDbStore:
    """Home of readings on this machine; one process at a time may hold it for writing."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file, making it when absent.

        Raises:
            StoreUnavailable: another process holds the file.
            ConfigError: the file is not ours, or there is none to read.
        """
        self.path = Path(path)
        self._change_lock = Lock()  # one change at a time
        self._table_lock = Lock()  # the table always matches a committed state
        self._table = SeriesTable()
        self._table_appends = -1  # number of changes the table has seen; -1 = not loaded yet
        self._file = ReadingsFile(self.path, read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything into the file and let it go."""
        with self._change_lock, self._table_lock:
            self._file.close()

    def compact(self) -> None:
        """Write the file anew, sorted, without what was deleted; others wait meanwhile."""
        with self._change_lock:
            self._file.compact()

    def append(self, batch: Batch) -> AppendResult:
        """Keep the batch in one transaction, then count."""
        [result] = self.append_all([batch])
        return result

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        """Keep the batches in one transaction, then count each."""
        return self._change(lambda cursor: self._append(cursor, batches))

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Keep the events in one transaction."""
        if not events:
            return
        self._require_writable()
        with self._change_lock, self._file.cursor() as cursor:
            cursor.begin()
            cursor.executemany("insert or ignore into event values (?, ?, ?, ?, ?, ?, ?)", event_rows(gateway, events))
            cursor.commit()

    def delete(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> int:
        """Take readings out in one transaction; how many there were."""
        return self._change(lambda cursor: self._delete(cursor, keys, start_ms, end_ms))

    def _change(self, change: Callable[[duckdb.DuckDBPyConnection], _Answer]) -> _Answer:
        self._require_writable()
        with self._change_lock, self._file.cursor() as cursor:
            for _ in range(_ATTEMPTS):
                try:
                    cursor.begin()
                    self._refresh(cursor)
                    return change(cursor)
                except duckdb.TransactionException as error:
                    if not is_conflict(error):
                        raise
                    cursor.rollback()  # another store on this file was faster; look again at what it left
        raise StoreUnavailable(f"{self.path} is being written by too many at once: try again")

    def _require_writable(self) -> None:
        if self._file.is_read_only:
            raise ConfigError(f"{self.path} was opened read-only: open it for writing")

    def _append(self, cursor: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> list[AppendResult]:
        numbering = Numbering(self._table)
        gathered = gather(batches, numbering)
        if not len(gathered.number):
            cursor.rollback()
            return [AppendResult(refused=refused) for refused in gathered.refused]
        intake, new = gathered.intake(), numbering.new
        late = np.flatnonzero(intake.time_ms <= self._table.highest_ms(intake.number))
        settled = compared(cursor, intake, late)
        if new:
            add_series(cursor, len(self._table), new)
        write(cursor, intake, settled)
        changed = late[(settled.insert | settled.update)[late]]
        self._mark(cursor, intake.number[changed], intake.time_ms[changed])

        def take_over() -> None:
            self._table.add(new)
            self._table.advance(intake.number, intake.time_ms, intake.value, intake.quality)

        self._commit(cursor, take_over)
        return settled.results(gathered.refused, gathered.expired)

    def _delete(self, cursor: duckdb.DuckDBPyConnection, keys: Sequence[SeriesKey], start_ms: int, end_ms: int) -> int:
        _, numbers = self._chosen(keys)
        if not len(numbers) or start_ms >= end_ms:
            cursor.rollback()
            return 0
        cursor.register("wanted", {"number": numbers})
        slots = cursor.execute(sql.SLOTS, [start_ms, end_ms]).fetchnumpy()
        [(deleted,)] = cursor.execute(sql.DELETE, [start_ms, end_ms]).fetchall()
        self._mark(cursor, slots["series_id"], slots["time_ms"])
        left = cursor.execute(sql.NEWEST_OF).fetchnumpy()
        cursor.unregister("wanted")

        def take_over() -> None:
            never = np.full(len(numbers), NEVER_MS)
            self._table.replace_newest(numbers, never, np.full(len(numbers), np.nan), np.zeros(len(numbers), np.uint8))
            value = np.ma.filled(left["value"], np.nan)
            self._table.replace_newest(left["series_id"], left["time_ms"], value, left["quality"])

        self._commit(cursor, take_over)
        return int(deleted)

    def _mark(self, cursor: duckdb.DuckDBPyConnection, number: _Numbers, time_ms: Int64Array) -> None:
        if not len(number):
            return
        marks = Touched.of((), number.astype(np.int32), time_ms)
        columns: dict[str, npt.NDArray[Any]] = {"number": marks.index}
        columns |= {"start_ms": marks.start_ms, "end_ms": marks.end_ms}
        with_columns(cursor, "marks", columns, sql.MARK, [self._table_appends + 1])

    def _commit(self, cursor: duckdb.DuckDBPyConnection, take_over: Callable[[], None]) -> None:
        cursor.execute("update state set appends = appends + 1")
        with self._table_lock:
            cursor.commit()
            take_over()
            self._table_appends += 1

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms, by series key then time; the table has the series with rows."""
        entries, columns = self._asked(keys, sql.READ, [start_ms, end_ms])
        if not columns:
            return Batch.empty()
        series, index = _used(entries, columns["position"])
        return Batch.of(series, index, columns["time_ms"], np.ma.filled(columns["value"], np.nan), columns["quality"])

    def rollup(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int, every_ms: int) -> Rollup:
        """The same readings summed up per interval, in the file."""
        if every_ms <= 0:
            raise InputError(f"an interval of {every_ms} ms: give a positive length")
        span = {"start_ms": start_ms, "end_ms": end_ms, "every_ms": every_ms}
        entries, columns = self._asked(keys, sql.ROLLUP, span)
        if not columns:
            return Rollup.empty()
        series, index = _used(entries, columns["position"])
        amounts = (np.ma.filled(columns[name], np.nan) for name in ("minimum", "maximum", "mean", "first", "last"))
        return Rollup(tuple(series), index, columns["start_ms"], columns["rows"], columns["count"], *amounts)

    def _asked(
        self, keys: Sequence[SeriesKey], statement: str, parameters: list[int] | dict[str, int]
    ) -> tuple[list[Series], dict[str, npt.NDArray[Any]]]:
        """What the statement finds about these series, by key; no columns when none of them is known."""
        with self._file.cursor() as cursor:
            cursor.begin()
            self._refresh(cursor)
            entries, numbers = self._chosen(keys)
            if not len(numbers):
                return [], {}
            cursor.register("wanted", {"position": np.arange(len(numbers), dtype=np.int32), "number": numbers})
            return entries, cursor.execute(statement, parameters).fetchnumpy()

    def _chosen(self, keys: Sequence[SeriesKey]) -> tuple[list[Series], Int32Array]:
        """The known ones of these series, by key, and their numbers."""
        with self._table_lock:
            found = [self._table.number(key) for key in sorted(set(keys))]
            numbers = np.array([number for number in found if number is not None], np.int32)
            return [self._table.entries[number] for number in numbers], numbers

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series (of one institution), by key; no scan."""
        with self._file.cursor() as cursor:
            cursor.begin()
            self._refresh(cursor)
            with self._table_lock:
                return self._table.latest(institution)

    def series(self, institution: str | None = None, **tags: str | None) -> list[Series]:
        """Every series that has a reading and these tags, sorted by key."""
        return [series for series in self.latest(institution).series if has_tags(series, tags)]

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times of the oldest and the newest reading (of one institution)."""
        keys = [] if institution is None else [series.key for series in self.series(institution)]
        with self._file.cursor() as cursor:
            if institution is None:
                found = cursor.execute(sql.EXTENT).fetchall()
            else:
                cursor.register("wanted", {"number": self._chosen(keys)[1]})
                found = cursor.execute(sql.EXTENT_OF).fetchall()
        [(first_ms, last_ms)] = found
        return None if first_ms is None else (int(first_ms), int(last_ms))

    def touched(self, after: int = 0) -> Touched:
        """What late, corrected and deleted readings touched since the answer whose cursor was `after`."""
        with self._file.cursor() as cursor:
            cursor.begin()
            self._refresh(cursor)
            with self._table_lock:
                entries, cursor_now = list(self._table.entries), self._table_appends
            found = cursor.execute(sql.TOUCHED, [after]).fetchnumpy()
        numbers, index = np.unique(found["series_id"], return_inverse=True)
        series = tuple(entries[number] for number in numbers.tolist())
        return Touched(series, index.astype(np.int32), found["start_ms"], found["end_ms"], cursor_now)

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """What happened, by time."""
        with self._file.cursor() as cursor:
            return [event_of(row) for row in cursor.execute(sql.EVENTS, [start_ms, end_ms]).fetchall()]

    def status(self) -> StoreStatus:
        """Rows, size, age."""
        with self._file.cursor() as cursor:
            [(rows,)] = cursor.execute("select count(*) from readings").fetchall()
            [(events,)] = cursor.execute("select count(*) from event").fetchall()
        first_ms, last_ms = self.extent() or (None, None)
        details = {
            "readings": f"{rows:,}",
            "events": f"{events:,}",
            "file": f"{self.path.stat().st_size / 1e6:,.1f} MB",
            "retention": "keeps everything",
            "downsampling": "none needed: rollups are worked out from the readings",
        }
        return StoreStatus(
            f"DuckDB {duckdb.__version__}", str(self.path), len(self.series()), first_ms, last_ms, details
        )

    def _refresh(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Load the table anew if it has not seen every change of the file."""
        with self._table_lock:
            [(appends,)] = cursor.execute("select appends from state").fetchall()
            if appends <= self._table_appends:
                return
            table = SeriesTable()
            table.add(Series(*fields) for fields in cursor.execute(sql.SERIES).fetchall())
            newest = cursor.execute(sql.NEWEST).fetchnumpy()
            value = np.ma.filled(newest["value"], np.nan)
            table.advance(newest["series_id"], newest["time_ms"], value, newest["quality"])
            ever = cursor.execute(sql.HIGHEST_TOUCHED).fetchnumpy()
            table.raise_highest(ever["series_id"], ever["time_ms"])
            self._table, self._table_appends = table, appends


def _used(entries: Sequence[Series], position: _Numbers) -> tuple[list[Series], Int32Array]:
    """The series that have rows, and which of them each row belongs to."""
    used, index = np.unique(position, return_inverse=True)
    return [entries[number] for number in used.tolist()], index.astype(np.int32)
