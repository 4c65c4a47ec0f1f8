"""BufferCore: the buffer's file with its totals: everything or nothing is committed, and the totals always fit."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from kgce.domain.errors import StoreUnavailable
from kgce.edge.buffer.counters import Count, HandOverCounters, Tally
from kgce.edge.buffer.drop_records import Drop, DropRecords
from kgce.edge.buffer.event_table import EventTable
from kgce.edge.buffer.file import is_damage
from kgce.edge.buffer.hours import Rate, hours_left
from kgce.edge.buffer.late import Watermarks
from kgce.edge.buffer.letters import SetAside
from kgce.edge.buffer.repair import open_or_repair, repairs
from kgce.edge.buffer.room import Room
from kgce.edge.buffer.space import Bounds, Disk, Space, disk_of

log: Final = logging.getLogger(__name__)

DEFAULT_MAX_BYTES: Final = 256 * 1024 * 1024
SYNC_S: Final = 10.0  # with NORMAL durability the disk is asked to be sure at least so often
_HOUR_MS: Final = 3_600_000


class Durability(StrEnum):
    """What a batch outlives once `put` has returned."""

    FULL = "full"  # power cut: every commit waits for the disk
    NORMAL = "normal"  # crash or kill of the process; a power cut may take the last SYNC_S seconds with it


@dataclass(slots=True)
class Change:
    """What a transaction does to the totals, applied once it is committed."""

    moved: Tally = field(default_factory=Counter)
    rows: int = 0
    batches: int = 0
    put_bytes: int = 0
    events_changed: bool = False

    def lose(self, rows: int, reason: str, batches: int) -> None:
        """Rows are given up."""
        self.moved[Count.DROPPED, reason] += rows
        self.rows -= rows
        self.batches -= batches


class BufferCore:
    """The open file, its tables and totals; safe to call from several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        bounds: Bounds | None = None,
        durability: Durability = Durability.FULL,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        disk: Callable[[Path], Disk] = disk_of,
    ) -> None:
        """Open or create `folder/buffer.sqlite`; a damaged one is moved aside and what can be read of it is kept.

        Raises:
            ConfigError: another gateway holds the file, or it is of a newer kgce.
        """
        self.path = folder / "buffer.sqlite"
        self._clock, self._monotonic = clock, monotonic
        self._durability = durability
        self._space = Space(bounds or Bounds(max_bytes, min_free_bytes=0, min_free_share=0.0), lambda: disk(folder),
                            monotonic=monotonic)  # fmt: skip
        self._lock = threading.RLock()
        self._lease = (0, 0)  # the uplink is busy with these
        self._synced_s = self._aged_s = monotonic()
        self._open()

    def _open(self) -> None:
        opened = open_or_repair(self.path, self._durability.value, self._now_ms())
        self._db, self.boot, self.starts, self.created_ms = opened.db, opened.boot, opened.starts, opened.created_ms
        self.past_boots = opened.past_boots
        self._page_bytes = int(self._db.execute("PRAGMA page_size").fetchone()[0])
        self._counters = HandOverCounters(self._db)
        self._drops = DropRecords(self._db)
        self._events = EventTable(self._db)
        self._aside = SetAside(self._db)
        self._room = Room(self._db, self._drops)
        self._batches, self._rows, until_ms = self._db.execute(
            "SELECT count(*), coalesce(sum(rows), 0), coalesce(max(last_ms), 0) FROM batch"
        ).fetchone()
        self._watermarks = Watermarks(until_ms)
        known = self._db.execute("SELECT value FROM meta WHERE name = 'bytes_per_hour'").fetchone()
        self._rate = Rate(self._monotonic, known=float(known[0]) if known else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is only noted, then release the file; closing twice is harmless."""
        with self._lock, contextlib.suppress(StoreUnavailable, sqlite3.ProgrammingError), self.transaction():
            self._remember_rate()
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Change]:
        """All or nothing: rows, counters, then the totals in memory.

        Raises:
            StoreUnavailable: nothing was done; a damaged file has been repaired, so that the next try may work.
        """
        with self._lock:
            change, noted = Change(), self._counters.noted()
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield change
                moved = Counter(noted)
                moved.update(change.moved)
                self._counters.write(self._db, moved)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise self._unavailable(error) from error
            except BaseException:
                self._roll_back()
                raise
            self._counters.settle(noted=noted, moved=change.moved)
            self._rows += change.rows
            self._batches += change.batches
            self._rate.add(change.put_bytes)
            if change.events_changed:
                self._events.refresh()
            self.sync_if_due()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Read something.

        Raises:
            StoreUnavailable: the file does not answer.
        """
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def sync_if_due(self) -> None:
        """With NORMAL durability, let the disk be sure of everything at least every SYNC_S seconds."""
        now_s = self._monotonic()
        if self._durability is Durability.FULL or now_s - self._synced_s < SYNC_S:
            return
        self._synced_s = now_s
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def note_dropped(self, rows: int, reason: str) -> None:
        """Count polled rows that could not be put; written with the next transaction that succeeds."""
        with self._lock:
            self._counters.note(Counter({(Count.POLLED, ""): rows, (Count.DROPPED, reason): rows}))

    def counters(self) -> dict[str, int]:
        """Rows polled, stored, duplicate, refused, dropped since the buffer was created, and waiting now."""
        with self._lock:
            return {**self._counters.totals(), "waiting": self._rows}

    def reasons(self) -> dict[str, dict[str, int]]:
        """Why rows were refused, dropped or taken for duplicates."""
        return self._counters.reasons()

    def drops(self, limit: int = 10) -> list[Drop]:
        """The last spans given up to stay within the bounds, oldest first."""
        with self._lock:
            return self._drops.newest(limit)

    def event_counts(self) -> dict[str, int]:
        """Events recorded, sent, dropped, waiting."""
        with self._lock:
            return self._events.counts()

    def waiting_rows(self) -> int:
        """Rows not yet taken by the sink."""
        return int(self._rows)

    def waiting_batches(self) -> int:
        """Batches not yet taken by the sink."""
        return int(self._batches)

    def waiting_events(self) -> int:
        """Events not yet taken by the sink."""
        return self._events.waiting

    def quarantined(self) -> int:
        """Damaged batches that are kept for a person to look at."""
        with self._lock:
            return self._aside.counts()[1]

    @property
    def max_bytes(self) -> int:
        """The bound of the content."""
        return self._space.bounds.max_bytes

    def size_bytes(self) -> int:
        """Bytes in use on disk, without the write-ahead log (a few MB, reused)."""
        with self._lock:
            free = int(self._db.execute("PRAGMA freelist_count").fetchone()[0])
            return self._file_bytes() - free * self._page_bytes

    def status(self) -> dict[str, Any]:
        """How full it is, how long it lasts, what was given up or repaired; fit for JSON."""
        with self._lock:
            used, (letters, damaged) = self.size_bytes(), self._aside.counts()
            oldest_ms, held = self._db.execute(
                "SELECT min(first_ms), coalesce(sum(CASE WHEN clock != '' THEN rows END), 0) FROM batch"
            ).fetchone()
            drops, mended = [asdict(drop) for drop in self._drops.newest(10)], repairs(self._db)
        bounds, rate = self._space.bounds, self._rate.per_hour()
        left = hours_left(
            used=used,
            size_bound=bounds.max_bytes,
            disk_bytes=self._space.above_floor() + max(0, self._file_bytes() - used),
            bytes_per_hour=rate,
            max_age_h=bounds.max_age_h,
            oldest_h=0.0 if oldest_ms is None else (self._now_ms() - oldest_ms) / _HOUR_MS,
        )
        return {
            "bytes": used,
            "max_bytes": bounds.max_bytes,
            "batches": self._batches,
            "rows": self._rows,
            "hours_left": left.hours,
            "bound_by": left.bound_by,
            "bytes_per_hour": rate,
            "oldest_ms": oldest_ms,
            "free_bytes": self._space.disk().free,
            "floor_bytes": self._space.floor_bytes,
            "below_floor": self._space.is_short(),
            "held_rows": held,
            "quarantined_batches": damaged,
            "dead_letters": letters,
            "drops": drops,
            "repairs": mended,
            "durability": self._durability.value,
        }

    def _file_bytes(self) -> int:
        return int(self._db.execute("PRAGMA page_count").fetchone()[0]) * self._page_bytes

    def _remember_rate(self) -> None:
        rate = self._rate.per_hour()
        if rate is not None:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('bytes_per_hour', ?)", (rate,))

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        if is_damage(error):
            self._mend(error)
            return StoreUnavailable(f"{self.path}: {error}; what could be read of it is kept")
        if "full" in str(error):
            return StoreUnavailable(f"{self.path}: the disk is full; free some space, until then readings are lost")
        return StoreUnavailable(f"{self.path}: {error}")

    def _mend(self, error: sqlite3.Error) -> None:
        """A page broke while running: start anew with what can be read; what is only noted is not forgotten."""
        log.error("%s is damaged (%s)", self.path, error)
        noted = self._counters.noted()
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self._open()
        self._counters.note(noted)
