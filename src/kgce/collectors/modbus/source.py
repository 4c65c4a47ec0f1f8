"""ModbusSource: polls the devices behind one line and hands over one batch per device and poll.

take_turns --device due--> conversation --registers--> Batch --emit--> edge/
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from kgce.collectors.metering import metering_point
from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.conversation import Conversation
from kgce.collectors.modbus.device import PolledDevice
from kgce.collectors.modbus.link import ModbusLink
from kgce.collectors.turns import take_turns
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point


class ModbusSource:
    """Polls every device of a line at its interval, one request at a time on each connection."""

    def __init__(
        self,
        config: ModbusLinkConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the requests; nothing is opened yet."""
        self._config, self._wall_clock, self._clock = config, wall_clock, clock
        self._devices = [PolledDevice(device) for device in config.devices]
        self._links = [ModbusLink(config, clock) for _ in self._devices[: config.connections]]
        self._polls = {
            device: Conversation(device, self._links[at % len(self._links)], clock, wall_clock)
            for at, device in enumerate(self._devices)
        }

    @property
    def name(self) -> str:
        """The line's address."""
        return f"modbus {self._config.address}"

    def points(self) -> Sequence[Point]:
        """Metering points of the devices, from their profiles."""
        return [
            metering_point(device.config, point.name, device.profile.device.measurement)
            for device in self._devices
            for point in device.profile.metering
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every device on the line."""
        return [device.state.status() for device in self._devices]

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled."""
        try:
            if len(self._links) == 1:
                await self._take_turns(self._devices, emit)
                return
            async with asyncio.TaskGroup() as connections:
                for at in range(len(self._links)):
                    connections.create_task(self._take_turns(self._devices[at :: len(self._links)], emit))
        finally:
            self.close()

    async def poll(self, device_name: str) -> Batch:
        """Read one device now, outside its schedule; the connection stays open.

        Raises:
            ConfigError: no such device on this line.
            DeviceUnreachable: it gave no whole answer.
        """
        for device, conversation in self._polls.items():
            if device.config.device == device_name:
                return await conversation.poll()
        raise ConfigError(f"no device {device_name!r} at {self.name}")

    def close(self) -> None:
        """Let the connections go."""
        for link in self._links:
            link.close()

    async def _take_turns(self, devices: Sequence[PolledDevice], emit: Emit) -> None:
        await take_turns(devices, self._round, emit, clock=self._clock, wall_clock=self._wall_clock)

    async def _round(self, device: PolledDevice) -> Batch:
        conversation = self._polls[device]
        try:
            return await conversation.poll()
        finally:
            if self._config.close_after_poll:
                conversation.close()
