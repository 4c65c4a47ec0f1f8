"""ModbusSource: polls the devices behind one link and hands over one batch per device and poll.

plan --link--> registers --block--> values --stamp--> Batch
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from kgce.collectors.device_state import DeviceState
from kgce.collectors.metering import metering_point
from kgce.collectors.modbus.block import Block, block_of
from kgce.collectors.modbus.config import ModbusDeviceConfig, ModbusLinkConfig
from kgce.collectors.modbus.link import DeviceRefused, LinkDown, ModbusLink
from kgce.collectors.modbus.plan import Read, halves, plan_reads
from kgce.domain.batch import Batch, FloatArray
from kgce.domain.errors import DeviceUnreachable
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point, Series

LOG = logging.getLogger(__name__)

ILLEGAL_ADDRESS: Final = (0x02, 0x03)  # a hole in the map: split the block and remember
BUSY: Final = 0x06
BUSY_RETRIES: Final = 2
BUSY_PAUSE_S: Final = 0.1
QUARANTINE_AFTER: Final = 3  # failed rounds in a row
QUARANTINE_S: Final = 30.0


class _Device:
    """One polled device: its prepared requests, its clock, its state."""

    def __init__(self, config: ModbusDeviceConfig, now: float) -> None:
        self.config = config
        self.blocks = [block_of(config.map, read) for read in plan_reads(config.map)]
        self.state = DeviceState(config.institution, config.device)
        self.due = now
        self.failed_rounds = 0
        self._series: dict[Block, list[Series]] = {}

    def series_of(self, block: Block) -> list[Series]:
        """Series of a block's points, made once."""
        known = self._series.get(block)
        if known is None:
            measurement = self.config.map.device.measurement
            known = [self.config.series(point.name, measurement) for point in block.read.points]
            self._series[block] = known
        return known

    def replace(self, block: Block, reads: Sequence[Read]) -> None:
        """Ask for a block in other requests from now on."""
        place = self.blocks.index(block)
        self.blocks[place : place + 1] = [block_of(self.config.map, read) for read in reads]


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
        self._devices = [_Device(device, clock()) for device in config.devices]

    @property
    def name(self) -> str:
        """The link's address."""
        return f"modbus {self._config.host}:{self._config.port}"

    def points(self) -> Sequence[Point]:
        """Metering points of the devices, from their profiles."""
        return [
            metering_point(device.config, point.name, device.config.map.device.measurement)
            for device in self._devices
            for point in device.config.map.metering
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every device on the link."""
        return [device.state.status() for device in self._devices]

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled."""
        try:
            while True:
                device = min(self._devices, key=lambda device: device.due)
                await asyncio.sleep(max(device.due - self._clock(), 0))
                batch = await self.round(device)
                self._set_next(device)
                if len(batch):
                    await emit(batch)
        finally:
            self._link.close()

    async def poll(self, device_name: str) -> Batch:
        """Read one device now, outside its schedule.

        Raises:
            DeviceUnreachable: it gave no whole answer.
        """
        device = next(device for device in self._devices if device.config.device == device_name)
        return await self._poll(device)

    async def round(self, device: _Device) -> Batch:
        """One scheduled poll; a silent device gives an empty batch and a failure in its state."""
        try:
            batch = await self._poll(device)
        except DeviceUnreachable as error:
            if not isinstance(error, LinkDown):  # a dead link says nothing about the devices behind it
                device.failed_rounds += 1
            device.state.failed(str(error), self._wall_ms())
            return Batch.empty()
        device.failed_rounds = 0
        device.state.answered(self._wall_ms())
        return batch

    async def _poll(self, device: _Device) -> Batch:
        series: list[Series] = []
        values: list[FloatArray] = []
        for block in list(device.blocks):
            for part, found in await self._read(device, block):
                series += device.series_of(part)
                values.append(found)
        if not values:
            raise DeviceUnreachable(f"unit {device.config.unit} answers with exceptions only")
        return self._batch(series, np.concatenate(values))

    async def _read(self, device: _Device, block: Block) -> list[tuple[Block, FloatArray]]:
        """A block's values; what the device refuses is left out, never zero."""
        for attempt in range(BUSY_RETRIES + 1):
            try:
                registers = await self._link.read(device.config.unit, block.read)
            except DeviceRefused as refusal:
                if refusal.code == BUSY and attempt < BUSY_RETRIES:
                    await asyncio.sleep(BUSY_PAUSE_S)
                    continue
                if refusal.code in ILLEGAL_ADDRESS:
                    return await self._split(device, block, refusal)
                LOG.debug("%s %s: %s", self.name, device.config.device, refusal)
                return []
            return [(block, block.decode(registers))]
        return []

    async def _split(self, device: _Device, block: Block, refusal: DeviceRefused) -> list[tuple[Block, FloatArray]]:
        """Halve a refused block until only the registers that are not there are left out, for good."""
        if len(block.read.points) == 1:
            LOG.warning("%s %s has no %s: %s", self.name, device.config.device, block.read.points[0].name, refusal)
            device.replace(block, ())
            return []
        parts = halves(block.read)
        device.replace(block, parts)
        found = []
        for part in parts:
            prepared = next(known for known in device.blocks if known.read == part)
            found += await self._read(device, prepared)
        return found

    def _batch(self, series: Sequence[Series], values: FloatArray) -> Batch:
        stamp = np.full(len(values), self._wall_ms(), np.int64)
        quality = np.isnan(values).astype(np.uint8)  # Quality.BAD is 1
        return Batch(tuple(series), np.arange(len(values), dtype=np.int32), stamp, values, quality)

    def _set_next(self, device: _Device) -> None:
        """The next tick that has not passed; passed ones are counted, never made up for."""
        now = self._clock()
        interval = device.config.interval_s
        quarantined = device.failed_rounds >= QUARANTINE_AFTER
        wait = max(interval, QUARANTINE_S) if quarantined else interval
        missed = max(int((now - device.due) // interval), 0)
        device.state.missed_ticks += missed
        device.due += wait + missed * interval
        if quarantined:
            device.state.missed_ticks += int(wait // interval) - 1

    def _wall_ms(self) -> int:
        return round(self._wall_clock() * 1000)
