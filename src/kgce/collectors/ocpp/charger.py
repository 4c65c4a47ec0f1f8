"""One charger, whatever version it speaks: its samples become batches, its transactions sessions, its state a status.

v16.py, v201.py --samples, transactions--> Charger --Batch--> emit
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Final

from kgce.collectors.ocpp.config import OcppConfig, OcppDeviceConfig
from kgce.collectors.ocpp.samples import Sample, Samples
from kgce.collectors.ocpp.sessions import Session, Sessions
from kgce.collectors.ocpp.unit_watch import UnitWatch
from kgce.domain.batch import Batch, Quality
from kgce.domain.ports import DeviceStatus, Emit

LOG = logging.getLogger(__name__)

MEASUREMENT: Final = "charger"
ENERGY: Final = "active_energy_import"
STATES: Final = {  # OCPP 1.6 section 7.7 and 2.0.1 part 2 section 3.32, as numbers that stay the same in the store
    "Available": 0, "Preparing": 1, "Occupied": 1, "Charging": 2, "SuspendedEVSE": 3, "SuspendedEV": 4,
    "Finishing": 5, "Reserved": 6, "Unavailable": 7, "Faulted": 8,
}  # fmt: skip
_EARLIEST_MS: Final = 1_262_304_000_000  # 2010-01-01: older than the protocol; the charger's clock is not set
_AHEAD_MS: Final = 300_000


class Charger:
    """What the source knows about one configured charger."""

    def __init__(
        self, system: OcppConfig, config: OcppDeviceConfig, sessions: Sessions, wall_clock: Callable[[], float]
    ) -> None:
        """Never heard of yet."""
        self.system, self.config, self.sessions = system, config, sessions
        self._wall_clock = wall_clock
        self.emit: Emit | None = None
        self.is_connected = False
        self.connections = self.messages = self.failures = 0
        self._since_ms = self._heard_ms = 0
        self._last_error = ""
        self._unsure_clock = False
        self._watches: dict[int, UnitWatch] = {}

    def now_ms(self) -> int:
        """Our own time."""
        return round(self._wall_clock() * 1000)

    def heard(self) -> None:
        """It said something."""
        self.messages += 1
        self._heard_ms = self.now_ms()

    def connected(self) -> None:
        """It opened a connection."""
        self.connections += 1
        self.is_connected, self._since_ms, self._heard_ms = True, self.now_ms(), self.now_ms()
        if self._last_error:
            LOG.warning("charger %s is back", self.config.charger)
        self._last_error = ""

    def gone(self, why: str) -> None:
        """Its connection ended."""
        self.is_connected, self._since_ms, self._last_error = False, self.now_ms(), why
        LOG.warning("charger %s is gone: %s", self.config.charger, why)

    def complain(self, what: str) -> None:
        """Count something it said that cannot be used; told in the status, and in the log once per text."""
        self.failures += 1
        if what != self._last_error:
            LOG.warning("charger %s: %s", self.config.charger, what)
            self._last_error = what

    def status(self) -> list[DeviceStatus]:
        """State of each of its devices."""
        silent = self.now_ms() - self._heard_ms > self.system.silent_after_s * 1000
        return [
            DeviceStatus(
                device=device,
                institution=self.config.institution,
                online=self.is_connected and not silent,
                since_ms=self._since_ms,
                polls=self.messages,
                failures=self.failures,
                last_error="silent for too long" if self.is_connected and silent else self._last_error,
            )
            for device in self.config.devices
        ]

    async def take(self, connector: int, samples: Samples) -> None:
        """Live values of one connector, durable when this returns; the frames of transactions stay out."""
        for reason in samples.refused:
            if not reason.endswith("is not used"):
                self.complain(reason)
        live = [one for one in samples.found if one.is_live]
        for one in live:
            self._watch_unit(connector, one)
        await self.hand_over(connector, [(one.quantity, one.time_ms, one.value) for one in live])

    async def take_state(self, connector: int, state: str, time_ms: int | None) -> None:
        """A connector's state."""
        if state in STATES:
            moment = self.now_ms() if time_ms is None else time_ms
            await self.hand_over(connector, [("charging_state", moment, float(STATES[state]))])

    async def take_session(self, session: Session) -> None:
        """The energy of a session that has ended."""
        if session.is_complete and session.energy_kwh is not None and session.stop_ms is not None:
            await self.hand_over(session.connector, [("session_energy", session.stop_ms, session.energy_kwh)])

    async def hand_over(self, connector: int, rows: Sequence[tuple[str, int, float]]) -> None:
        """(quantity, time, value) rows of one connector to whoever keeps them."""
        if not rows or self.emit is None:
            return
        place = self.config.model_copy(update={"device": self.config.device_of(connector)})
        batch = Batch.from_rows(
            (place.series(quantity, MEASUREMENT), *self._moment(time_ms, value)) for quantity, time_ms, value in rows
        )
        await self.emit(batch)

    async def in_store(self, work: Callable[[], Session]) -> Session:
        """Let the sessions be changed without holding up other chargers."""
        return await asyncio.to_thread(work)

    def _moment(self, time_ms: int, value: float) -> tuple[int, float, int]:
        """(time, value, quality): a clock that cannot be right is replaced by ours, and said so."""
        quality = Quality.BAD if math.isnan(value) else Quality.GOOD
        if _EARLIEST_MS <= time_ms <= self.now_ms() + _AHEAD_MS:
            return time_ms, value, int(quality)
        if not self._unsure_clock:
            self._unsure_clock = True
            LOG.warning("charger %s: its clock is wrong, times of arrival are taken instead", self.config.charger)
        return self.now_ms(), value, int(quality | Quality.TIME_UNSURE)

    def _watch_unit(self, connector: int, one: Sample) -> None:
        energy = one.value if one.quantity == ENERGY and not math.isnan(one.value) else None
        power = one.value if one.quantity == "active_power" and not math.isnan(one.value) else None
        if energy is None and power is None:
            return
        watch = self._watches.setdefault(connector, UnitWatch())
        if watch.saw(one.time_ms, energy, power):
            unit = one.stated_unit or "Wh, the default"
            self.complain(f"connector {connector} counts a thousand times too little for its power: kWh called {unit}?")
