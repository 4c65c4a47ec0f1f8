"""Buffer: batches and events that wait on disk between the checks and the sink.

checks --put--> buffer.sqlite (WAL) --peek_oldest, peek_newest, done--> uplink
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.events import Event
from kgce.edge.buffer.codec import CorruptBatch, decode, encode
from kgce.edge.buffer.core import DEFAULT_MAX_BYTES, BufferCore, Change, Durability
from kgce.edge.buffer.counters import Count, Tally
from kgce.edge.buffer.letters import Letter
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.buffer.queue import Waiting, newest_run, oldest_run

__all__ = ["DEFAULT_MAX_BYTES", "Buffer", "Durability"]

log: Final = logging.getLogger(__name__)

_LOOK_AT_AGE_S: Final = 60.0
_HELD_AT_ONCE: Final = 200


class Buffer(BufferCore):
    """Batches on disk and the counts of what became of them; one consumer, any number of producers.

    Durability: with FULL (the default) a power cut loses nothing that `put` has returned for, as far as the disk
    honours fsync; with NORMAL it loses at most the last 10 seconds, and the death of the process nothing.
    """

    def put(self, batch: Batch, otherwise: Tally | None = None) -> int:
        """Commit the batch, then return its number; 0 for a batch without rows.

        `otherwise` counts the rows that were polled with it but go no further (refused, duplicate).

        Raises:
            StoreUnavailable: nothing was kept or counted (disk full, file damaged).
        """
        return self.put_all([(batch, otherwise or Counter())])

    def put_all(self, batches: Sequence[tuple[Batch, Tally]], *, clock_id: str = "") -> int:
        """Commit several batches at once, all or none, each as `put` does; the number of the newest.

        `clock_id` names a clock nobody trusts: its batches are held until `rewrite_held`.

        Raises:
            StoreUnavailable: nothing was kept or counted.
        """
        seq = 0
        with self.transaction() as change:
            for batch, otherwise in batches:
                change.moved.update(otherwise)
                change.moved[Count.POLLED, ""] += len(batch) + sum(otherwise.values())
                if len(batch):
                    seq = self._insert(batch, clock_id, change)
            if seq:
                self._make_room(change, newest=seq)
        for batch, _ in batches:
            if len(batch):
                self._watermarks.passed(batch)
        return seq

    def peek_oldest(self, limit_rows: int, *, after: int = 0) -> Parcel | None:
        """The first run of batches with a number above `after`; it stays until `done` or `release`.

        Raises:
            StoreUnavailable: the file does not answer.
        """
        return self._parcel(lambda: oldest_run(self._db, limit_rows, after))

    def peek_newest(self, limit_rows: int, *, upto: int) -> Parcel | None:
        """The last run of batches with a number up to `upto`; it stays until `done` or `release`."""
        return self._parcel(lambda: newest_run(self._db, limit_rows, upto))

    def done(self, parcel: Parcel, outcome: Tally) -> None:
        """Delete what the sink has answered for, and count its answer, in one transaction."""
        with self.transaction() as change:
            change.moved.update(outcome)
            self._delete(parcel, change)

    def bury(self, parcel: Parcel, refused: Batch, reason: str, outcome: Tally) -> None:
        """The sink answered for one batch, but for these rows: they become a dead letter."""
        with self.transaction() as change:
            change.moved.update(outcome)
            change.moved[Count.REFUSED, "sink.refused"] += len(refused)
            self._aside.bury(parcel, refused, reason, self._now_ms())
            self._delete(parcel, change)

    def release(self) -> None:
        """The peeked batches were not taken; they may be dropped again if space runs out."""
        self._lease = (0, 0)  # no lock: called from the event loop, which must never wait for the disk

    def newest_seq(self) -> int:
        """The number of the newest batch ever put."""
        with self._lock:
            found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").fetchone()
            return int(found[0]) if found else 0

    def held_clock_ids(self) -> list[str]:
        """Clocks nobody trusted, whose batches wait for a correction."""
        with self._lock:
            return [str(clock) for (clock,) in self._db.execute("SELECT DISTINCT clock FROM batch WHERE clock != ''")]

    def rewrite_held(self, clock_id: str, change_batch: Callable[[Batch], Batch]) -> int:
        """Change what was held for this clock, then let it go up; rows changed. After a kill the rest is done.

        Raises:
            StoreUnavailable: the rest is still held.
        """
        rows = 0
        while True:
            with self.transaction():
                found = self._db.execute(
                    "SELECT seq, body FROM batch WHERE clock = ? ORDER BY seq LIMIT ?", (clock_id, _HELD_AT_ONCE)
                ).fetchall()
                for seq, body in found:
                    rows += self._release_held(seq, body, change_batch)
            if len(found) < _HELD_AT_ONCE:
                return rows

    def put_event(self, event: Event) -> None:
        """Commit one event.

        Raises:
            StoreUnavailable: it was not kept.
        """
        with self.transaction() as change:
            self._events.put(event)
            change.events_changed = True

    def peek_events(self, limit: int) -> list[tuple[int, Event]]:
        """The oldest events with their numbers; they stay until `events_done`."""
        with self.answering():
            return self._events.peek(limit)

    def events_done(self, numbers: list[int]) -> None:
        """Delete events the sink has."""
        with self.transaction() as change:
            self._events.done(numbers)
            change.events_changed = True

    def letters(self) -> list[Letter]:
        """Dead letters, oldest first."""
        with self.answering():
            return self._aside.letters()

    def letter(self, seq: int) -> tuple[Letter, Batch]:
        """One dead letter with its rows.

        Raises:
            InputError: there is none with this number.
        """
        with self.answering():
            found = self._aside.read(seq)
        if found is None:
            raise InputError(f"no dead letter {seq}")
        return found

    def retry_letter(self, seq: int) -> int:
        """Put a dead letter back to wait under its number; its rows."""
        letter, batch = self.letter(seq)
        with self.transaction() as change:
            self._db.execute(
                "INSERT OR REPLACE INTO batch (seq, boot, first_ms, last_ms, rows, body, amends)"
                " VALUES (?, ?, ?, ?, ?, ?, 1)",
                (seq, letter.boot, int(batch.time_ms.min()), int(batch.time_ms.max()), len(batch), encode(batch)),
            )
            self._aside.discard(seq)
            change.moved[Count.REFUSED, "sink.refused"] -= len(batch)
            change.rows, change.batches = len(batch), 1
        return len(batch)

    def discard_letter(self, seq: int) -> None:
        """Forget a dead letter; its rows stay counted as refused."""
        self.letter(seq)
        with self.transaction():
            self._aside.discard(seq)

    def waiting_by_lane(self, boundary: int) -> dict[str, int]:
        """Rows that wait as history (numbers up to `boundary`) and as live."""
        with self.answering():
            (live,) = self._db.execute(
                "SELECT coalesce(sum(rows), 0) FROM batch WHERE seq > ? AND clock = ''", (boundary,)
            ).fetchone()
            return {"live_rows": int(live), "history_rows": max(0, int(self._rows) - int(live))}

    def _insert(self, batch: Batch, clock_id: str, change: Change) -> int:
        span = (int(batch.time_ms.min()), int(batch.time_ms.max()))
        body = encode(batch)
        cursor = self._db.execute(
            "INSERT INTO batch (boot, first_ms, last_ms, rows, body, amends, clock) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.boot, *span, len(batch), body, int(self._watermarks.amends(batch)), clock_id),
        )
        change.rows += len(batch)
        change.batches += 1
        change.put_bytes += len(body)
        return int(cursor.lastrowid or 0)

    def _make_room(self, change: Change, *, newest: int) -> None:
        max_age_h, now_s = self._space.bounds.max_age_h, self._monotonic()
        if max_age_h is not None and now_s - self._aged_s >= _LOOK_AT_AGE_S:
            self._aged_s = now_s
            oldest_ms = self._now_ms() - int(max_age_h * 3_600_000)
            self._room.drop_older_than(oldest_ms, leased=self._is_leased, lost=change.lose, reason="buffer.age")
        bound = self._space.bound(self._file_bytes())
        self._room.make(
            is_enough=lambda: self.size_bytes() <= bound, leased=self._is_leased, newest=newest, lost=change.lose
        )

    def _is_leased(self, seq: int) -> bool:
        first, last = self._lease
        return first <= seq <= last

    def _parcel(self, find: Callable[[], list[Waiting]]) -> Parcel | None:
        while True:
            with self.answering():
                run = find()
                if not run:
                    return None
                self._lease = (run[0].seq, run[-1].seq)
            batches: list[Batch] = []
            for one in run:
                try:
                    batches.append(decode(one.body))
                except CorruptBatch as error:
                    log.error("batch %d in %s is damaged (%s), set aside in quarantine", one.seq, self.path, error)  # noqa: TRY400 - bit rot has no stack worth showing
                    self._quarantine(one.seq)
                    break
            else:
                return Parcel(run[0].boot, run[0].seq, run[-1].seq, Batch.concat(batches))

    def _quarantine(self, seq: int) -> None:
        with self.transaction() as change:
            self._aside.quarantine(seq, "buffer.corrupt", self._now_ms())
            (rows,) = self._db.execute("DELETE FROM batch WHERE seq = ? RETURNING rows", (seq,)).fetchone()
            change.lose(rows, "buffer.corrupt", 1)

    def _delete(self, parcel: Parcel, change: Change) -> None:
        deleted = self._db.execute(
            "DELETE FROM batch WHERE seq BETWEEN ? AND ? RETURNING rows", (parcel.first, parcel.last)
        ).fetchall()
        change.rows -= sum(rows for (rows,) in deleted)
        change.batches -= len(deleted)

    def _release_held(self, seq: int, body: bytes, change_batch: Callable[[Batch], Batch]) -> int:
        try:
            batch = change_batch(decode(body))
        except CorruptBatch:
            self._db.execute(
                "UPDATE batch SET clock = '' WHERE seq = ?", (seq,)
            )  # found again, and told, when it is sent
            return 0
        self._db.execute(
            "UPDATE batch SET clock = '', first_ms = ?, last_ms = ?, body = ?, amends = 1 WHERE seq = ?",
            (int(batch.time_ms.min()), int(batch.time_ms.max()), encode(batch), seq),
        )
        return len(batch)
