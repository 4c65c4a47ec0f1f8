"""Site: simulated buildings brought to life: servers, pseudo terminals and an MQTT publisher on loopback.

SiteConfig --> SimulatedBuilding --> devices --> lines, MqttPublisher --> collectors/
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from kgce.domain.errors import ConfigError, UnknownInstitution, UnknownPoint
from kgce.simulators.building import SimulatedBuilding
from kgce.simulators.devices.device import Clock, SimulatedDevice
from kgce.simulators.devices.pulse_meter import pulse_message
from kgce.simulators.fault_plan import AnyFault, PlannedFault, Reconnect
from kgce.simulators.fault_run import run_fault
from kgce.simulators.faults import Fault, Silent
from kgce.simulators.gateway_config import HOST, PULSES, Broker, gateway_config
from kgce.simulators.modbus_server import ModbusServer, UnknownUnit
from kgce.simulators.models import Speaks
from kgce.simulators.mqtt_conventions import CONVENTIONS
from kgce.simulators.mqtt_publisher import ManyTopics, MqttPublisher, Report, Reporting, Sent
from kgce.simulators.noise import derived_seed
from kgce.simulators.site_config import (
    BuildingConfig,
    DeviceConfig,
    LinkKey,
    SiteConfig,
    device_name,
    link_of,
    load_site,
    topic_of,
)
from kgce.simulators.site_devices import build_device
from kgce.simulators.site_lines import Server, open_line, place_of, seat_key
from kgce.simulators.value_faults import FaultyDevice

__all__ = ["Site", "SiteConfig", "load_site"]

Name = tuple[str, str]  # institution, device


class Site:
    """A running simulated site; without a broker port its publishing meters stay silent."""

    def __init__(
        self,
        config: SiteConfig,
        clock: Clock = time.time,
        *,
        broker_port: int | None = None,
        broker_host: str = HOST,
        unknown_unit: UnknownUnit = UnknownUnit.SILENCE,
        faults: Sequence[PlannedFault] = (),
    ) -> None:
        """`faults` come on top of those of the site's file.

        Raises:
            ConfigError: a fault for a device that is not here.
        """
        self.config = config
        self.buildings = [SimulatedBuilding(building, seed=config.site.seed) for building in config.buildings]
        self._clock = clock
        self._broker = Broker(broker_host, broker_port) if broker_port is not None else None
        self._devices: dict[Name, FaultyDevice] = {}
        self._links: dict[Name, LinkKey] = {}
        self._placed: dict[Name, DeviceConfig] = {}
        self._silent: set[Name] = set()  # publishing meters with that fault
        self._reports: list[Reporting] = []
        seats: dict[LinkKey, dict[Any, tuple[DeviceConfig, FaultyDevice]]] = {}
        for building in self.buildings:
            for device in building.config.devices:
                self._place(building, device, seats)
        self._lines = {link: open_line(link, found, clock, unknown_unit) for link, found in seats.items()}
        self._faults = [*(fault.planned for fault in config.faults), *faults]
        for fault in self._faults:
            self._concerned(fault)
        self.publisher: MqttPublisher | None = None
        self._jobs: list[asyncio.Task[None]] = []
        self._started = False

    def _place(
        self,
        building: SimulatedBuilding,
        device: DeviceConfig,
        seats: dict[LinkKey, dict[Any, tuple[DeviceConfig, FaultyDevice]]],
    ) -> None:
        name = (building.config.institution, device.id)
        found = self._devices[name] = FaultyDevice(build_device(building, device))
        self._placed[name] = device
        if device.facts.speaks is Speaks.MQTT:
            self._reports.append(self._report(name, building.config, device))
            return
        link = self._links[name] = link_of(building.config, device)
        seats.setdefault(link, {})[seat_key(device)] = (device, found)

    def _report(self, name: Name, building: BuildingConfig, device: DeviceConfig) -> Reporting:
        found = self._devices[name]
        if device.model in CONVENTIONS:
            said = CONVENTIONS[device.model](device_name(building, device))

            def round_of(time_ms: int) -> Sequence[Sent]:
                return [] if name in self._silent else said.messages(found.values(time_ms), found.clock_ms(time_ms))

            return ManyTopics(device.every_s, round_of)
        kind = PULSES[device.model]

        def message(time_ms: int) -> bytes | None:
            if name in self._silent:
                return None
            return pulse_message(kind, found.values(time_ms), found.clock_ms(time_ms))

        return Report(topic_of(building, device), device.every_s, message)

    async def start(self) -> None:
        """Open every line and begin to publish.

        Raises:
            ConfigError: a fixed port is taken.
        """
        for link, server in self._lines.items():
            try:
                await server.start()
            except OSError as error:
                await self.stop()
                raise ConfigError(f"cannot listen on {HOST}:{link.port} ({error.strerror}); use port 0") from error
        if self._broker is not None and self._reports:
            self.publisher = MqttPublisher(
                self._reports,
                host=self._broker.host,
                port=self._broker.port,
                client_id=f"kgce-sim-{derived_seed(self.config.site.seed, self.config.site.name):016x}",
                clock=self._clock,
            )
            self._jobs.append(asyncio.create_task(self.publisher.run(), name="simulated meters"))
        for fault in self._faults:
            for name in self._concerned(fault):
                job = run_fault(fault, partial(self.set_fault, *name))
                self._jobs.append(asyncio.create_task(job, name=f"fault of {name[1]}"))
        self._started = True

    async def stop(self) -> None:
        """Close everything; a stopped site can be started again."""
        self._started = False
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            with contextlib.suppress(asyncio.CancelledError):
                await job
        self._jobs.clear()
        self.publisher = None
        for server in self._lines.values():
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
        places = {link: place_of(server) for link, server in self._lines.items()}
        return gateway_config(self.config, places=places, broker=broker)

    def truth(self, institution: str, device: str, quantity: str, time_ms: int) -> float:
        """The planted value in the quantity's canonical unit, before any fault and before the device rounds it.

        Raises:
            UnknownInstitution: not in this site.
            UnknownPoint: no such device, or it does not have this quantity.
        """
        values = self.device(institution, device).values(time_ms)
        if quantity not in values:
            raise UnknownPoint(f"{device} of {institution} has no {quantity!r}; it has {', '.join(sorted(values))}")
        return values[quantity]

    def device(self, institution: str, device: str) -> SimulatedDevice:
        """One device of this site, without its faults.

        Raises:
            UnknownInstitution: not in this site.
            UnknownPoint: no such device.
        """
        found = self._devices.get((institution, device))
        if found is not None:
            return found.honest
        known = sorted(name for owner, name in self._devices if owner == institution)
        if not known:
            raise UnknownInstitution(f"no simulated institution {institution!r} at {self.config.site.name}")
        raise UnknownPoint(f"no simulated device {device!r} at {institution}; known: {', '.join(known)}")

    def line(self, institution: str, device: str) -> Server:
        """The server or terminal of a device; raises UnknownPoint for one that publishes."""
        self.device(institution, device)
        link = self._links.get((institution, device))
        if link is None:
            raise UnknownPoint(f"{device} of {institution} publishes MQTT; it has no Modbus address")
        return self._lines[link]

    def address(self, institution: str, device: str) -> tuple[str, int, int]:
        """(host, port, unit) of a Modbus device on a port; raises UnknownPoint for any other."""
        server = self.line(institution, device)
        if not isinstance(server, ModbusServer):
            raise UnknownPoint(f"{device} of {institution} has no Modbus port; its place: {place_of(server)}")
        return HOST, server.port, self._placed[institution, device].unit_id

    def set_fault(self, institution: str, device: str, fault: AnyFault | None) -> None:
        """Give a device a fault, or (None) heal it.

        Raises:
            UnknownInstitution: not in this site.
            UnknownPoint: no such device.
            ConfigError: a device of this protocol cannot have this fault.
        """
        self.device(institution, device)
        name = (institution, device)
        if isinstance(fault, Reconnect):
            self._reconnect(name)
            return
        if fault is None:
            self._devices[name].fault = None
        elif not isinstance(fault, Fault):
            self._devices[name].fault = fault
            return
        if name in self._links:
            self._lines[self._links[name]].set_fault(seat_key(self._placed[name]), fault)
        elif fault is None:
            self._silent.discard(name)
        elif isinstance(fault, Silent):
            self._silent.add(name)
        else:
            raise ConfigError(f"{device} publishes MQTT; of the faults of frames it can only be silent")

    def _reconnect(self, name: Name) -> None:
        if name not in self._links:
            if self.publisher is not None:
                self.publisher.drop_connection()
            return
        server = self._lines[self._links[name]]
        if not isinstance(server, ModbusServer):
            raise ConfigError(f"{name[1]}: only Modbus ports and MQTT connections can be dropped")
        server.drop_connections()

    def _concerned(self, fault: PlannedFault) -> list[Name]:
        found = [name for name in self._devices if fault.concerns(*name)]
        if not found:
            raise ConfigError(f"fault of {fault.device}: no such device in {self.config.site.name}")
        return found
