"""DuckDbStore: readings in one file, `readings.duckdb`.

    Batch --accept, sort--> Intake --compare late rows--> insert, update, commit --> counts

Rows newer than the newest of their series are certainly new; only the others are compared with what is stored.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, Self

import duckdb
import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, KgceError, StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.domain.tree import Series
from kgce.store.events import EVENT_TABLE, INSERT_EVENT, event_rows
from kgce.store.intake import Intake, Settlement, accept, used_series
from kgce.store.series_table import SeriesTable

_SCHEMA_VERSION: Final = 1
_ATTEMPTS: Final = 100  # appends from other stores on this file in this process; each loser means somebody else won
_SCHEMA: Final = f"""
    begin;
    create table series (
        id integer not null, institution varchar not null, device varchar not null, quantity varchar not null,
        measurement varchar not null, building varchar not null, region varchar not null);
    create table readings (
        series_id integer not null, time_ms bigint not null, value double, quality utinyint not null);
    create table state (schema_version integer not null, appends bigint not null);
    insert into state values ({_SCHEMA_VERSION}, 0);
    commit;
"""  # noqa: S608 - nothing from outside in it
_SERIES: Final = "select institution, device, quantity, measurement, building, region from series order by id"
# arg_max passes over NULL, and a missing value must not bring back the one before it.
_NEWEST: Final = """
    select series_id, max(time_ms) as time_ms, arg_max(coalesce(value, 'nan'::double), time_ms) as value,
        arg_max(quality, time_ms) as quality
    from readings group by series_id order by series_id
"""
_LATE: Final = """
    select late.position as position, stored.value as value, stored.quality as quality
    from readings stored join late on stored.series_id = late.number and stored.time_ms = late.time_ms
    where stored.time_ms between ? and ?
"""
_UPDATE: Final = """
    update readings set value = fresh.value, quality = fresh.quality from fresh
    where readings.series_id = fresh.number and readings.time_ms = fresh.time_ms and readings.time_ms between ? and ?
"""
_READ: Final = """
    select wanted.position as position, stored.time_ms as time_ms, stored.value as value, stored.quality as quality
    from readings stored join wanted on stored.series_id = wanted.number
    where stored.time_ms >= ? and stored.time_ms < ? order by position, time_ms
"""


class DuckDbStore:
    """Home of readings on this machine; one process at a time may hold it for writing."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file, making it when absent.

        Raises:
            StoreUnavailable: another process holds the file.
            ConfigError: the file is not ours, or there is none to read.
        """
        self.path = Path(path)
        self._read_only = read_only
        self._append_lock = Lock()  # one append at a time
        self._table_lock = Lock()  # the table always matches a committed state
        self._table = SeriesTable()
        self._table_appends = -1  # number of appends the table has seen; -1 = not loaded yet
        with _translated(self.path):
            if not read_only:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = duckdb.connect(str(self.path), read_only=read_only)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def _prepare(self) -> None:
        tables = {name for (name,) in self._database.execute("select table_name from duckdb_tables()").fetchall()}
        if not tables and not self._read_only:
            self._database.execute(_SCHEMA)
        elif "state" not in tables:
            raise ConfigError(f"{self.path} is not a readings file of kgce: choose another --db folder")
        [(version,)] = self._database.execute("select schema_version from state").fetchall()
        if version != _SCHEMA_VERSION:
            raise ConfigError(f"{self.path} has schema {version}, this kgce knows {_SCHEMA_VERSION}: upgrade kgce")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything into the file and let it go."""
        with self._append_lock, self._table_lock:
            self._database.close()

    def append(self, batch: Batch) -> AppendResult:
        """Keep the batch in one transaction, then count."""
        if self._read_only:
            raise ConfigError(f"{self.path} was opened read-only: open it for writing to append")
        rows = accept(batch)
        refused = int(len(batch) - rows.sum())
        kept = batch if not refused else batch.select(rows)
        if not len(kept):
            return AppendResult(refused=refused)
        with self._append_lock, self._cursor() as cursor:
            for _ in range(_ATTEMPTS):
                try:
                    return self._append(cursor, kept).result(refused=refused)
                except duckdb.TransactionException:
                    cursor.rollback()  # another store on this file was faster; look again at what it left
        raise StoreUnavailable(f"{self.path} is being written by too many at once: try again")

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Keep the events in one transaction."""
        if not events:
            return
        with self._append_lock, self._cursor() as cursor:
            cursor.begin()
            cursor.execute(EVENT_TABLE)
            cursor.executemany(INSERT_EVENT, event_rows(gateway, events))
            cursor.commit()

    def _append(self, cursor: duckdb.DuckDBPyConnection, kept: Batch) -> Settlement:
        cursor.begin()
        self._refresh(cursor)
        series, index = used_series(kept)
        numbers, new = self._table.numbers_for(series)
        intake = Intake(numbers[index], kept.time_ms, kept.value, kept.quality)
        settled = self._compare(cursor, intake)
        self._insert_series(cursor, new)
        self._write(cursor, intake, settled)
        cursor.execute("update state set appends = appends + 1")
        with self._table_lock:
            cursor.commit()
            self._table.add(new)
            self._table.advance(intake.number, intake.time_ms, intake.value, intake.quality)
            self._table_appends += 1
        return settled

    def _compare(self, cursor: duckdb.DuckDBPyConnection, intake: Intake) -> Settlement:
        late = np.flatnonzero(intake.time_ms <= self._table.newest_ms(intake.number))
        if not len(late):
            return intake.settle(late, np.empty(0), np.empty(0, np.uint8))
        time_ms = intake.time_ms[late]
        cursor.register("late", {"position": late, "number": intake.number[late], "time_ms": time_ms})
        found = cursor.execute(_LATE, [int(time_ms.min()), int(time_ms.max())]).fetchnumpy()
        cursor.unregister("late")
        return intake.settle(found["position"], np.ma.filled(found["value"], np.nan), found["quality"])

    def _insert_series(self, cursor: duckdb.DuckDBPyConnection, new: Sequence[Series]) -> None:
        if not new:
            return
        fields = ("institution", "device", "quantity", "measurement", "building", "region")
        columns = {name: np.array([getattr(series, name) for series in new], object) for name in fields}
        cursor.register("new", {"id": np.arange(len(self._table), len(self._table) + len(new)), **columns})
        cursor.execute(f"insert into series select id, {', '.join(fields)} from new")  # noqa: S608 - fixed names
        cursor.unregister("new")

    def _write(self, cursor: duckdb.DuckDBPyConnection, intake: Intake, settled: Settlement) -> None:
        for rows, is_update in ((settled.insert, False), (settled.update, True)):
            if not rows.any():
                continue
            time_ms = intake.time_ms[rows]
            columns = {"value": intake.value[rows], "quality": intake.quality[rows]}
            cursor.register("fresh", {"number": intake.number[rows], "time_ms": time_ms, **columns})
            if is_update:
                cursor.execute(_UPDATE, [int(time_ms.min()), int(time_ms.max())])
            else:
                cursor.execute("insert into readings select number, time_ms, value, quality from fresh")
            cursor.unregister("fresh")

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms, by series key then time; the table has the series with rows."""
        with self._cursor() as cursor:
            cursor.begin()
            self._refresh(cursor)
            with self._table_lock:
                found = [(key, self._table.number(key)) for key in sorted(set(keys))]
                numbers = np.array([number for _, number in found if number is not None], np.int32)
                entries = [self._table.entries[number] for number in numbers]
            if not len(numbers) or start_ms >= end_ms:
                return Batch.empty()
            cursor.register("wanted", {"position": np.arange(len(numbers), dtype=np.int32), "number": numbers})
            columns = cursor.execute(_READ, [start_ms, end_ms]).fetchnumpy()
        used, index = np.unique(columns["position"], return_inverse=True)
        value = np.ma.filled(columns["value"], np.nan)
        return Batch.of([entries[position] for position in used], index, columns["time_ms"], value, columns["quality"])

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series (of one institution), by key; no scan."""
        with self._cursor() as cursor:
            cursor.begin()
            self._refresh(cursor)
            with self._table_lock:
                return self._table.latest(institution)

    def series(self, institution: str | None = None) -> list[Series]:
        """Every series that has a reading, sorted by key."""
        return list(self.latest(institution).series)

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this thread's own; closing it ends what was not committed."""
        with _translated(self.path), self._database.cursor() as cursor:
            yield cursor

    def _refresh(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Load the table anew if it has not seen every append to the file."""
        with self._table_lock:
            [(appends,)] = cursor.execute("select appends from state").fetchall()
            if appends <= self._table_appends:
                return
            table = SeriesTable()
            table.add(Series(*fields) for fields in cursor.execute(_SERIES).fetchall())
            newest = cursor.execute(_NEWEST).fetchnumpy()
            value = np.ma.filled(newest["value"], np.nan)
            table.advance(newest["series_id"], newest["time_ms"], value, newest["quality"])
            self._table, self._table_appends = table, appends


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """The one place where DuckDB's errors become ours."""
    try:
        yield
    except duckdb.Error as error:
        raise _explained(path, " ".join(str(error).split())) from error
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be opened: {error.strerror}: check the folder's rights") from error


def _explained(path: Path, text: str) -> KgceError:
    holder = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", text)
    if holder is not None:
        return StoreUnavailable(
            f"{path} is held by process {holder[2]} ({holder[1]}): stop that process or choose another --db folder"
        )
    if "not a valid DuckDB database" in text or "Is a directory" in text:
        return ConfigError(f"{path} is not a readings file of kgce: choose another --db folder")
    if "database does not exist" in text:
        return ConfigError(f"{path} does not exist: import readings first (kgce import readings FILE)")
    return StoreUnavailable(f"{path}: {text}")
