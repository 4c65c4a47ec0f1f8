"""One polled device: its prepared requests, its schedule, its state."""

import logging
import math
from collections.abc import Sequence
from typing import Final

from kgce.collectors.device_state import DeviceState
from kgce.collectors.modbus.block import Block, block_of
from kgce.collectors.modbus.config import ModbusDeviceConfig
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.plan import halves, plan_reads

LOG = logging.getLogger(__name__)

SKIP_AFTER_ROUNDS: Final = 3  # silent rounds in a row
SKIP_S: Final = 30.0  # its next round is the probe: one request, given up at the first timeout
FORGET_HOLES_S: Final = 3600.0  # a device may have been asked while it was starting


class PolledDevice:
    """What the source knows about one device."""

    def __init__(self, config: ModbusDeviceConfig) -> None:
        """Plan its requests."""
        self.config = config
        self.profile = config.map
        self.blocks: list[Block] = []
        self.state = DeviceState(config.institution, config.device)
        self.due = 0.0
        self._silent_rounds = 0
        self._planned = 0.0
        self._holes: set[str] = set()
        self._answered: tuple[Block, ...] = ()
        self._layout = self._layout_of(())
        self.plan(0.0)

    def start(self, now: float) -> None:
        """The first tick is now; later ones follow at the interval."""
        self.due = now
        self.plan(now)

    def plan(self, now: float) -> None:
        """Ask for the whole map again, holes included."""
        self.blocks = [block_of(self.profile, read) for read in plan_reads(self.profile)]
        self._planned = now

    def split(self, block: Block, why: Exception) -> list[Block]:
        """Ask for a refused block in two halves from now on; a single point is left out."""
        point = block.read.points[0]
        reads = halves(block.read) if len(block.read.points) > 1 else ()
        parts = [block_of(self.profile, read) for read in reads]
        place = self.blocks.index(block)
        self.blocks[place : place + 1] = parts
        if not parts and point.name not in self._holes:
            self._holes.add(point.name)
            LOG.warning("%s %s has no %s: %s", self.config.institution, self.config.device, point.name, why)
        return parts

    def answered(self, now: float, now_ms: int) -> None:
        """A round gave readings."""
        self._silent_rounds = 0
        self.state.answered(now_ms)
        if self._holes and now - self._planned > FORGET_HOLES_S:
            self.plan(now)

    def silent(self, error: str, now_ms: int, *, link_is_up: bool) -> None:
        """A round gave nothing; while the link itself is down, the device is not to blame."""
        self._silent_rounds += link_is_up
        self.state.failed(error, now_ms)

    def set_next(self, now: float) -> None:
        """The next tick that has not passed; passed and skipped ones are counted, never made up for."""
        interval = self.config.interval_s
        missed = max(int((now - self.due) // interval), 0)
        if self._silent_rounds >= SKIP_AFTER_ROUNDS:
            missed = max(missed, math.ceil(SKIP_S / interval) - 1)
        self.state.missed_ticks += missed
        self.due += (1 + missed) * interval

    def layout(self, answered: Sequence[Block]) -> Layout:
        """Layout of the blocks that answered; the same one as long as the same do."""
        known = tuple(answered)
        if known != self._answered:
            self._answered, self._layout = known, self._layout_of(known)
        return self._layout

    def _layout_of(self, blocks: Sequence[Block]) -> Layout:
        return Layout.of(self.config, self.profile.device.measurement, blocks)
