"""The buffer's file: its tables, its pragmas, who may open it."""

import sqlite3
from pathlib import Path
from typing import Final

from kgce.domain.errors import ConfigError

_SCHEMA: Final = 1
_BUSY_TIMEOUT_S: Final = 0.5  # a gateway that is just ending gets this long to let go
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, boot INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine (
    seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dropped (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL UNIQUE, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL, batches INTEGER NOT NULL);
"""


def open_buffer_file(path: Path, synchronous: str, now_ms: int) -> tuple[sqlite3.Connection, int, int]:
    """(connection, boot number, time of creation); the connection holds the file until it is closed.

    Raises:
        ConfigError: another gateway holds the file, it is not a buffer, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"buffer {path} cannot be opened: {error}; give the gateway a folder it may write") from error
    try:
        return db, *_prepare(db, synchronous, now_ms)
    except sqlite3.Error as error:
        db.close()
        raise ConfigError(_what_to_do(path, error)) from error
    except ConfigError as error:
        db.close()
        raise ConfigError(f"buffer {path} {error}") from None


def _prepare(db: sqlite3.Connection, synchronous: str, now_ms: int) -> tuple[int, int]:
    # Two gateways on one buffer would send each other's batches; the exclusive lock ends with the process, however.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.executescript(_TABLES)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO meta VALUES ('schema', ?), ('created_ms', ?), ('boot', 0) ON CONFLICT DO NOTHING",
               (_SCHEMA, now_ms))  # fmt: skip
    db.execute("UPDATE meta SET value = value + 1 WHERE name = 'boot'")
    meta: dict[str, int] = dict(db.execute("SELECT name, value FROM meta"))
    if meta["schema"] != _SCHEMA:
        raise ConfigError(
            f"has schema {meta['schema']}, this version knows {_SCHEMA}; drain it with the version before"
        )
    db.execute("COMMIT")
    return meta["boot"], meta["created_ms"]


def _what_to_do(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"buffer {path} is in use by another gateway; stop it, or give this one a folder of its own"
    return f"buffer {path} cannot be used: {error}; move the file away to start with an empty one"
