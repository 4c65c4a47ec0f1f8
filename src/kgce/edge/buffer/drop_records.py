"""Drop records: which span of time the buffer gave up to stay within its bound."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """A run of batches that were dropped, oldest first."""

    from_ms: int  # time of the oldest row
    to_ms: int  # time of the newest row
    rows: int
    batches: int


class DropRecords:
    """The table of drops, written inside the buffer's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, seq: int, *, first_ms: int, last_ms: int, rows: int) -> None:
        """Record one batch; the record of the batch just before is lengthened, so a long outage stays one record."""
        lengthened = self._db.execute(
            "UPDATE dropped SET last_seq = ?, from_ms = min(from_ms, ?), to_ms = max(to_ms, ?), rows = rows + ?,"
            " batches = batches + 1 WHERE last_seq = ? - 1",
            (seq, first_ms, last_ms, rows, seq),
        )
        if not lengthened.rowcount:
            self._db.execute("INSERT INTO dropped VALUES (?, ?, ?, ?, ?, 1)", (seq, seq, first_ms, last_ms, rows))

    def newest(self, limit: int) -> list[Drop]:
        """The last records, oldest first."""
        records = self._db.execute(
            "SELECT from_ms, to_ms, rows, batches FROM dropped ORDER BY first_seq DESC LIMIT ?", (limit,)
        ).fetchall()
        return [Drop(*record) for record in reversed(records)]
