"""ModbusSource: polls the devices behind one link and hands over one batch per device and poll.

plan --link--> registers --block--> raw values --layout--> Batch --emit--> edge/
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from kgce.collectors.metering import metering_point
from kgce.collectors.modbus.block import Block
from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.device import PolledDevice
from kgce.collectors.modbus.link import DeviceRefused, LinkDown, ModbusLink
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, DeviceUnreachable
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)

ILLEGAL_ADDRESS: Final = (0x02, 0x03)  # a hole in the map: split the block and remember
BUSY: Final = 0x06
BUSY_RETRIES: Final = 2
BUSY_PAUSE_S: Final = 0.1  # devices.md hazard 21


class ModbusSource:
    """Polls every device of a link at its interval, one request at a time."""

    def __init__(
        self,
        config: ModbusLinkConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the requests; nothing is opened yet."""
        self._config, self._wall_clock, self._clock = config, wall_clock, clock
        self._link = ModbusLink(config.host, config.port, config.timeout_s, clock)
        self._devices = [PolledDevice(device) for device in config.devices]

    @property
    def name(self) -> str:
        """The link's address."""
        return f"modbus {self._config.host}:{self._config.port}"

    def points(self) -> Sequence[Point]:
        """Metering points of the devices, from their profiles."""
        return [
            metering_point(device.config, point.name, device.profile.device.measurement)
            for device in self._devices
            for point in device.profile.metering
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every device on the link."""
        return [device.state.status() for device in self._devices]

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled."""
        for device in self._devices:
            device.start(self._clock())
        try:
            while True:
                device = min(self._devices, key=lambda device: device.due)
                await asyncio.sleep(max(device.due - self._clock(), 0))
                batch = await self._round(device)
                device.set_next(self._clock())
                if len(batch):
                    await emit(batch)
        finally:
            self.close()

    async def poll(self, device_name: str) -> Batch:
        """Read one device now, outside its schedule; the connection stays open.

        Raises:
            ConfigError: no such device on this link.
            DeviceUnreachable: it gave no whole answer.
        """
        for device in self._devices:
            if device.config.device == device_name:
                return await self._poll(device)
        raise ConfigError(f"no device {device_name!r} at {self.name}")

    def close(self) -> None:
        """Let the connection go."""
        self._link.close()

    async def _round(self, device: PolledDevice) -> Batch:
        """One scheduled poll; a silent device gives an empty batch and a failure in its state."""
        try:
            batch = await self._poll(device)
        except DeviceUnreachable as error:
            device.silent(str(error), self._wall_ms(), link_is_up=not isinstance(error, LinkDown))
            return Batch.empty()
        device.answered(self._clock(), self._wall_ms())
        return batch

    async def _poll(self, device: PolledDevice) -> Batch:
        answered: list[Block] = []
        raw: list[float] = []
        for block in list(device.blocks):
            for part, values in await self._read(device, block):
                answered.append(part)
                raw += values
        if not answered:
            device.plan(self._clock())
            raise DeviceUnreachable(f"{self.name} unit {device.config.unit} answers with exceptions only")
        return device.layout(answered).batch(raw, self._wall_ms())

    async def _read(self, device: PolledDevice, block: Block) -> list[tuple[Block, list[float]]]:
        """A block's raw values; what the device refuses is left out, never zero."""
        for attempt in range(BUSY_RETRIES + 1):
            try:
                registers = await self._link.read(device.config.unit, block.read)
            except DeviceRefused as refusal:
                if refusal.code in ILLEGAL_ADDRESS:
                    return await self._read_parts(device, block, refusal)
                if refusal.code != BUSY or attempt == BUSY_RETRIES:
                    LOG.debug("%s %s: %s", self.name, device.config.device, refusal)
                    return []
                await asyncio.sleep(BUSY_PAUSE_S)
            else:
                return [(block, block.raw(registers))]
        return []

    async def _read_parts(
        self, device: PolledDevice, block: Block, refusal: DeviceRefused
    ) -> list[tuple[Block, list[float]]]:
        """Halve a refused block until only the registers that are not there are left out."""
        return [found for part in device.split(block, refusal) for found in await self._read(device, part)]

    def _wall_ms(self) -> int:
        return round(self._wall_clock() * 1000)
