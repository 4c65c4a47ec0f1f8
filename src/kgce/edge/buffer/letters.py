"""What is set aside until a person decides: dead letters (whole, but refused for good) and quarantine (damaged)."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from kgce.domain.batch import Batch
from kgce.edge.buffer.codec import decode, encode
from kgce.edge.buffer.parcel import Parcel

_QUARANTINE_LIMIT: Final = 100  # kept for a person to look at; older ones are deleted
_LETTER_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """Rows of one batch that the sink refused for good."""

    seq: int
    boot: str
    rows: int
    reason: str
    at_ms: int


class SetAside:
    """The two tables, written inside the buffer's transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def bury(self, parcel: Parcel, rows: Batch, reason: str, now_ms: int) -> None:
        """Keep these rows of a batch as a dead letter."""
        self._db.execute(
            "INSERT OR REPLACE INTO dead_letter (seq, boot, rows, reason, at_ms, body) VALUES (?, ?, ?, ?, ?, ?)",
            (parcel.first, parcel.boot, len(rows), reason, now_ms, encode(rows)),
        )
        self._db.execute(
            "DELETE FROM dead_letter WHERE seq NOT IN (SELECT seq FROM dead_letter ORDER BY seq DESC LIMIT ?)",
            (_LETTER_LIMIT,),
        )

    def quarantine(self, seq: int, reason: str, now_ms: int) -> None:
        """Keep the bytes of a damaged batch."""
        self._db.execute(
            "INSERT OR REPLACE INTO quarantine (seq, rows, reason, at_ms, body)"
            " SELECT seq, rows, ?, ?, body FROM batch WHERE seq = ?",
            (reason, now_ms, seq),
        )
        self._db.execute(
            "DELETE FROM quarantine WHERE seq NOT IN (SELECT seq FROM quarantine ORDER BY seq DESC LIMIT ?)",
            (_QUARANTINE_LIMIT,),
        )

    def letters(self, limit: int = 1000) -> list[Letter]:
        """The newest dead letters, oldest first."""
        found = self._db.execute(
            "SELECT seq, boot, rows, reason, at_ms FROM dead_letter ORDER BY seq DESC LIMIT ?", (limit,)
        ).fetchall()
        return [Letter(*columns) for columns in reversed(found)]

    def read(self, seq: int) -> tuple[Letter, Batch] | None:
        """One dead letter with its rows."""
        found = self._db.execute(
            "SELECT seq, boot, rows, reason, at_ms, body FROM dead_letter WHERE seq = ?", (seq,)
        ).fetchone()
        return None if found is None else (Letter(*found[:5]), decode(found[5]))

    def discard(self, seq: int) -> None:
        """Forget one dead letter."""
        self._db.execute("DELETE FROM dead_letter WHERE seq = ?", (seq,))

    def counts(self) -> tuple[int, int]:
        """(dead letters, damaged batches)."""
        letters, damaged = (
            int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - fixed names
            for table in ("dead_letter", "quarantine")
        )
        return letters, damaged
