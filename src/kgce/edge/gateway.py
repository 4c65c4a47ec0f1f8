"""Gateway: the runtime that joins sources, checks, buffer and sink, and keeps its companions running.

Source --emit--> Intake (Checks) --> Buffer --> Uplink --> Sink
       polled    refused, duplicate  dropped    stored, duplicate, refused
                     |-- observers (live page, control)     Journal --events--^
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import Emit, Sink, Source
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from kgce.edge.checks.checks import Checks
from kgce.edge.companions import Companion, KeptRunning
from kgce.edge.ending import ended
from kgce.edge.fleet import Fleet
from kgce.edge.intake import GroupedIntake, Intake, Stamp
from kgce.edge.journal import Journal
from kgce.edge.uplink.backoff import Backoff
from kgce.edge.uplink.config import UplinkTable
from kgce.edge.uplink.ports import ParcelSink
from kgce.edge.uplink.uplink import Uplink

log: Final = logging.getLogger(__name__)


class Gateway:
    """One gateway; every row a source hands over is stored, duplicate, refused, dropped or waiting."""

    def __init__(
        self,
        gateway_id: str,
        sources: Sequence[Source],
        sink: Sink | ParcelSink,
        buffer: Buffer,
        *,
        clock: Callable[[], float] = time.time,
        checks: Checks | None = None,
        uplink: UplinkTable | None = None,
        journal: Journal | None = None,
        stamp: Stamp = lambda batch: (batch, ""),
        observers: Sequence[Callable[[Batch], object]] = (),
        make_backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        """Owns the buffer from here on; sources and sink stay the caller's.

        `stamp`: see edge/clock; `observers` see each batch once it is durable.
        """
        self.gateway_id = gateway_id
        self._buffer = buffer
        self._clock = clock
        self._make_backoff = make_backoff
        self._started_ms = int(clock() * 1000)
        self._journal = journal or Journal(buffer)
        self._intake = Intake(checks or Checks(clock=clock), buffer, stamp=stamp, observers=observers)
        self._grouped = GroupedIntake(self._intake)
        self._uplink = Uplink(buffer, sink, gateway=gateway_id, table=uplink, clock=clock, backoff=make_backoff())
        self._companions: list[KeptRunning] = [KeptRunning("journal", self._journal, make_backoff=make_backoff)]
        self._sections: dict[str, Callable[[], Any]] = {}
        self.fleet = Fleet(sources, self.emitter, make_backoff=make_backoff)
        self._in_flight: set[asyncio.Future[None]] = set()
        self._disk_takes_nothing = False

    def accompany(self, name: str, companion: Companion) -> None:
        """Keep a job running beside the readings, from the next `run` on."""
        self._companions.append(KeptRunning(name, companion, make_backoff=self._make_backoff))

    def replace_checks(self, checks: Checks) -> None:
        """Judge by other limits from now on."""
        self._intake.replace_checks(checks)

    def retune(self, table: UplinkTable) -> None:
        """Hand over at another pace from now on."""
        self._uplink.retune(table)

    def checks_state(self) -> dict[str, Any]:
        """What the checks must remember over a restart, fit for JSON."""
        return self._intake.checks_state()

    def report(self, section: str, status: Callable[[], Any]) -> None:
        """Add a section to the status."""
        self._sections[section] = status

    async def run(self) -> None:
        """Run until cancelled; then sources end, emits under way are committed and the rest is handed over once."""
        uplink = asyncio.create_task(self._uplink.run(), name=f"{self.gateway_id} uplink")
        companions = [asyncio.create_task(one.run(), name=one.name) for one in self._companions]
        sources = asyncio.create_task(self.fleet.run(), name=f"{self.gateway_id} sources")
        try:
            done, _ = await asyncio.wait({uplink, sources}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await self._stop([sources, *companions], uplink)

    def emitter(self, source: Source) -> Emit:
        """What this source calls with a batch: awaited, it returns once the batch is durable."""
        # A sender that repeats what was not acknowledged must not be told that a lost batch is safe.
        repeats = bool(getattr(source, "repeats_unacknowledged", False))

        def emit(batch: Batch) -> "asyncio.Future[None]":
            taking = asyncio.ensure_future(self._take(source, batch, drop_if_full=not repeats))
            self._in_flight.add(taking)
            taking.add_done_callback(self._in_flight.discard)
            return asyncio.shield(taking)  # a cancelled source leaves its batch on the way into the buffer

        return emit

    def counters(self) -> dict[str, int]:
        """Rows polled, stored, duplicate, refused, dropped since the buffer was created, and waiting now."""
        return self._buffer.counters()

    def status(self) -> dict[str, Any]:
        """Everything a health page shows, fit for JSON."""
        counts = self.counters()
        return {
            "gateway": self.gateway_id,
            "boot": self._buffer.boot,
            "started_ms": self._started_ms,
            "counting_since_ms": self._buffer.created_ms,
            "counters": counts,
            "equation_holds": holds(counts),
            "keeps_readings": not self._disk_takes_nothing,
            "reasons": self._buffer.reasons(),
            "marks": self._intake.marks(),
            "buffer": self._buffer.status(),
            "events": {**self._buffer.event_counts(), "latest": self._journal.latest()},
            "uplink": self._uplink.status(),
            "sources": self.fleet.status(),
            "devices": [asdict(device) for device in self.fleet.devices()],
            "companions": [one.status() for one in self._companions],
            **{name: status() for name, status in self._sections.items()},
        }

    def close(self) -> None:
        """Release the buffer; what waits in it is sent after the next start."""
        self._buffer.close()

    async def _take(self, source: Source, batch: Batch, *, drop_if_full: bool) -> None:
        try:
            await self._grouped.take(id(source), batch)
        except StoreUnavailable as error:
            self._tell_disk(error)
            if not drop_if_full:
                raise
            await asyncio.to_thread(self._buffer.note_dropped, len(batch), "buffer.unavailable")
        else:
            self._tell_disk(None)

    def _tell_disk(self, error: StoreUnavailable | None) -> None:
        """Once when the buffer stops taking batches, once when it takes them again."""
        if error is not None and not self._disk_takes_nothing:
            log.error("%s", error)
        if error is None and self._disk_takes_nothing:
            log.info("the buffer takes readings again")
        self._disk_takes_nothing = error is not None

    async def _stop(self, jobs: list[asyncio.Task[None]], uplink: asyncio.Task[None]) -> None:
        for task in jobs:
            task.cancel()
        await ended(jobs, "jobs")
        await ended(list(self._in_flight), "emits")
        await asyncio.to_thread(self._journal.flush)
        self._uplink.stop()
        await ended([uplink], "uplink")
        uplink.cancel()
        await asyncio.gather(uplink, return_exceptions=True)
