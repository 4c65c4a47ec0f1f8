"""OcppCharger: a charger that connects to a central system, says its truth, and misbehaves on demand.

SimulatedDevice --values--> OcppCharger --WebSocket--> central system
"""

import asyncio
import contextlib
import logging
import random
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import SSLContext
from typing import Any, Final

from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v201 import ChargePoint as ChargePoint201
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from kgce.simulators.devices.device import Clock, SimulatedDevice
from kgce.simulators.ocpp.dialects import Dialect, Dialect16, Dialect201
from kgce.simulators.ocpp.profiles import ChargingProfiles

LOG = logging.getLogger(__name__)
_QUIET = logging.getLogger("kgce.simulators.ocpp.wire")
_QUIET.setLevel(logging.CRITICAL + 1)
_TRY_AGAIN_S: Final = 1.0
_SAY_AGAIN_S: Final = 0.2
_ANSWER_S: Final = 10


@dataclass(frozen=True, slots=True)
class Habits:
    """How a charger differs from an honest, well-connected one."""

    clock_off_s: float = 0.0  # its clock ahead of the true one
    kwh_called_wh: bool = False  # its register holds kWh, labelled Wh
    energy_drops: bool = False  # its register falls to the session's energy while charging
    rejects_lists: bool = False  # refuses the list of measurands if one of them is not its own
    drops_line_every_s: float | None = None  # reconnect storm
    garbage_every: int = 0  # every n-th message is followed by bytes that are no OCPP
    repeats: bool = False  # says everything twice, as after a lost answer


class OcppCharger:
    """Connects, boots, reports at its interval, charges when told; what it says without a line waits in its queue."""

    def __init__(
        self,
        identity: str,
        device: SimulatedDevice,
        url: str,
        clock: Clock,
        *,
        version: str = "1.6",
        interval_s: float = 60.0,
        habits: Habits | None = None,
        password: str | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        """`url` is the central system's, without the identity."""
        self.identity, self.device, self.clock = identity, device, clock
        self.interval_s = interval_s
        self.habits = habits or Habits()
        self.profiles = ChargingProfiles(lambda: self.now().timestamp())
        self.settings: dict[str, str] = {}  # what the central system set
        self.queue: list[Any] = []  # messages not answered yet, oldest first
        self.dialect: Dialect = Dialect16(self) if version == "1.6" else Dialect201(self)
        self.connections = self.refusals = 0
        self._url = f"{url}/{identity}"
        self._headers = {"Authorization": _basic(identity, password)} if password is not None else {}
        self._tls = tls
        self._said = 0
        self._news = asyncio.Event()

    def now(self) -> datetime:
        """Its own clock."""
        return datetime.fromtimestamp(self.clock() + self.habits.clock_off_s, UTC)

    def values(self) -> Mapping[str, float]:
        """Its truth now, as its registers show it."""
        values = dict(self.device.values(round(self.clock() * 1000)))
        if self.habits.energy_drops and self.dialect.is_charging:
            values["active_energy_import"] = values.get("session_energy", 0.0)
        return values

    def say(self, message: Any) -> None:
        """Queue one message."""
        self.queue.append(message)
        self._news.set()

    def report(self) -> None:
        """Its meter values."""
        self.say(self.dialect.meter_values(self.values()))

    def start(self, tag: str = "tag-1") -> None:
        """A transaction begins."""
        for message in self.dialect.start(tag, self.values()):
            self.say(message)

    def stop(self) -> None:
        """It ends."""
        for message in self.dialect.stop(self.values()):
            self.say(message)

    async def run(self) -> None:
        """Live until cancelled; a lost line is tried again, and what was not answered is said again."""
        reporting = asyncio.create_task(self._report_for_ever(), name=f"{self.identity} reports")
        try:
            while True:
                with contextlib.suppress(OSError, TimeoutError, WebSocketException):
                    await self._live_once()
                _heed_cancellation()
                await asyncio.sleep(_TRY_AGAIN_S * random.uniform(0.2, 1.0))  # noqa: S311 - jitter, no secret
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(float(self.settings.get(self.dialect.interval_key, self.interval_s)))
            self.report()

    async def _live_once(self) -> None:
        async with connect(
            self._url,
            subprotocols=[Subprotocol(self.dialect.subprotocol)],
            additional_headers=self._headers,
            ssl=self._tls,
            close_timeout=1,
        ) as line:
            self.connections += 1
            client = self.dialect.client(self.identity, line, _ANSWER_S, _QUIET)
            listening = asyncio.create_task(_until_closed(client), name=f"{self.identity} listens")
            try:
                async with asyncio.timeout(self.habits.drops_line_every_s):
                    await client.call(self.dialect.boot())
                    await client.call(self.dialect.status("Available"))
                    await self._say_all(client, line)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _say_all(self, client: ChargePoint16 | ChargePoint201, line: ClientConnection) -> None:
        while True:
            _heed_cancellation()
            while self.queue:
                message = self.dialect.ready(self.queue[0])
                try:
                    for _ in range(2 if self.habits.repeats else 1):
                        answer = await client.call(message, suppress=False)
                    _heed_cancellation()
                except OCPPError:  # not taken: it stays the oldest and is said again
                    self.refusals += 1
                    await asyncio.sleep(_SAY_AGAIN_S)
                    continue
                self.dialect.answered(self.queue.pop(0), answer)
                self._said += 1
                if self.habits.garbage_every and self._said % self.habits.garbage_every == 0:
                    await line.send('[2, "torn')
            self._news.clear()
            await self._news.wait()


def _heed_cancellation() -> None:
    """Python 3.11's wait_for, inside the library, swallows a cancellation that comes together with its answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _until_closed(client: Any) -> None:
    with contextlib.suppress(ConnectionClosed):
        await client.start()


def _basic(identity: str, password: str) -> str:
    return "Basic " + b64encode(f"{identity}:{password}".encode()).decode()
