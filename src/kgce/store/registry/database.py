"""RegistryDatabase: engine, transactions and upserts; the one place that tells SQLite from PostgreSQL."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError

from kgce.domain.errors import ConfigError, InputError, KgceError, StoreUnavailable
from kgce.store.registry.tables import METADATA, SCHEMA, SCHEMA_VERSION

_BUSY_TIMEOUT_S: Final = 10.0  # another process's write takes milliseconds; an import of a province a few seconds
_INSERT: Final[Mapping[str, Callable[[Table], sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}

Row = dict[str, Any]


class RegistryDatabase:
    """Transactions on the registry's tables, which it makes when they are absent."""

    def __init__(self, target: str | Path) -> None:
        """Open a file or a database URL.

        Raises:
            ConfigError: no such kind of database, or a schema this kgce does not know.
            StoreUnavailable: it cannot be opened now.
        """
        self._url = _url_of(target)
        self.name = self._url.database if self._url.get_backend_name() == "sqlite" else self._url.render_as_string()
        with self._translated():
            self._engine = _engine(self._url)
        self._writing = self._engine.execution_options(kgce_writes=True)
        try:
            with self.write() as connection:
                METADATA.create_all(connection)
                self._check_version(connection)
        except KgceError:
            self.close()
            raise

    def _check_version(self, connection: Connection) -> None:
        version = connection.execute(select(SCHEMA.c.version)).scalar()
        if version is None:
            connection.execute(insert(SCHEMA).values(id=1, version=SCHEMA_VERSION))
        elif version != SCHEMA_VERSION:
            raise ConfigError(f"{self.name} has schema {version}, this kgce knows {SCHEMA_VERSION}: upgrade kgce")

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the registry."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it, or nothing."""
        with self._translated(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise ConfigError(f"{self.name}: {_one_line(error)}: use a folder or postgresql+psycopg://…") from error
        except UnicodeEncodeError as error:
            raise InputError(f"{error.object!r} holds a lone surrogate, which is not text: correct the name") from error
        except DBAPIError as error:
            text = _one_line(error.orig)
            if isinstance(error, DatabaseError) and "not a database" in text:
                raise ConfigError(f"{self.name} is not a registry of kgce: choose another --db folder") from error
            raise StoreUnavailable(f"registry {self.name}: {text}: try again") from error


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _url_of(target: str | Path) -> URL:
    if isinstance(target, str) and "://" in target:
        try:
            return make_url(target)
        except ArgumentError:
            raise ConfigError(f"{target!r} is not a database URL: use a file, or postgresql+psycopg://…") from None
    path = Path(target)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"{path.parent} cannot be made: {error.strerror}: check the folder's rights") from error
    return URL.create("sqlite", database=str(path))


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    if backend not in _INSERT:
        raise ConfigError(
            f"the registry knows {' and '.join(_INSERT)}, not {backend}: use a folder or postgresql+psycopg://…"
        )
    waiting = {"timeout": _BUSY_TIMEOUT_S} if backend == "sqlite" else {}
    engine = create_engine(url, connect_args=waiting, json_serializer=_to_json, json_deserializer=json.loads)
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _to_json(document: object) -> str:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock first: a reader that turns into a writer cannot wait for another one.
    writes = connection.get_execution_options().get("kgce_writes", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def upsert(table: Table, backend: str) -> sqlite.Insert | postgresql.Insert:
    """INSERT that replaces the other columns of a row whose primary key is there already."""
    statement = _INSERT[backend](table)
    key = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def save(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert or replace by primary key; of two rows with one key the later one counts."""
    key = [column.name for column in table.primary_key]
    unique: dict[tuple[Any, ...], Mapping[str, Any]] = {tuple(row[name] for name in key): row for row in rows}
    if unique:
        connection.execute(upsert(table, connection.dialect.name), list(unique.values()))
