"""Hand-over counters: polled = stored + duplicate + refused + dropped + waiting.

They live in the buffer's database and are written in the very transaction that moves the rows, so the equation holds
after a crash too. `waiting` is not counted here: it is what the buffer really holds.
"""

import sqlite3
import threading
from collections import Counter
from enum import StrEnum


class Count(StrEnum):
    """What is counted, in rows."""

    POLLED = "polled"  # a source handed them over
    STORED = "stored"  # the sink keeps them
    DUPLICATE = "duplicate"  # they were there already
    REFUSED = "refused"  # they can never be kept
    DROPPED = "dropped"  # lost for want of space, or damaged in the buffer


Tally = Counter[tuple[Count, str]]  # (what, why) -> rows; why is "" where nothing needs explaining


def holds(counts: dict[str, int]) -> bool:
    """Whether every polled row is accounted for."""
    return counts["polled"] == sum(counts[name] for name in ("stored", "duplicate", "refused", "dropped", "waiting"))


class HandOverCounters:
    """Totals by count and reason since the buffer was created; safe to call from several threads."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Load the totals."""
        self._lock = threading.Lock()
        self._written: Tally = Counter(
            {(Count(name), reason): rows for name, reason, rows in db.execute("SELECT name, reason, rows FROM counter")}
        )
        self._noted: Tally = Counter()

    def note(self, tally: Tally) -> None:
        """Count now, write with the next transaction: for when the disk takes nothing."""
        with self._lock:
            self._noted.update(tally)

    def noted(self) -> Tally:
        """What has been counted but not yet written."""
        with self._lock:
            return self._noted.copy()

    def write(self, db: sqlite3.Connection, tally: Tally) -> None:
        """Add to the table, inside the caller's transaction."""
        db.executemany(
            "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (name, reason) DO UPDATE SET rows = rows + excluded.rows",
            [(count.value, reason, rows) for (count, reason), rows in tally.items()],
        )

    def settle(self, *, noted: Tally, moved: Tally) -> None:
        """The transaction that wrote these is committed."""
        with self._lock:
            self._noted.subtract(noted)
            self._noted += Counter()  # forgets the zeros
            self._written.update(noted)
            self._written.update(moved)

    def totals(self) -> dict[str, int]:
        """Rows by count, zeros included."""
        totals = dict.fromkeys((count.value for count in Count), 0)
        for (count, _), rows in self._all().items():
            totals[count.value] += rows
        return totals

    def reasons(self) -> dict[str, dict[str, int]]:
        """Rows by count and reason, where a reason was given."""
        found: dict[str, dict[str, int]] = {}
        for (count, reason), rows in sorted(self._all().items()):
            if reason:
                found.setdefault(count.value, {})[reason] = rows
        return found

    def _all(self) -> Tally:
        with self._lock:
            return self._written + self._noted
