"""Site: simulated buildings brought to life: Modbus TCP servers and an MQTT publisher on loopback.

SiteConfig --> SimulatedBuilding --> devices --> ModbusServer, MqttPublisher --> collectors/
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from kgce.domain.errors import ConfigError, UnknownInstitution, UnknownPoint
from kgce.simulators.building import SimulatedBuilding
from kgce.simulators.devices.device import Clock, DeviceUnit, ModbusDevice, SimulatedDevice
from kgce.simulators.devices.lmv5 import Lmv5
from kgce.simulators.devices.pulse_meter import GAS, WATER, PulseMeter
from kgce.simulators.devices.sdm630 import Sdm630
from kgce.simulators.devices.terra_ac import TerraAc
from kgce.simulators.faults import Fault
from kgce.simulators.gateway_config import HOST, Broker, gateway_config
from kgce.simulators.modbus_server import ModbusServer, UnknownUnit
from kgce.simulators.mqtt_publisher import MqttPublisher, Report
from kgce.simulators.noise import derived_seed
from kgce.simulators.site_config import DeviceConfig, Model, SiteConfig, link_of, load_site, topic_of

__all__ = ["Site", "SiteConfig", "load_site"]

Link = tuple[str, str, int]

MODBUS_DEVICES: Final[dict[Model, Callable[[SimulatedBuilding, DeviceConfig], ModbusDevice]]] = {
    Model.SDM630: lambda building, device: Sdm630(building.electricity, derived_seed(building.seed, device.id)),
    Model.LMV5: lambda building, device: Lmv5(building.boilers[device.id]),
    Model.TERRA_AC: lambda building, device: TerraAc(
        building.chargers[device.id], derived_seed(building.seed, device.id)
    ),
}
PULSE_METERS: Final[dict[Model, Callable[[SimulatedBuilding], PulseMeter]]] = {
    Model.WATER_METER: lambda building: PulseMeter(WATER, building.water),
    Model.GAS_METER: lambda building: PulseMeter(GAS, building.gas),
}


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a Modbus device sits."""

    server: ModbusServer
    unit: int


class Site:
    """A running simulated site; without a broker port its water and gas meters stay silent."""

    def __init__(
        self,
        config: SiteConfig,
        clock: Clock = time.time,
        *,
        broker_port: int | None = None,
        broker_host: str = HOST,
        unknown_unit: UnknownUnit = UnknownUnit.SILENCE,
    ) -> None:
        self.config = config
        self.buildings = [SimulatedBuilding(building, seed=config.site.seed) for building in config.buildings]
        self._clock = clock
        self._broker = Broker(broker_host, broker_port) if broker_port is not None else None
        self._unknown_unit = unknown_unit
        self._devices: dict[tuple[str, str], SimulatedDevice] = {}
        self._seats: dict[tuple[str, str], _Seat] = {}
        self._servers: dict[Link, ModbusServer] = {}
        self._reports: list[Report] = []
        self._build()
        self._publisher: asyncio.Task[None] | None = None
        self._started = False

    def _build(self) -> None:
        links: dict[Link, dict[int, tuple[tuple[str, str], ModbusDevice]]] = {}
        for building in self.buildings:
            for device in building.config.devices:
                key = (building.config.institution, device.id)
                if device.model.speaks_modbus:
                    found = MODBUS_DEVICES[device.model](building, device)
                    links.setdefault(link_of(building.config, device), {})[device.unit] = (key, found)
                    self._devices[key] = found
                else:
                    meter = PULSE_METERS[device.model](building)
                    self._reports.append(Report(topic_of(building.config, device), device.every_s, meter.message))
                    self._devices[key] = meter
        for link, units in links.items():
            seats = {unit: DeviceUnit(device, self._clock) for unit, (_, device) in units.items()}
            server = ModbusServer(seats, host=HOST, port=link[2], unknown_unit=self._unknown_unit)
            self._servers[link] = server
            self._seats |= {key: _Seat(server, unit) for unit, (key, _) in units.items()}

    async def start(self) -> None:
        """Open every port and begin to publish.

        Raises:
            ConfigError: a fixed port is taken.
        """
        for server in self._servers.values():
            try:
                await server.start()
            except OSError as error:
                await self.stop()
                raise ConfigError(f"cannot listen on {HOST}:{server.port} ({error.strerror}); use port 0") from error
        if self._broker is not None and self._reports:
            publisher = MqttPublisher(
                self._reports,
                host=self._broker.host,
                port=self._broker.port,
                client_id=f"kgce-sim-{derived_seed(self.config.site.seed, self.config.site.name):016x}",
                clock=self._clock,
            )
            self._publisher = asyncio.create_task(publisher.run(), name="simulated meters")
        self._started = True

    async def stop(self) -> None:
        """Close everything; a stopped site can be started again."""
        self._started = False
        if self._publisher is not None:
            self._publisher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._publisher
            self._publisher = None
        for server in self._servers.values():
            await server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def gateway_config(self, broker_port: int | None = None, *, broker_host: str = HOST) -> dict[str, Any]:
        """Configuration of the collectors that read this site.

        Raises:
            ConfigError: the site is not running, so its free ports are not known yet.
        """
        if not self._started:
            raise ConfigError("start the simulated site before asking for its gateway configuration")
        broker = self._broker if broker_port is None else Broker(broker_host, broker_port)
        ports = {link: server.port for link, server in self._servers.items()}
        return gateway_config(self.config, ports=ports, broker=broker)

    def truth(self, institution: str, device: str, quantity: str, time_ms: int) -> float:
        """The planted value in the quantity's canonical unit, before the device rounds it.

        Raises:
            UnknownInstitution: not in this site.
            UnknownPoint: no such device, or it does not have this quantity.
        """
        values = self.device(institution, device).values(time_ms)
        if quantity not in values:
            raise UnknownPoint(f"{device} of {institution} has no {quantity!r}; it has {', '.join(sorted(values))}")
        return values[quantity]

    def device(self, institution: str, device: str) -> SimulatedDevice:
        """One device of this site.

        Raises:
            UnknownInstitution: not in this site.
            UnknownPoint: no such device.
        """
        found = self._devices.get((institution, device))
        if found is not None:
            return found
        known = sorted(name for owner, name in self._devices if owner == institution)
        if not known:
            raise UnknownInstitution(f"no simulated institution {institution!r} at {self.config.site.name}")
        raise UnknownPoint(f"no simulated device {device!r} at {institution}; known: {', '.join(known)}")

    def address(self, institution: str, device: str) -> tuple[str, int, int]:
        """(host, port, unit) of a Modbus device; raises UnknownPoint for any other."""
        self.device(institution, device)
        seat = self._seats.get((institution, device))
        if seat is None:
            raise UnknownPoint(f"{device} of {institution} publishes MQTT; it has no Modbus address")
        return HOST, seat.server.port, seat.unit

    def set_fault(self, institution: str, device: str, fault: Fault | None) -> None:
        """Give a Modbus device a fault, or (None) heal it; raises UnknownPoint for any other."""
        self.address(institution, device)
        seat = self._seats[institution, device]
        seat.server.set_fault(seat.unit, fault)
