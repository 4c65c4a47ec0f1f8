"""Buffer: batches that wait on disk between the checks and the sink, oldest first.

checks --put--> buffer.sqlite (WAL) --peek, done--> uplink
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.edge.buffer.codec import CorruptBatch, decode, encode
from kgce.edge.buffer.counters import Count, HandOverCounters, Tally
from kgce.edge.buffer.drop_records import Drop, DropRecords
from kgce.edge.buffer.file import open_buffer_file

log: Final = logging.getLogger(__name__)

DEFAULT_MAX_BYTES: Final = 256 * 1024 * 1024
_QUARANTINE_LIMIT: Final = 100  # damaged batches kept for a person to look at; older ones are deleted


class Durability(StrEnum):
    """What a batch outlives once `put` has returned."""

    FULL = "full"  # power cut: every commit waits for the disk
    NORMAL = "normal"  # crash or kill of the process; a power cut may take the last commits with it


@dataclass(slots=True)
class _Change:
    """What a transaction does to the totals, applied once it is committed."""

    moved: Tally = field(default_factory=Counter)
    rows: int = 0
    batches: int = 0


class Buffer:
    """Batches on disk and the counts of what became of them; one consumer, any number of producers.

    Durability: with FULL (the default) a batch survives a power cut from the moment `put` returns, as far as the disk
    honours fsync; with NORMAL it survives the death of the process, but a power cut may lose the last commits.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        durability: Durability = Durability.FULL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create `folder/buffer.sqlite`.

        Raises:
            ConfigError: another gateway holds the file, or it is not a buffer.
        """
        self.path = folder / "buffer.sqlite"
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._lease_end = 0  # the uplink is busy with batches up to this number
        self._db, self.boot, self.created_ms = open_buffer_file(self.path, durability.value, self._now_ms())
        self._counters = HandOverCounters(self._db)
        self._drops = DropRecords(self._db)
        self._batches, self._rows = self._db.execute("SELECT count(*), coalesce(sum(rows), 0) FROM batch").fetchone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def put(self, batch: Batch, otherwise: Tally | None = None) -> int:
        """Commit the batch, then return its number; 0 for a batch without rows.

        `otherwise` counts the rows that were polled with it but go no further (refused, duplicate).

        Raises:
            StoreUnavailable: nothing was kept or counted (disk full, file damaged).
        """
        return self.put_all([(batch, otherwise or Counter())])

    def put_all(self, batches: Sequence[tuple[Batch, Tally]]) -> int:
        """Commit several batches at once, all or none, each as `put` does; the number of the newest.

        Raises:
            StoreUnavailable: nothing was kept or counted.
        """
        seq = 0
        with self._transaction() as change:
            for batch, otherwise in batches:
                change.moved.update(otherwise)
                change.moved[Count.POLLED, ""] += len(batch) + sum(otherwise.values())
                if len(batch):
                    seq = self._insert(batch)
                    change.rows += len(batch)
                    change.batches += 1
            if seq:
                self._make_room(change, newest=seq)
        return seq

    def peek(self, limit_rows: int) -> list[tuple[int, Batch]]:
        """The oldest batches, at least one and about `limit_rows` rows; they stay until `done` or `release`.

        Raises:
            StoreUnavailable: the file does not answer.
        """
        found: list[tuple[int, Batch]] = []
        rows, last = 0, 0
        while rows < limit_rows:
            record = self._next_after(last)
            if record is None:
                break
            last, body = record
            try:
                batch = decode(body)
            except CorruptBatch as error:
                log.error("batch %d in %s is damaged (%s), set aside in quarantine", last, self.path, error)  # noqa: TRY400 - bit rot has no stack worth showing
                self.set_aside([last], Count.DROPPED, "buffer.corrupt")
                continue
            found.append((last, batch))
            rows += len(batch)
        return found

    def done(self, seqs: Sequence[int], outcome: Tally) -> None:
        """Delete batches the sink has answered for, and count its answer, in one transaction."""
        with self._transaction() as change:
            change.moved.update(outcome)
            for seq in seqs:
                self._delete(seq, change)

    def set_aside(self, seqs: Sequence[int], count: Count, reason: str) -> None:
        """Move batches nobody can take to the quarantine table, so that the rest goes on."""
        with self._transaction() as change:
            for seq in seqs:
                self._db.execute(
                    "INSERT INTO quarantine (seq, rows, reason, at_ms, body)"
                    " SELECT seq, rows, ?, ?, body FROM batch WHERE seq = ?",
                    (reason, self._now_ms(), seq),
                )
                change.moved[count, reason] += self._delete(seq, change)
            self._db.execute(
                "DELETE FROM quarantine WHERE seq NOT IN (SELECT seq FROM quarantine ORDER BY seq DESC LIMIT ?)",
                (_QUARANTINE_LIMIT,),
            )

    def release(self) -> None:
        """The peeked batches were not taken; they may be dropped again if space runs out."""
        self._lease_end = 0  # no lock: called from the event loop, which must never wait for the disk

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
        """The last spans given up to stay within the bound, oldest first."""
        with self._lock:
            return self._drops.newest(limit)

    def quarantined(self) -> int:
        """Batches in the quarantine table."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM quarantine").fetchone()[0])

    def waiting_rows(self) -> int:
        """Rows not yet taken by the sink."""
        return int(self._rows)

    def waiting_batches(self) -> int:
        """Batches not yet taken by the sink."""
        return int(self._batches)

    def size_bytes(self) -> int:
        """Bytes in use on disk, without the write-ahead log (a few MB, reused)."""
        with self._lock:
            pages, free, page_bytes = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * page_bytes)

    def close(self) -> None:
        """Write what is only noted, then release the file; closing twice is harmless."""
        with self._lock, contextlib.suppress(StoreUnavailable):
            if self._counters.noted():
                with self._transaction():
                    pass
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[_Change]:
        """All or nothing: rows, counters, then the totals in memory."""
        with self._lock:
            change, noted = _Change(), self._counters.noted()
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield change
                self._counters.write(self._db, noted + change.moved)
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

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _insert(self, batch: Batch) -> int:
        span = (int(batch.time_ms.min()), int(batch.time_ms.max()))
        cursor = self._db.execute(
            "INSERT INTO batch (boot, first_ms, last_ms, rows, body) VALUES (?, ?, ?, ?, ?)",
            (self.boot, *span, len(batch), encode(batch)),
        )
        return int(cursor.lastrowid or 0)

    def _next_after(self, seq: int) -> tuple[int, bytes] | None:
        """The next batch, leased: what a sink is busy with is not dropped under its hands."""
        with self._lock:
            try:
                record: tuple[int, bytes] | None = self._db.execute(
                    "SELECT seq, body FROM batch WHERE seq > ? ORDER BY seq LIMIT 1", (seq,)
                ).fetchone()
            except sqlite3.Error as error:
                raise self._unavailable(error) from error
            if record is not None:
                self._lease_end = record[0]
            return record

    def _delete(self, seq: int, change: _Change) -> int:
        deleted = self._db.execute("DELETE FROM batch WHERE seq = ? RETURNING rows", (seq,)).fetchone()
        if deleted is None:
            return 0
        change.rows -= deleted[0]
        change.batches -= 1
        return int(deleted[0])

    def _make_room(self, change: _Change, *, newest: int) -> None:
        """Drop the oldest batches until the bound is kept; never the newest, nor what the uplink is sending."""
        while self.size_bytes() > self.max_bytes:
            oldest = self._db.execute(
                "SELECT seq, first_ms, last_ms, rows FROM batch WHERE seq > ? AND seq < ? ORDER BY seq LIMIT 1",
                (self._lease_end, newest),
            ).fetchone()
            if oldest is None:
                return
            seq, first_ms, last_ms, _ = oldest
            rows = self._delete(seq, change)
            change.moved[Count.DROPPED, "buffer.full"] += rows
            self._drops.add(seq, first_ms=first_ms, last_ms=last_ms, rows=rows)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        if "full" in str(error):
            return StoreUnavailable(f"{self.path}: the disk is full; free some space, until then readings are lost")
        return StoreUnavailable(f"{self.path}: {error}")
