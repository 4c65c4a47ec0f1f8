"""Charging sessions out of transactions: kept in SQLite, so that a transaction outlives our restart.

Every message may come late, twice or never, in any order; the same messages always give the same sessions.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgce.domain.errors import ConfigError, StoreUnavailable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS session (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    charger TEXT NOT NULL, connector INTEGER NOT NULL, reference TEXT NOT NULL,
    id_tag TEXT NOT NULL DEFAULT '', start_ms INTEGER, stop_ms INTEGER,
    start_kwh REAL, stop_kwh REAL, reason TEXT NOT NULL DEFAULT '',
    UNIQUE (charger, reference)
)
"""
_COLUMNS: Final = "number, charger, connector, reference, id_tag, start_ms, stop_ms, start_kwh, stop_kwh, reason"


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction; what has not been told yet is None."""

    number: int  # the transaction id we gave (1.6)
    charger: str
    connector: int
    reference: str  # what the charger calls it (2.0.1), or what tells a repeated start (1.6)
    id_tag: str
    start_ms: int | None
    stop_ms: int | None
    start_kwh: float | None
    stop_kwh: float | None
    reason: str

    @property
    def is_complete(self) -> bool:
        """Whether begin and end are both known."""
        return self.start_ms is not None and self.stop_ms is not None

    @property
    def energy_kwh(self) -> float | None:
        """What was charged; None until both counters are known, or where the counter began again meanwhile."""
        if self.start_kwh is None or self.stop_kwh is None or self.stop_kwh < self.start_kwh:
            return None
        return self.stop_kwh - self.start_kwh


class Sessions:
    """The transactions of all chargers; safe to call from several threads."""

    def __init__(self, folder: Path | None) -> None:
        """Open or create `folder/ocpp-sessions.sqlite`; without a folder they live as long as this object.

        Raises:
            ConfigError: the folder cannot be used.
        """
        self._lock = threading.Lock()
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            path = ":memory:" if folder is None else str(folder / "ocpp-sessions.sqlite")
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"{folder}: transactions cannot be kept there: {error}") from error

    def started(
        self, charger: str, connector: int, reference: str, *, id_tag: str, start_ms: int, start_kwh: float | None
    ) -> Session:
        """A transaction began; told again, it is the same one.

        Raises:
            StoreUnavailable: it could not be kept.
        """
        with self._changing():
            self._known(charger, connector, reference)
            self._db.execute(
                "UPDATE session SET start_ms = ?, start_kwh = coalesce(?, start_kwh), id_tag = ?, connector = ?"
                " WHERE charger = ? AND reference = ?",
                (start_ms, start_kwh, id_tag, connector, charger, reference),
            )
            return self._one(charger, reference)

    def stopped(
        self,
        charger: str,
        reference: str,
        *,
        stop_ms: int,
        stop_kwh: float | None,
        reason: str = "",
        start_kwh: float | None = None,
        connector: int = 0,
    ) -> Session:
        """A transaction ended; one whose begin was never heard is kept with what is known.

        Raises:
            StoreUnavailable: it could not be kept.
        """
        with self._changing():
            self._known(charger, connector, reference)
            self._db.execute(
                "UPDATE session SET stop_ms = ?, stop_kwh = coalesce(?, stop_kwh), reason = ?,"
                " start_kwh = coalesce(start_kwh, ?) WHERE charger = ? AND reference = ?",
                (stop_ms, stop_kwh, reason, start_kwh, charger, reference),
            )
            return self._one(charger, reference)

    def by_number(self, charger: str, number: int) -> Session | None:
        """The transaction we gave this number, if it is this charger's."""
        with self._lock:
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM session WHERE charger = ? AND number = ?",  # noqa: S608 - constant columns
                (charger, number),
            ).fetchone()
        return Session(*row) if row else None

    def all(self, charger: str | None = None) -> list[Session]:
        """Every session (of one charger), by begin; those whose begin is unknown come by their end."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM session WHERE ? IS NULL OR charger = ?"  # noqa: S608 - constant columns
                " ORDER BY coalesce(start_ms, stop_ms), number",
                (charger, charger),
            ).fetchall()
        return [Session(*row) for row in rows]

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    def _known(self, charger: str, connector: int, reference: str) -> None:
        self._db.execute(
            "INSERT INTO session (charger, connector, reference) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (charger, connector, reference),
        )

    def _one(self, charger: str, reference: str) -> Session:
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM session WHERE charger = ? AND reference = ?",  # noqa: S608 - constant columns
            (charger, reference),
        ).fetchone()
        return Session(*row)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """All or nothing."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise StoreUnavailable(f"the transaction cannot be kept: {error}") from error
