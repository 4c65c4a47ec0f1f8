"""Events that wait beside the batches: bounded, the unimportant ones dropped first, counted on their own."""

import sqlite3
from dataclasses import asdict
from typing import Any, Final

import orjson

from kgce.domain.events import Event, Severity

MOST_EVENTS: Final = 10_000


class EventTable:
    """The table of events, written inside the buffer's transactions; its counts live in `meta`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.waiting = int(db.execute("SELECT count(*) FROM event").fetchone()[0])

    def put(self, event: Event) -> None:
        """Keep one event; beyond the bound the oldest of the least severe goes."""
        body = orjson.dumps(asdict(event), option=orjson.OPT_SERIALIZE_NUMPY)
        self._db.execute("INSERT INTO event (severity, body) VALUES (?, ?)", (event.severity.value, body))
        self._count("recorded", 1)
        if self.waiting >= MOST_EVENTS:
            self._db.execute(
                "DELETE FROM event WHERE number = (SELECT number FROM event"
                " ORDER BY CASE severity WHEN 'info' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, number LIMIT 1)"
            )
            self._count("dropped", 1)

    def peek(self, limit: int) -> list[tuple[int, Event]]:
        """The oldest events with their numbers."""
        found = self._db.execute("SELECT number, body FROM event ORDER BY number LIMIT ?", (limit,))
        return [(number, _event(orjson.loads(body))) for number, body in found]

    def done(self, numbers: list[int]) -> None:
        """Delete events the sink has."""
        deleted = sum(self._db.execute("DELETE FROM event WHERE number = ?", (number,)).rowcount for number in numbers)
        self._count("sent", deleted)

    def refresh(self) -> None:
        """Count what waits, after a commit or a roll-back."""
        self.waiting = int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """recorded = sent + dropped + waiting, over all starts."""
        found = dict(self._db.execute("SELECT name, value FROM meta WHERE name LIKE 'events.%'"))
        counts = {name: int(found.get(f"events.{name}", 0)) for name in ("recorded", "sent", "dropped")}
        return {**counts, "waiting": self.waiting}

    def _count(self, what: str, by: int) -> None:
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (f"events.{what}", by),
        )


def _event(found: dict[str, Any]) -> Event:
    return Event(**{**found, "severity": Severity(found["severity"])})
