"""What every source of polled meters on a line shares: who is on it, whose turn it is, reading one now."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.collectors.turns import Turn, take_turns
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError
from kgce.domain.ports import DeviceStatus, Emit

M = TypeVar("M", bound=Turn)


class PolledLine(ABC, Generic[M]):
    """Polls every meter of a line at its interval, one request at a time; a protocol says how one meter is read."""

    def __init__(
        self,
        protocol: str,
        config: LineConfig,
        meters: Sequence[M],
        *,
        timeout_s: float,
        pause_s: float,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened yet."""
        self._name = f"{protocol} {config.address}"
        self._meters, self._wall_clock, self._clock = meters, wall_clock, clock
        self._line = Line(config, timeout_s=timeout_s, pause_s=pause_s, clock=clock)

    @property
    def name(self) -> str:
        """The protocol and the line's address."""
        return self._name

    def status(self) -> Sequence[DeviceStatus]:
        """State of every meter on the line."""
        return [meter.state.status() for meter in self._meters]

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled."""
        try:
            await take_turns(self._meters, self._scheduled, emit, clock=self._clock, wall_clock=self._wall_clock)
        finally:
            self.close()

    async def poll(self, device_name: str) -> Batch:
        """Read one meter now, outside its schedule; the connection stays open.

        Raises:
            ConfigError: no such meter on this line.
            DeviceUnreachable: it gave no whole answer, or is not the meter it should be.
        """
        for meter in self._meters:
            if meter.state.device == device_name:
                return await self._poll(meter)
        raise ConfigError(f"no device {device_name!r} at {self.name}")

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()

    async def _scheduled(self, meter: M) -> Batch:
        """What a round of the schedule gives; the same as asking now, unless a protocol knows better."""
        return await self._poll(meter)

    @abstractmethod
    async def _poll(self, meter: M) -> Batch:
        """Read one meter."""
