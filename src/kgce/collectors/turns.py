"""Turns on one line: which device is asked next, which one is left alone, which ticks were missed.

take_turns --poll one device--> driver --Batch--> emit
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from kgce.collectors.cancelled import heed_cancellation
from kgce.collectors.device_state import DeviceState
from kgce.domain.batch import Batch
from kgce.domain.errors import DeviceUnreachable
from kgce.domain.ports import Emit

SKIP_AFTER_ROUNDS: Final = 3  # silent rounds in a row
FIRST_SKIP_S: Final = 30.0
LONGEST_SKIP_S: Final = 300.0


class LineDown(DeviceUnreachable):
    """The line or connection itself is not there: no device on it can be asked, none is to blame."""


class Turn:
    """When one polled device is asked next; a driver derives its own device from it."""

    def __init__(self, institution: str, device: str, interval_s: float) -> None:
        """The first tick is at 0 until `start`."""
        self.state = DeviceState(institution, device)
        self.interval_s = interval_s
        self.due = 0.0
        self._silent_rounds = 0
        self._skip_s = FIRST_SKIP_S

    @property
    def is_probed(self) -> bool:
        """Whether it was silent so long that its next round is a probe: one cheap request is enough."""
        return self._silent_rounds >= SKIP_AFTER_ROUNDS

    def start(self, now: float) -> None:
        """The first tick is now; later ones follow at the interval."""
        self.due = now

    def answered(self, now_ms: int) -> None:
        """A round gave readings."""
        self._silent_rounds, self._skip_s = 0, FIRST_SKIP_S
        self.state.answered(now_ms)

    def silent(self, error: str, now_ms: int, *, line_is_up: bool) -> None:
        """A round gave nothing; while the line itself is down, the device is not to blame."""
        self._silent_rounds += line_is_up
        self.state.failed(error, now_ms)

    def set_next(self, now: float) -> None:
        """The next tick that has not passed; passed and skipped ones are counted, never made up for."""
        missed = max(int((now - self.due) // self.interval_s), 0)
        if self.is_probed:
            wait_s = self._skip_s * random.uniform(0.75, 1.0)  # noqa: S311 - jitter, no secret
            self._skip_s = min(2 * self._skip_s, LONGEST_SKIP_S)
            missed = max(missed, math.ceil(wait_s / self.interval_s) - 1)
        self.state.missed_ticks += missed
        self.due += (1 + missed) * self.interval_s


T = TypeVar("T", bound=Turn)


async def take_turns(
    devices: Sequence[T],
    poll: Callable[[T], Awaitable[Batch]],
    emit: Emit,
    *,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Ask the device that is due first, one at a time, until cancelled; a silent one gives no batch.

    While a batch is made durable the next device is asked; its batch waits for the one before it.

    `poll` raises LineDown when nobody can be asked and DeviceUnreachable when this device gave no whole answer.
    """
    for device in devices:
        device.start(clock())
    handed_over: asyncio.Future[None] | None = None
    try:
        while True:
            device = min(devices, key=lambda one: one.due)
            await sleep(max(device.due - clock(), 0))
            batch = await _round(device, poll, wall_clock)
            heed_cancellation()
            device.set_next(clock())
            if handed_over is not None:
                await handed_over
            handed_over = asyncio.ensure_future(emit(batch)) if len(batch) else None
    finally:
        if handed_over is not None:
            handed_over.cancel()  # the gateway keeps what it was given; see Gateway.emitter


async def _round(device: T, poll: Callable[[T], Awaitable[Batch]], wall_clock: Callable[[], float]) -> Batch:
    try:
        batch = await poll(device)
    except DeviceUnreachable as error:
        device.silent(str(error), round(wall_clock() * 1000), line_is_up=not isinstance(error, LineDown))
        return Batch.empty()
    device.answered(round(wall_clock() * 1000))
    return batch
