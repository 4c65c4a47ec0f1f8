"""Drop records: which span of time the buffer gave up, why, and how many rows."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """A run of batches that were dropped or thinned, oldest first."""

    from_ms: int  # time of the oldest row
    to_ms: int  # time of the newest row
    rows: int
    batches: int
    reason: str
    first_seq: int
    last_seq: int


class DropRecords:
    """The table of drops, written inside the buffer's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, seq: int, *, first_ms: int, last_ms: int, rows: int, reason: str) -> None:
        """Record one batch; the record of the batch before it is lengthened, so that a long outage stays one record.

        "Before it" passes over numbers that are not there any more: they were delivered, or are in a record too.
        """
        lengthened = self._db.execute(
            "UPDATE dropped SET last_seq = ?, from_ms = min(from_ms, ?), to_ms = max(to_ms, ?), rows = rows + ?,"
            " batches = batches + 1 WHERE reason = ? AND last_seq = (SELECT max(last_seq) FROM dropped WHERE reason = ?"
            " AND last_seq < ?) AND NOT EXISTS (SELECT 1 FROM batch WHERE seq > dropped.last_seq AND seq < ?)",
            (seq, first_ms, last_ms, rows, reason, reason, seq, seq),
        )
        if not lengthened.rowcount:
            self._db.execute(
                "INSERT INTO dropped (first_seq, last_seq, from_ms, to_ms, rows, batches, reason)"
                " VALUES (?, ?, ?, ?, ?, 1, ?)"
                " ON CONFLICT (reason, first_seq) DO UPDATE SET rows = rows + excluded.rows",
                (seq, seq, first_ms, last_ms, rows, reason),
            )

    def newest(self, limit: int) -> list[Drop]:
        """The last records, oldest first."""
        records = self._db.execute(
            "SELECT from_ms, to_ms, rows, batches, reason, first_seq, last_seq FROM dropped"
            " ORDER BY last_seq DESC, reason LIMIT ?",
            (limit,),
        ).fetchall()
        return [Drop(*record) for record in reversed(records)]
