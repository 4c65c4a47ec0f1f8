"""Room: what is given up when the buffer is full, the least valuable first; every loss leaves a record and a count.

1. gauges of the oldest batches are thinned to the first reading of each series and quarter of an hour  buffer.thinned
2. those are given up too                                                                              buffer.gauges
3. whole batches, the oldest first: counters and states last, for they hold the energy                  buffer.full

A thinned reading is one that a device gave; a mean would be a number nobody measured.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray
from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.tree import Series
from kgce.edge.buffer.codec import CorruptBatch, decode, encode
from kgce.edge.buffer.drop_records import DropRecords
from kgce.edge.checks.by_table import ByTable

_SLOT_MS: Final = 900_000  # a quarter of an hour, the grid of the ledger
_AT_ONCE: Final = 100  # batches rewritten before the size is looked at again
_WHOLE, _THINNED, _STRIPPED = 0, 1, 2
THINNED: Final = "buffer.thinned"
GAUGES: Final = "buffer.gauges"
FULL: Final = "buffer.full"

Lost = Callable[[int, str, int], None]  # (rows, reason, batches that are gone wholly)


@dataclass(frozen=True, slots=True)
class _Record:
    seq: int
    first_ms: int
    last_ms: int
    rows: int
    body: bytes


class Room:
    """Gives up rows inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection, drops: DropRecords) -> None:
        self._db = db
        self._drops = drops
        self._is_gauge = ByTable(_gauges)
        self._slots: dict[tuple[str, str, str], int] = {}  # the last quarter of an hour kept of each series

    def make(self, *, is_enough: Callable[[], bool], leased: Callable[[int], bool], newest: int, lost: Lost) -> None:
        """Give up until it is enough; never the newest batch, nor what the uplink is sending."""
        if is_enough():
            return
        for level, give_up in ((_WHOLE, self._thin), (_THINNED, self._strip)):
            while not is_enough():
                records = self._oldest(level, leased, newest)
                if not records:
                    break
                for record in records:
                    give_up(record, lost)
        while not is_enough():
            records = self._oldest(None, leased, newest)
            if not records:
                return
            for record in records[: max(1, len(records) // 10)]:
                self._drop(record, FULL, lost)

    def drop_older_than(self, oldest_ms: int, *, leased: Callable[[int], bool], lost: Lost, reason: str) -> None:
        """Drop batches that end before this time."""
        for record in self._oldest(None, leased, 1 << 62):
            if record.last_ms < oldest_ms:
                self._drop(record, reason, lost)

    def _oldest(self, level: int | None, leased: Callable[[int], bool], newest: int) -> list[_Record]:
        found = self._db.execute(
            "SELECT seq, first_ms, last_ms, rows, body FROM batch WHERE seq < ? AND (? IS NULL OR level = ?)"
            " ORDER BY seq LIMIT ?",
            (newest, level, level, _AT_ONCE),
        )
        return [record for record in (_Record(*columns) for columns in found) if not leased(record.seq)]

    def _thin(self, record: _Record, lost: Lost) -> None:
        batch = self._decoded(record, lost)
        if batch is None:
            return
        kept = np.ones(len(batch), np.bool_)
        gauges = self._is_gauge.of(batch.series)[batch.index] if len(batch) else kept
        for row in np.flatnonzero(gauges).tolist():
            key, slot = batch.series[batch.index[row]].key, int(batch.time_ms[row]) // _SLOT_MS
            kept[row] = self._slots.get(key) != slot
            self._slots[key] = slot
        self._keep(record, batch.select(kept), _THINNED, THINNED, lost)

    def _strip(self, record: _Record, lost: Lost) -> None:
        batch = self._decoded(record, lost)
        if batch is not None:
            kept = ~self._is_gauge.of(batch.series)[batch.index]
            self._keep(record, batch.select(kept), _STRIPPED, GAUGES, lost)

    def _keep(self, record: _Record, rest: Batch, level: int, reason: str, lost: Lost) -> None:
        """The batch with these rows only, under its number; without any row it is gone."""
        gone = record.rows - len(rest)
        if not gone:
            self._db.execute("UPDATE batch SET level = ? WHERE seq = ?", (level, record.seq))
            return
        if not len(rest):
            self._drop(record, reason, lost)
            return
        (boot, amends, clock, attempts) = self._db.execute(
            "DELETE FROM batch WHERE seq = ? RETURNING boot, amends, clock, attempts", (record.seq,)
        ).fetchone()
        # Deleted and put again rather than updated: only a deletion lets SQLite join half-empty pages.
        self._db.execute(
            "INSERT INTO batch (seq, boot, first_ms, last_ms, rows, body, amends, level, clock, attempts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (record.seq, boot, int(rest.time_ms.min()), int(rest.time_ms.max()), len(rest), encode(rest), amends, level,
             clock, attempts),
        )  # fmt: skip
        self._note(record, gone, reason)
        lost(gone, reason, 0)

    def _drop(self, record: _Record, reason: str, lost: Lost) -> None:
        self._db.execute("DELETE FROM batch WHERE seq = ?", (record.seq,))
        self._note(record, record.rows, reason)
        lost(record.rows, reason, 1)

    def _note(self, record: _Record, rows: int, reason: str) -> None:
        self._drops.add(record.seq, first_ms=record.first_ms, last_ms=record.last_ms, rows=rows, reason=reason)

    def _decoded(self, record: _Record, lost: Lost) -> Batch | None:
        """None for one that rotted away: it is the first to go."""
        try:
            return decode(record.body)
        except CorruptBatch:
            self._drop(record, "buffer.corrupt", lost)
            return None


def _gauges(series: tuple[Series, ...]) -> BoolArray:
    return np.array([_is_gauge(one.quantity) for one in series], np.bool_)


def _is_gauge(name: str) -> bool:
    """A name the catalogue does not know may be a counter: it is kept as one."""
    try:
        return quantity_of(name).kind is Kind.GAUGE
    except InputError:
        return False
