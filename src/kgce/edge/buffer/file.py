"""The buffer's file: its tables, its pragmas, who may open it, and how a file of an older kgce is carried over."""

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgce.domain.errors import ConfigError

SCHEMA: Final = 2
_BUSY_TIMEOUT_S: Final = 0.5  # a gateway that is just ending gets this long to let go
_FILE_ID_BYTES: Final = 4
_START_BYTES: Final = 2
BOOT: Final = "boot."  # begins the names under which `meta` keeps the last boots
_BOOTS_KEPT: Final = 20
TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL, body BLOB NOT NULL, amends INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 0,
    clock TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS quarantine (
    seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letter (
    seq INTEGER PRIMARY KEY, boot TEXT NOT NULL, rows INTEGER NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dropped (
    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL, batches INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (reason, first_seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, severity TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS repair (
    at_ms INTEGER NOT NULL, what TEXT NOT NULL, rows INTEGER NOT NULL, moved_to TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (
    name TEXT, reason TEXT, rows INTEGER NOT NULL, PRIMARY KEY (name, reason)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS amending ON batch (seq) WHERE amends = 1;
CREATE INDEX IF NOT EXISTS held ON batch (clock) WHERE clock != '';
"""
_FROM_1: Final = """
ALTER TABLE batch RENAME TO batch_1;
ALTER TABLE dropped RENAME TO dropped_1;
ALTER TABLE meta RENAME TO meta_1;
"""
_FROM_1_FILL: Final = """
INSERT INTO meta SELECT name, value FROM meta_1 WHERE name NOT IN ('schema', 'boot');
INSERT INTO meta SELECT 'starts', value FROM meta_1 WHERE name = 'boot';
INSERT INTO batch (seq, boot, first_ms, last_ms, rows, body)
    SELECT seq, 'schema1-' || boot, first_ms, last_ms, rows, body FROM batch_1;
INSERT INTO dropped SELECT first_seq, last_seq, from_ms, to_ms, rows, batches, 'buffer.full' FROM dropped_1;
UPDATE sqlite_sequence SET seq = max(seq, (SELECT seq FROM sqlite_sequence WHERE name = 'batch_1'))
    WHERE name = 'batch';
INSERT INTO sqlite_sequence SELECT 'batch', seq FROM sqlite_sequence
    WHERE name = 'batch_1' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'batch');
DROP TABLE batch_1;
DROP TABLE dropped_1;
DROP TABLE meta_1;
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A buffer's file, held until the connection is closed."""

    db: sqlite3.Connection
    boot: str  # "<file>-<start>-<random>": unique for ever, also where a disk's copy is put back
    starts: int
    created_ms: int
    past_boots: frozenset[str]  # of the last starts of this file


def open_buffer_file(path: Path, synchronous: str, now_ms: int) -> Opened:
    """Open or create.

    Raises:
        ConfigError: another gateway holds the file, it is of a newer kgce, or the folder cannot be written.
        sqlite3.DatabaseError: it is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"buffer {path} cannot be opened: {error}; give the gateway a folder it may write") from error
    try:
        return _prepared(db, synchronous, now_ms)
    except sqlite3.Error as error:
        db.close()
        if is_damage(error):
            raise
        raise ConfigError(_what_to_do(path, error)) from error
    except ConfigError as error:
        db.close()
        raise ConfigError(f"buffer {path} {error}") from None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, not only busy, full or forbidden."""
    text = str(error)
    return "malformed" in text or "not a database" in text or "corrupt" in text


def _prepared(db: sqlite3.Connection, synchronous: str, now_ms: int) -> Opened:
    # Two gateways on one buffer would send each other's batches; the exclusive lock ends with the process, however.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA foreign_keys = OFF")
    # SQLite 3.40 (Debian 12) sees NULLs in a sound table WITHOUT ROWID whose key is not its first columns.
    problems = [text for (text,) in db.execute("PRAGMA quick_check(50)") if not text.startswith("NULL value in")]
    if problems not in ([], ["ok"]):
        raise sqlite3.DatabaseError(f"malformed: {'; '.join(problems[:5])}")
    db.execute("BEGIN IMMEDIATE")
    try:
        _carry_over(db)
        opened = _begin(db, now_ms)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return opened


def _carry_over(db: sqlite3.Connection) -> None:
    """Make the tables; a file of schema 1 keeps every batch, count and record."""
    has_meta = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    found = db.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() if has_meta else None
    version = int(found[0]) if found else SCHEMA
    if version > SCHEMA:
        raise ConfigError(f"has schema {version}, this version knows {SCHEMA}; start the kgce that wrote it")
    for statement in _statements(_FROM_1 if version == 1 else ""):
        db.execute(statement)
    for statement in _statements(TABLES):
        db.execute(statement)
    for statement in _statements(_FROM_1_FILL if version == 1 else ""):
        db.execute(statement)


def _begin(db: sqlite3.Connection, now_ms: int) -> Opened:
    db.execute(
        "INSERT INTO meta VALUES ('schema', ?), ('created_ms', ?), ('starts', 0), ('file', ?) ON CONFLICT DO NOTHING",
        (SCHEMA, now_ms, secrets.token_hex(_FILE_ID_BYTES)),
    )
    db.execute("UPDATE meta SET value = value + 1 WHERE name = 'starts'")
    meta = dict(db.execute("SELECT name, value FROM meta"))
    starts = int(meta["starts"])
    boot = f"{meta['file']}-{starts}-{secrets.token_hex(_START_BYTES)}"
    past = [name.removeprefix(BOOT) for name in meta if name.startswith(BOOT)]
    db.execute("INSERT INTO meta VALUES (?, ?)", (BOOT + boot, starts))
    db.execute(
        "DELETE FROM meta WHERE name IN"
        " (SELECT name FROM meta WHERE name LIKE ? ORDER BY value DESC LIMIT -1 OFFSET ?)",
        (f"{BOOT}%", _BOOTS_KEPT),
    )
    return Opened(db, boot, starts, int(meta["created_ms"]), frozenset(past))


def _statements(script: str) -> list[str]:
    """One by one: `executescript` would commit what is under way."""
    return [one for one in script.split(";") if one.strip()]


def _what_to_do(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"buffer {path} is in use by another gateway; stop it, or give this one a folder of its own"
    return f"buffer {path} cannot be used: {error}; move the file away to start with an empty one"
