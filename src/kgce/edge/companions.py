"""Companions: jobs beside the flow of readings (page, control, remote configuration ...) that must never hurt it.

One that dies is started again after a wait, and says so once.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from kgce.edge.uplink.backoff import Backoff

log: Final = logging.getLogger(__name__)


class Companion(Protocol):
    """A job that runs until it is cancelled."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...


class KeptRunning:
    """One companion under a name, with how it fares."""

    def __init__(self, name: str, companion: Companion, *, make_backoff: Callable[[], Backoff] = Backoff) -> None:
        self.name = name
        self._companion = companion
        self._backoff = make_backoff()
        self._last_error = ""
        self._restarts = 0

    async def run(self) -> None:
        """Run it until cancelled; one that ends by itself is not started again."""
        while True:
            try:
                await self._companion.run()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if not self._last_error:
                    log.exception("%s died and is started again; readings go on", self.name)
                self._last_error = str(error) or repr(error)
            else:
                return
            await asyncio.sleep(self._backoff.next_s())
            self._restarts += 1

    def status(self) -> dict[str, Any]:
        """Name, restarts, last error."""
        return {"name": self.name, "restarts": self._restarts, "last_error": self._last_error}
