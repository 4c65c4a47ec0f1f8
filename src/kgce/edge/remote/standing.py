"""Standing: how this gateway stands with its versions: on disk, in the report at the broker, as events.

decision --> Record --> current.json
                  |---> report (retained)
                  `---> event
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from kgce.edge.remote.envelope import Signed
from kgce.edge.remote.news import News, report, summary
from kgce.edge.remote.record import Record, Refused
from kgce.edge.remote.versions import Versions

log: Final = logging.getLogger(__name__)

_STRANGER_S: Final = 60.0  # between two events about envelopes nobody we know has signed


class Standing:
    """One gateway's record of versions; every change of it is kept, and told."""

    def __init__(
        self,
        gateway: str,
        versions: Versions,
        news: News,
        *,
        publish: Callable[[bytes], None],
        clock: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._versions = versions
        self._publish = publish
        self._clock = clock
        self._stranger: Refused | None = None  # the last envelope that nobody we know has signed
        self._stranger_s = -math.inf
        self.news = news
        self.record: Record = versions.load()
        self.waiting: Signed | None = None  # good, but valid later

    async def keep(self, record: Record) -> None:
        """Remember; a disk that takes nothing costs the memory after the next start, not the present."""
        self.record = record
        try:
            await asyncio.to_thread(self._versions.save, record)
        except OSError as error:
            log.warning("the record of versions cannot be saved: %s", error)

    async def refuse(self, refused: Refused) -> None:
        """Something does not run, and why."""
        await self.keep(replace(self.record, refused=refused))
        self.news.refused(refused)
        self.report()

    def refuse_stranger(self, reason: str) -> None:
        """Nobody we know: it costs neither the disk nor the list of events anything."""
        self._stranger = Refused(reason, self.now_ms())
        self.report()
        if time.monotonic() - self._stranger_s >= _STRANGER_S:
            self._stranger_s = time.monotonic()
            self.news.refused(self._stranger)

    def is_decided(self, signed: Signed) -> bool:
        """The broker retains what it was sent: after each reconnect the same comes again."""
        refused, digest = self.record.refused, signed.digest
        waiting = self.waiting.digest if self.waiting else ""
        return digest in {self.record.highest_digest, refused.digest if refused else "", waiting}

    async def tell_of_the_start(self) -> None:
        """What `start_version` decided before anybody could be told."""
        record = self.record
        if record.untold == "rolled back" and record.refused is not None:
            self.news.rolled_back(record.refused, record.running)
        elif record.untold == "local":
            self.news.local(record.running)
        if record.untold:
            await self.keep(replace(record, untold=""))
        self.report()

    def report(self) -> None:
        """Publish how it is now."""
        self._publish(report(self._gateway, self._shown(), self.now_ms(), self._waits()))

    def status(self) -> dict[str, Any]:
        """The same for the gateway's own status."""
        return summary(self._shown(), self._waits())

    def now_ms(self) -> int:
        """UTC."""
        return int(self._clock() * 1000)

    def _shown(self) -> Record:
        stranger, refused = self._stranger, self.record.refused
        if stranger is None or (refused is not None and refused.at_ms >= stranger.at_ms):
            return self.record
        return replace(self.record, refused=stranger)

    def _waits(self) -> dict[str, int] | None:
        if self.waiting is None:
            return None
        payload = self.waiting.payload
        return {"version": payload.version, "valid_from_ms": payload.valid_from_ms}
