"""Queue: which waiting batches make the next parcel, from either end, without an old value overtaking a correction."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_COLUMNS: Final = "seq, boot, first_ms, last_ms, rows, amends, body"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting batch as it lies in the table."""

    seq: int
    boot: str
    first_ms: int
    last_ms: int
    rows: int
    amends: int
    body: bytes


def oldest_run(db: sqlite3.Connection, limit_rows: int, after: int) -> list[Waiting]:
    """The first run of consecutive batches of one boot with seq > after; at least one, about `limit_rows` rows."""
    run: list[Waiting] = []
    rows = 0
    found = db.execute(f"SELECT {_COLUMNS} FROM batch WHERE seq > ? AND clock = '' ORDER BY seq", (after,))  # noqa: S608
    for one in _records(found):
        if run and (one.seq != run[-1].seq + 1 or one.boot != run[-1].boot or rows + one.rows > limit_rows):
            break
        if one.amends and _must_wait(db, one, before=run[0].seq if run else one.seq):
            if run:
                break
            continue
        run.append(one)
        rows += one.rows
    return run


def newest_run(db: sqlite3.Connection, limit_rows: int, upto: int) -> list[Waiting]:
    """The last run of consecutive batches of one boot with seq <= upto, in the order they were put."""
    run: list[Waiting] = []
    rows = 0
    found = db.execute(f"SELECT {_COLUMNS} FROM batch WHERE seq <= ? AND clock = '' ORDER BY seq DESC", (upto,))  # noqa: S608
    for one in _records(found):
        if run and (one.seq != run[-1].seq - 1 or one.boot != run[-1].boot or rows + one.rows > limit_rows):
            break
        if one.amends and _must_wait(db, one, before=one.seq):
            if run:
                break
            continue
        run.append(one)
        rows += one.rows
    return run[::-1]


def _must_wait(db: sqlite3.Connection, one: Waiting, *, before: int) -> bool:
    """Whether an older batch that it may amend has not been delivered yet."""
    return bool(
        db.execute(
            "SELECT 1 FROM batch WHERE seq < ? AND last_ms >= ? AND first_ms <= ? LIMIT 1",
            (before, one.first_ms, one.last_ms),
        ).fetchone()
    )


def _records(found: sqlite3.Cursor) -> Iterator[Waiting]:
    return (Waiting(*columns) for columns in found)
