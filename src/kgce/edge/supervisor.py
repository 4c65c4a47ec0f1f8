"""Supervisor: keeps one source running; a source that dies is started again, the others never notice."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from kgce.domain.batch import Batch
from kgce.domain.errors import TryAgain
from kgce.domain.ports import DeviceStatus, Emit, Source
from kgce.edge.uplink.backoff import Backoff

log: Final = logging.getLogger(__name__)


class Supervisor:
    """Runs a source, restarts it after a wait, says so once."""

    def __init__(self, source: Source, emit: Emit, *, backoff: Backoff | None = None) -> None:
        """A batch that arrives safely proves the source healthy again."""
        self._source = source
        self._emit = emit
        self._backoff = backoff or Backoff()
        self._restarts = 0
        self._is_failing = False
        self._last_error = ""

    @property
    def name(self) -> str:
        """The source's name."""
        return self._source.name

    def devices(self) -> Sequence[DeviceStatus]:
        """Present state of the devices behind the source."""
        return self._source.status()

    def status(self) -> dict[str, Any]:
        """Name, whether it fails, restarts since the start, last error."""
        return {
            "name": self.name,
            "failing": self._is_failing,
            "restarts": self._restarts,
            "last_error": self._last_error,
        }

    async def run(self) -> None:
        """Run the source until cancelled, or until it says itself that it is finished."""
        while True:
            try:
                await self._source.run(self._pass_on)
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                self._failed(RuntimeError("the source cancelled itself"))
            except Exception as error:  # noqa: BLE001 - whatever a source dies of, it is started again
                self._failed(error)
            else:
                log.info("source %s is finished", self.name)
                return
            await asyncio.sleep(self._backoff.next_s())
            self._restarts += 1

    async def _pass_on(self, batch: Batch) -> None:
        await self._emit(batch)
        if self._is_failing:
            log.info("source %s is back", self.name)
            self._is_failing = False
            self._backoff.reset()

    def _failed(self, error: Exception) -> None:
        self._last_error = str(error) or repr(error)
        if not self._is_failing:
            expected = isinstance(error, TryAgain)
            log.error("source %s died and is started again: %s", self.name, error, exc_info=None if expected else error)
        self._is_failing = True


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
