"""Repair: a damaged buffer is moved aside, and everything that can still be read of it goes into a new one.

buffer.sqlite (damaged) --row by row--> buffer.sqlite (new), the old file kept as buffer.sqlite.damaged-<time>
"""

import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from kgce.domain.errors import ConfigError
from kgce.edge.buffer import head
from kgce.edge.buffer.file import BOOT, Opened, is_damage, open_buffer_file

log: Final = logging.getLogger(__name__)

_TRIES: Final = 1_000_000  # numbers looked for one by one between what both ends gave
_TRIES_WITHOUT_END: Final = 2_000
_UNREADABLE: Final = 10_000  # batches that a damaged file may have held behind the last readable one

_ASIDE: Final = re.compile(r"damaged-\d{8}T\d{6}(-\d+)?$")  # not its log, nor a copy under work
_BATCH: Final = ("seq", "boot", "first_ms", "last_ms", "rows", "body", "amends", "level", "clock", "attempts")
_KEPT: Final[dict[str, tuple[str, ...]]] = {
    "batch": _BATCH,
    "dead_letter": ("seq", "boot", "rows", "reason", "at_ms", "body"),
    "quarantine": ("seq", "rows", "reason", "at_ms", "body"),
    "dropped": ("first_seq", "last_seq", "from_ms", "to_ms", "rows", "batches", "reason"),
    "event": ("number", "severity", "body"),
    "repair": ("at_ms", "what", "rows", "moved_to"),
    "counter": ("name", "reason", "rows"),
}


def open_or_repair(path: Path, synchronous: str, now_ms: int) -> Opened:
    """Open or create; a damaged file is salvaged.

    Raises:
        ConfigError: see open_buffer_file.
    """
    error = "an earlier repair was interrupted"
    try:
        opened = open_buffer_file(path, synchronous, now_ms)
    except sqlite3.DatabaseError as damage:
        if not is_damage(damage):
            raise
        error = str(damage)
        _move_aside(path, now_ms)
        opened = open_buffer_file(path, synchronous, now_ms)
    aside = _not_salvaged(path, opened.db)
    if aside is not None:
        opened = _salvaged(opened, aside, path, now_ms, error)
    opened.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    head.save(path)
    return opened


def repairs(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """What was repaired, oldest first."""
    found = db.execute("SELECT at_ms, what, rows, moved_to FROM repair ORDER BY at_ms DESC LIMIT 10").fetchall()
    return [dict(zip(("at_ms", "what", "rows", "moved_to"), one, strict=True)) for one in reversed(found)]


def _not_salvaged(path: Path, db: sqlite3.Connection) -> Path | None:
    """The file moved aside last, if nobody has read it: the gateway was killed before the repair was committed."""
    asides = [one for one in path.parent.glob(f"{path.name}.damaged-*") if _ASIDE.search(one.name)]
    if not asides:
        return None
    last = max(asides, key=lambda one: (one.stat().st_ctime_ns, one.name))
    known = db.execute("SELECT 1 FROM repair WHERE moved_to = ?", (last.name,)).fetchone()
    return None if known else last


def _salvaged(opened: Opened, aside: Path, path: Path, now_ms: int, error: str) -> Opened:
    db = opened.db
    db.execute("BEGIN IMMEDIATE")
    kept, highest = _salvage_with_any_head(aside, path, db)
    _go_on_counting(db, highest)
    (waiting,) = db.execute("SELECT coalesce(sum(rows), 0) FROM batch").fetchone()
    lost = _settle(db, int(waiting))
    gone = f"{lost} readings" if kept.get("counter") else "nobody knows how many readings"
    what = f"{error}; kept {kept.get('batch', 0)} batches with {waiting} readings, lost {gone}"
    db.execute("INSERT INTO repair VALUES (?, ?, ?, ?)", (now_ms, what, lost, aside.name))
    db.execute("COMMIT")
    log.error("the buffer was damaged (%s); the old file is kept as %s", what, aside)
    past = frozenset(
        name.removeprefix(BOOT) for (name,) in db.execute("SELECT name FROM meta") if name.startswith(BOOT)
    )
    return replace(opened, past_boots=past - {opened.boot})


def _move_aside(path: Path, now_ms: int) -> Path:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    try:
        path.rename(aside)
        for suffix in ("-wal", "-shm"):  # the log belongs to the file: what it holds is salvaged with it
            log_file = path.with_name(path.name + suffix)
            if log_file.exists():
                log_file.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise ConfigError(
            f"buffer {path} is damaged and cannot be moved aside: {error}; move it away by hand"
        ) from error
    return aside


def _salvage_with_any_head(aside: Path, path: Path, db: sqlite3.Connection) -> tuple[dict[str, int], int]:
    """As it is; where not even the tables can be found, with the first page of an earlier start."""
    with contextlib.closing(sqlite3.connect(aside)) as old:
        try:
            old.execute("SELECT seq FROM batch LIMIT 1").fetchone()
            is_readable = True
        except sqlite3.Error:
            is_readable = False
    if is_readable:
        return _salvage(aside, db)
    with head.with_saved(aside, path) as patched:
        return _salvage(patched or aside, db)


def _salvage(aside: Path, db: sqlite3.Connection) -> tuple[dict[str, int], int]:
    """(rows kept by table, the highest number a batch ever had, as far as can be read)."""
    kept: dict[str, int] = {}
    highest = 0
    with contextlib.closing(sqlite3.connect(aside)) as old:
        old.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for table, columns in _KEPT.items():
            marks = ", ".join("?" * len(columns))
            for row in _readable(old, table, columns):
                with contextlib.suppress(sqlite3.Error):  # a row that makes no sense any more
                    db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)  # noqa: S608 - fixed names
                    kept[table] = kept.get(table, 0) + 1
        for name, value in _readable(old, "meta", ("name", "value")):
            if name in {"created_ms", "bytes_per_hour"} or str(name).startswith(("events.", BOOT)):
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
        for name, seq in _readable(old, "sqlite_sequence", ("name", "seq")):
            if name == "batch" and isinstance(seq, int):
                highest = seq
    return kept, highest


def _go_on_counting(db: sqlite3.Connection, highest: int) -> None:
    """Numbers go on after the highest one; where that cannot be read, well after what is here."""
    (here,) = db.execute("SELECT coalesce(max(seq), 0) FROM batch").fetchone()
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'batch'")
    if not here and not highest:
        return  # nothing of it can be read: another file altogether, its numbers are its own
    seq = highest if highest >= here else here + _UNREADABLE
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('batch', ?)", (seq,))


def _readable(old: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read: from the front until it breaks, then from the back, then one by one between."""
    key = columns[0]
    names = ", ".join(columns)
    keyed = table in {"batch", "dead_letter", "quarantine", "event"}
    front: Any = None
    try:
        for row in old.execute(f"SELECT {names} FROM {table}" + (f" ORDER BY {key}" if keyed else "")):  # noqa: S608
            front = row[0]
            yield row
    except sqlite3.Error:
        if not keyed:
            return
        yield from _behind(old, table, names, key, front)


def _behind(old: sqlite3.Connection, table: str, names: str, key: str, front: Any) -> Iterator[tuple[Any, ...]]:
    """What lies behind the break."""
    back: Any = None
    try:
        for row in old.execute(f"SELECT {names} FROM {table} ORDER BY {key} DESC"):  # noqa: S608
            if front is not None and row[0] <= front:
                return
            back = row[0]
            yield row
    except sqlite3.Error:
        # Read from neither end, the tree itself is broken: looking further for its leaves finds nothing.
        first = (front or 0) + 1
        last = back if back is not None else first if front is None else first + _TRIES_WITHOUT_END
        for number in range(first, min(last, first + _TRIES)):
            with contextlib.suppress(sqlite3.Error):
                row = old.execute(f"SELECT {names} FROM {table} WHERE {key} = ?", (number,)).fetchone()  # noqa: S608
                if row is not None:
                    yield row


def _settle(db: sqlite3.Connection, waiting: int) -> int:
    """Make the equation hold: what the counts say waited, but is gone, was dropped; rows lost."""
    counts = dict(db.execute("SELECT name, sum(rows) FROM counter GROUP BY name"))
    settled = sum(counts.get(name, 0) for name in ("stored", "duplicate", "refused", "dropped"))
    lost = int(counts.get("polled", 0) - settled - waiting)
    if lost > 0:
        db.execute(
            "INSERT INTO counter VALUES ('dropped', 'buffer.corrupt', ?)"
            " ON CONFLICT (name, reason) DO UPDATE SET rows = rows + excluded.rows",
            (lost,),
        )
    elif lost < 0:  # the counts are gone, or older than the batches: what is here was polled
        db.execute(
            "INSERT INTO counter VALUES ('polled', '', ?)"
            " ON CONFLICT (name, reason) DO UPDATE SET rows = rows + excluded.rows",
            (-lost,),
        )
    return max(0, lost)
