"""Fleet: the supervised sources of a gateway, which may be exchanged while the others go on.

run_only([a, c])   a runs on untouched, b ends, and c starts once b has let go of its line
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kgce.domain.ports import DeviceStatus, Emit, Source
from kgce.edge.ending import ended
from kgce.edge.supervisor import Supervisor
from kgce.edge.uplink.backoff import Backoff


@dataclass(slots=True, eq=False)
class _Member:
    source: Source
    supervisor: Supervisor
    task: asyncio.Task[None] | None = None


class Fleet:
    """Runs sources until cancelled."""

    def __init__(
        self,
        sources: Sequence[Source],
        emitter: Callable[[Source], Emit],
        *,
        make_backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        """`emitter` makes what a source calls with its batches."""
        self._emitter, self._make_backoff = emitter, make_backoff
        self._members = [self._member(source) for source in sources]
        self._is_running = False
        self._changing = asyncio.Lock()

    async def run(self) -> None:
        """Run every source until cancelled."""
        self._is_running = True
        for member in self._members:
            self._start(member)
        try:
            await asyncio.Event().wait()
        finally:
            self._is_running = False
            await self._end(self._members)

    async def run_only(self, sources: Sequence[Source]) -> None:
        """Run exactly these; who runs already is not disturbed, who is gone has let go before others start."""
        async with self._changing:
            kept = [member for member in self._members if any(member.source is source for source in sources)]
            gone = [member for member in self._members if member not in kept]
            await self._end(gone)
            known = [member.source for member in kept]
            fresh = [self._member(source) for source in sources if not any(source is one for one in known)]
            self._members = [*kept, *fresh]
            if self._is_running:
                for member in fresh:
                    self._start(member)

    def sources(self) -> list[Source]:
        """What runs now."""
        return [member.source for member in self._members]

    def status(self) -> list[dict[str, Any]]:
        """How each source fares."""
        return [member.supervisor.status() for member in self._members]

    def devices(self) -> list[DeviceStatus]:
        """Present state of the devices behind all sources."""
        return [device for member in self._members for device in member.supervisor.devices()]

    def _member(self, source: Source) -> _Member:
        return _Member(source, Supervisor(source, self._emitter(source), backoff=self._make_backoff()))

    @staticmethod
    def _start(member: _Member) -> None:
        member.task = asyncio.create_task(member.supervisor.run(), name=member.supervisor.name)

    @staticmethod
    async def _end(members: Sequence[_Member]) -> None:
        tasks = [member.task for member in members if member.task is not None]
        for task in tasks:
            task.cancel()
        await ended(tasks, "sources")
