"""Inspection: what lies in the buffer of a gateway that does not run; nothing in the file is changed.

buffer.sqlite --read only--> counts, drops, dead letters, events, batches
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.events import Event
from kgce.edge.buffer.codec import CorruptBatch, decode
from kgce.edge.buffer.counters import HandOverCounters, holds
from kgce.edge.buffer.drop_records import Drop, DropRecords
from kgce.edge.buffer.event_table import MOST_EVENTS, EventTable
from kgce.edge.buffer.file import SCHEMA
from kgce.edge.buffer.letters import Letter, SetAside
from kgce.edge.buffer.repair import repairs

_BUSY_TIMEOUT_S: Final = 0.5
_MOST_DROPS: Final = 100_000


class Inspection:
    """A look into a buffer's file; close it before the gateway starts again."""

    def __init__(self, folder: Path) -> None:
        """Open `folder/buffer.sqlite` for reading.

        Raises:
            ConfigError: there is none, a gateway holds it, it is damaged, or it is of another kgce.
        """
        self.path = folder / "buffer.sqlite"
        if not self.path.exists():
            raise ConfigError(f"{folder} holds no buffer; no gateway has run with this folder yet")
        self._db = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        with self._telling():
            self._db.execute("PRAGMA query_only = ON")
            (schema,) = self._db.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
            if int(schema) != SCHEMA:
                raise ConfigError(f"buffer {self.path} has schema {schema}; a start of the gateway carries it over")
            self._counters = HandOverCounters(self._db)
            self._events = EventTable(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    def status(self) -> dict[str, Any]:
        """The parts of a gateway's status that its disk remembers; fit for JSON."""
        with self._telling():
            batches, rows, first_ms, last_ms, held = self._db.execute(
                "SELECT count(*), coalesce(sum(rows), 0), min(first_ms), max(last_ms),"
                " coalesce(sum(CASE WHEN clock != '' THEN rows END), 0) FROM batch"
            ).fetchone()
            pages, free, page_bytes = (
                int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            letters, damaged = SetAside(self._db).counts()
            counters = {**self._counters.totals(), "waiting": rows}
            buffer = {
                "bytes": (pages - free) * page_bytes,
                "batches": batches,
                "rows": rows,
                "oldest_ms": first_ms,
                "newest_ms": last_ms,
                "held_rows": held,
                "dead_letters": letters,
                "quarantined_batches": damaged,
                "drops": [asdict(drop) for drop in DropRecords(self._db).newest(10)],
                "repairs": repairs(self._db),
            }
            return {
                "counters": counters,
                "equation_holds": holds(counters),
                "reasons": self._counters.reasons(),
                "buffer": buffer,
                "events": self._events.counts(),
            }

    def drops(self) -> list[Drop]:
        """Every span that was given up, oldest first."""
        with self._telling():
            return DropRecords(self._db).newest(_MOST_DROPS)

    def letters(self) -> list[Letter]:
        """Dead letters, oldest first."""
        with self._telling():
            return SetAside(self._db).letters()

    def letter(self, seq: int) -> tuple[Letter, Batch]:
        """One dead letter with its rows.

        Raises:
            InputError: there is none with this number, or it is damaged.
        """
        with self._telling():
            try:
                found = SetAside(self._db).read(seq)
            except CorruptBatch as error:
                raise InputError(f"dead letter {seq} is damaged ({error}); it can only be discarded") from None
        if found is None:
            raise InputError(f"no dead letter {seq}; kgce edge buffer letters lists them")
        return found

    def events(self) -> list[Event]:
        """Events that have not gone up yet, oldest first."""
        with self._telling():
            return [event for _, event in self._events.peek(MOST_EVENTS)]

    def waiting(self) -> Iterator[Batch | None]:
        """Each batch that waits, in the order it was read; None for a damaged one."""
        with self._telling():
            for (body,) in self._db.execute("SELECT body FROM batch ORDER BY seq"):
                try:
                    yield decode(body)
                except CorruptBatch:
                    yield None

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._db.close()
            if "locked" in str(error):
                raise ConfigError(f"a gateway runs with {self.path}; stop it first") from None
            text = "the next start of the gateway repairs it and keeps what can be read"
            raise ConfigError(f"buffer {self.path} cannot be read ({error}); {text}") from None
        except ConfigError:
            self._db.close()
            raise
