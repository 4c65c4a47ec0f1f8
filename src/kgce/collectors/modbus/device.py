"""One polled device: its prepared requests, its turn on the line, whether it is what its profile says."""

import logging
import math
from collections.abc import Sequence
from typing import Final

from kgce.collectors.modbus.block import Block, block_of
from kgce.collectors.modbus.config import ModbusDeviceConfig
from kgce.collectors.modbus.identify import identification_reads
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.plan import Read, halves, plan_reads
from kgce.collectors.turns import Turn

LOG = logging.getLogger(__name__)

FORGET_HOLES_S: Final = 3600.0  # a device may have been asked while it was starting
STRANGER_S: Final = 3600.0  # a device that is not what its profile says is asked again this seldom


class PolledDevice(Turn):
    """What the source knows about one device."""

    def __init__(self, config: ModbusDeviceConfig) -> None:
        """Plan its requests."""
        super().__init__(config.institution, config.device, config.interval_s)
        self.config = config
        self.profile = config.map
        self.blocks: list[Block] = []
        self.identity: tuple[Read, ...] = identification_reads(self.profile)
        self.is_identified = not self.identity
        self.stranger = ""  # why it is not the device of its profile
        self._holes: set[str] = set()
        self._holes_since: float | None = None
        self._answered: tuple[Block, ...] = ()
        self._layout = self._layout_of(())
        self.plan()

    @property
    def pause_s(self) -> float:
        """Silence the device wants before each request."""
        return self.profile.device.pause_ms / 1000

    def plan(self) -> None:
        """Ask for the whole map again, holes included."""
        self.blocks = [block_of(self.profile, read) for read in plan_reads(self.profile)]
        self._holes_since = None

    def refresh(self, now: float) -> None:
        """Ask for holes again after an hour."""
        if not self._holes:
            return
        if self._holes_since is None:
            self._holes_since = now
        elif now - self._holes_since > FORGET_HOLES_S:
            self.plan()

    def probe(self) -> Read:
        """The cheapest question: one value."""
        cheapest = min((point for block in self.blocks for point in block.read.points), key=lambda p: p.register_.words)
        return plan_reads(self.profile, [cheapest])[0]

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

    def silent(self, error: str, now_ms: int, *, line_is_up: bool) -> None:
        """A round gave nothing; who comes back after a long silence may be another device."""
        super().silent(error, now_ms, line_is_up=line_is_up)
        if self.is_probed:
            self.is_identified = not self.identity

    def set_next(self, now: float) -> None:
        """The next tick; a stranger's is an hour away, with the ticks between them counted as missed."""
        super().set_next(now)
        if self.stranger:
            skipped = max(math.ceil((now + STRANGER_S - self.due) / self.interval_s), 0)
            self.state.missed_ticks += skipped
            self.due += skipped * self.interval_s

    def layout(self, answered: Sequence[Block]) -> Layout:
        """Layout of the blocks that answered; the same one as long as the same do."""
        known = tuple(answered)
        if known != self._answered:
            self._answered, self._layout = known, self._layout_of(known)
        return self._layout

    def _layout_of(self, blocks: Sequence[Block]) -> Layout:
        return Layout.of(self.config, self.profile.device.measurement, blocks)
