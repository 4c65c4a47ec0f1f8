"""One poll of one device: wake it, make sure who it is, read its blocks; what it refuses is left out.

device --blocks--> link --registers--> raw values --layout--> Batch
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from kgce.collectors.modbus.block import Block
from kgce.collectors.modbus.device import PolledDevice
from kgce.collectors.modbus.exceptions import ILLEGAL_ADDRESS, ILLEGAL_VALUE, LATER
from kgce.collectors.modbus.identify import mismatch
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.link import DeviceRefused, ModbusLink
from kgce.collectors.modbus.plan import Read
from kgce.collectors.turns import LineDown
from kgce.domain.batch import Batch
from kgce.domain.errors import DeviceUnreachable

LOG = logging.getLogger(__name__)

HOLE: Final = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})  # split the block and remember
BUSY_RETRIES: Final = 2
BUSY_PAUSE_S: Final = 0.1  # devices.md hazard 21


class Conversation:
    """Polls one device over its link."""

    def __init__(
        self,
        device: PolledDevice,
        link: ModbusLink,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """Nothing is asked yet."""
        self._device, self._link = device, link
        self._clock, self._wall_clock = clock, wall_clock
        self._one_poll_at_a_time = asyncio.Lock()  # each may change the plan of the next
        self._wakes = link.line.wake_up_read or device.profile.device.wake_up_read
        self._stamps_each = device.profile.device.one_value_per_request  # its values are of different moments
        self._unit, self._pause_s = device.config.unit, device.pause_s

    async def poll(self) -> Batch:
        """Every value the device gives now.

        Raises:
            LineDown: nobody on this line can be asked.
            DeviceUnreachable: no whole answer, exceptions only, or it is not the device of its profile.
        """
        async with self._one_poll_at_a_time:
            return await self._poll()

    async def _poll(self) -> Batch:
        device = self._device
        if self._wakes or device.is_probed:
            await self._knock()
        if not device.is_identified:
            await self._identify()
        device.refresh(self._clock())
        answered: list[Block] = []
        raw: list[float] = []
        read_ms: list[int] = []
        for block in list(device.blocks):
            for part, values in await self._read(block):
                answered.append(part)
                raw += values
                if self._stamps_each:
                    read_ms += [self._now_ms()] * len(values)
        if not answered:
            device.plan()
            raise DeviceUnreachable(f"{self._link.line.address} unit {self._unit} answers with exceptions only")
        layout = device.layout(answered)
        batch = layout.batch(raw, self._now_ms())
        return _stamped(batch, layout, read_ms) if self._stamps_each else batch

    def close(self) -> None:
        """Let the connection go until the next poll."""
        self._link.close()

    async def _knock(self) -> None:
        """One small read: it wakes a sleeper, whose answer is not used, or finds out whether somebody is back."""
        try:
            await self._ask(self._device.probe())
        except DeviceRefused:
            return  # it is awake
        except LineDown:
            raise
        except DeviceUnreachable:
            if not self._wakes:
                raise

    async def _identify(self) -> None:
        """Compare the identification registers with the profile before anything is read.

        Raises:
            DeviceUnreachable: another device, or silence.
        """
        device = self._device
        answers: list[Sequence[int] | None] = []
        for read in device.identity:
            try:
                answers.append(await self._ask(read))
            except DeviceRefused as refusal:
                if refusal.code in LATER:
                    raise DeviceUnreachable(f"unit {self._unit} is busy before it was identified") from refusal
                answers.append(None)
        device.stranger = mismatch(device.profile, answers) or ""
        if device.stranger:
            raise DeviceUnreachable(f"{self._link.line.address} unit {self._unit}: {device.stranger}")
        device.is_identified = True

    async def _read(self, block: Block) -> list[tuple[Block, list[float]]]:
        """A block's raw values; what the device refuses is left out, never zero."""
        for attempt in range(BUSY_RETRIES + 1):
            try:
                registers = await self._ask(block.read)
            except DeviceRefused as refusal:
                if refusal.code in HOLE:
                    parts = self._device.split(block, refusal)
                    return [found for part in parts for found in await self._read(part)]
                if refusal.code not in LATER or attempt == BUSY_RETRIES:
                    LOG.debug("%s %s: %s", self._link.line.address, self._device.config.device, refusal)
                    return []
                await asyncio.sleep(BUSY_PAUSE_S)
            else:
                return [(block, block.raw(registers))]
        return []

    def _now_ms(self) -> int:
        return round(self._wall_clock() * 1000)

    async def _ask(self, read: Read) -> Sequence[int]:
        return await self._link.read(self._unit, read, pause_s=self._pause_s)


def _stamped(batch: Batch, layout: Layout, read_ms: Sequence[int]) -> Batch:
    """The batch with the time each point was read at (devices.md hazard 26)."""
    stamps = np.array(read_ms, np.int64)
    times = stamps if layout.reported is None else stamps[layout.reported]
    return Batch(batch.series, batch.index, times, batch.value, batch.quality)
