"""Control: the companion that looks every few seconds: alarms, then the site's current.

Snapshot --newest--> Alarms, Charging --> events, currents       state in <folder>/control.json
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from kgce.domain.control import CurrentLimiter
from kgce.domain.events import RecordEvent
from kgce.domain.ports import SeriesKey
from kgce.edge.control.alarms import Alarms, Live
from kgce.edge.control.charging import Charging
from kgce.edge.control.config import ControlTable

log: Final = logging.getLogger(__name__)

_LOOK_S: Final = 2.0


class Control:
    """A companion of the gateway; does nothing the file does not ask for."""

    def __init__(
        self,
        table: ControlTable,
        newest: Callable[[SeriesKey], Live | None],
        limiters: Callable[[], Sequence[CurrentLimiter]],
        record: RecordEvent,
        *,
        clock: Callable[[], float],
        folder: Path,
    ) -> None:
        self._alarms = Alarms(table.alarms, newest, record, clock)
        self._charging = Charging(table.charging, newest, limiters, record, clock) if table.charging else None
        self._period_s = table.charging.period_s if table.charging else _LOOK_S
        self._path = folder / "control.json"
        self._saved: bytes = b""
        self._restore()

    async def run(self) -> None:
        """Look until cancelled; then each charger's share runs out, and its fallback holds."""
        jobs = [asyncio.create_task(self._watch(), name="alarms")]
        if self._charging is not None:
            jobs.append(asyncio.create_task(self._share(self._charging), name="charging"))
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_EXCEPTION)
            for job in done:
                job.result()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    def status(self) -> dict[str, Any]:
        """What is raised, and how the current is shared."""
        return {
            "alarms": self._alarms.standing(),
            "charging": self._charging.status() if self._charging is not None else None,
        }

    async def _watch(self) -> None:
        while True:
            self._alarms.look()
            await asyncio.to_thread(self._save)
            await asyncio.sleep(_LOOK_S)

    async def _share(self, charging: Charging) -> None:
        while True:
            await charging.step()
            await asyncio.sleep(self._period_s)

    def _save(self) -> None:
        """Only what changed; a disk that takes nothing costs an alarm that may be raised twice."""
        state = orjson.dumps(self._alarms.state())
        if state == self._saved:
            return
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(state)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            log.debug("the alarms' state cannot be saved: %s", error)
        else:
            self._saved = state

    def _restore(self) -> None:
        try:
            self._alarms.restore(orjson.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read (%r): alarms start anew", self._path, error)
