"""ReadingsFile: the open DuckDB file; made when absent, carried over when older, opened anew when it broke."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.duckdb.errors import is_fatal, translated
from kgce.store.duckdb.gate import Gate
from kgce.store.duckdb.statements import CARRY_OVER, COPY_SORTED, SCHEMA, SCHEMA_VERSION, TABLES

_CHECKPOINT_AT: Final = "128MB"  # of log; it is read again after a crash, in a second or two


class ReadingsFile:
    """Hands out connections, one per use; any thread."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        """Open the file.

        Raises:
            StoreUnavailable: another process holds the file.
            ConfigError: the file is not ours, or there is none to read.
        """
        self.path = path
        self.is_read_only = read_only
        self._gate = Gate()
        self._lock = threading.Lock()  # guards _is_broken
        self._is_broken = False
        self._is_closed = False
        with translated(path):
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._opened()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this thread's own; closing it ends what was not committed."""
        with translated(self.path):
            self._mend()
            with self._gate.shared(), self._database.cursor() as cursor:
                try:
                    yield cursor
                except duckdb.Error as error:
                    if is_fatal(error):
                        with self._lock:
                            self._is_broken = True
                    raise

    def close(self) -> None:
        """Write everything into the file and let it go."""
        with self._gate.exclusive():
            self._is_closed = True
            self._database.close()

    def compact(self) -> None:
        """Write the file anew, sorted by series and time and without what was deleted; then put it in place.

        Raises:
            StoreUnavailable: the disk has no room for the copy; the file is as it was.
        """
        if self.is_read_only:
            raise ConfigError(f"{self.path} was opened read-only: open it for writing to compact")
        fresh = self.path.with_name(f"{self.path.name}.compacting")
        with translated(self.path), self._gate.exclusive():
            self._require_room()
            self._database.close()
            try:
                _copy_sorted(self.path, fresh)
                fresh.replace(self.path)
                _sync(self.path.parent)
            finally:
                for leftover in (fresh, fresh.with_name(f"{fresh.name}.wal")):
                    leftover.unlink(missing_ok=True)
                self._database = self._opened()

    def _require_room(self) -> None:
        room = os.statvfs(self.path.parent)
        free, size = room.f_bavail * room.f_frsize, self.path.stat().st_size
        if free < size:
            raise StoreUnavailable(
                f"compacting {self.path} needs {size / 1e6:,.0f} MB free, the disk has {free / 1e6:,.0f} MB: make room"
            )

    def _mend(self) -> None:
        """Open the database anew after it broke; what was committed is in the file."""
        with self._lock:
            if not self._is_broken or self._is_closed:
                return
            with self._gate.exclusive():
                self._database.close()
                self._database = self._opened()
            self._is_broken = False

    def _opened(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(
            str(self.path), read_only=self.is_read_only, config={"checkpoint_threshold": _CHECKPOINT_AT}
        )
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: duckdb.DuckDBPyConnection) -> None:
        tables = {name for (name,) in database.execute("select table_name from duckdb_tables()").fetchall()}
        if not tables and not self.is_read_only:
            database.execute(SCHEMA)
        elif "state" not in tables:
            raise ConfigError(f"{self.path} is not a readings file of kgce: choose another --db folder")
        [(version,)] = database.execute("select schema_version from state").fetchall()
        if version in CARRY_OVER and not self.is_read_only:
            database.execute(CARRY_OVER[version])
        elif version != SCHEMA_VERSION:
            raise ConfigError(f"{self.path} has schema {version}, this kgce knows {SCHEMA_VERSION}: upgrade kgce")


def _copy_sorted(old: Path, fresh: Path) -> None:
    fresh.unlink(missing_ok=True)
    quoted = str(old).replace("'", "''")
    with duckdb.connect(str(fresh)) as database:
        database.execute(TABLES)
        database.execute(f"attach '{quoted}' as old (read_only)")
        for statement in COPY_SORTED:
            database.execute(statement)
        database.execute("detach old")
        database.execute("checkpoint")
    _sync(fresh)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
