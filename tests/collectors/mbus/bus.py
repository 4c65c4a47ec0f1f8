"""Simulated buses on real sockets, and sources that read them; fast enough for tests (38 400 baud)."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any

from kgce.collectors.mbus.config import MbusLinkConfig
from kgce.collectors.mbus.source import MbusSource
from kgce.domain.batch import Batch
from kgce.simulators.mbus.bus import Bus
from kgce.simulators.mbus.meter import SimulatedMeter
from kgce.simulators.mbus.models import MeterModel

NOON = dt.datetime(2026, 1, 15, 4, 0, tzinfo=dt.UTC).timestamp()  # 12:00 in Shanghai
NOON_MS = round(NOON * 1000)
PATIENT = {"extra_timeout_s": 5}  # where an answer comes: a busy machine must not look like a silent meter


class Shown:
    """A device that shows what a test says."""

    def __init__(self, **values: float) -> None:
        self.shown = values

    def values(self, time_ms: int) -> dict[str, float]:
        return self.shown


def meter(
    address: int,
    model: MeterModel,
    *,
    number: str = "12345678",
    clock: Callable[[], float] = lambda: NOON,
    **values: float,
) -> SimulatedMeter:
    return SimulatedMeter(address, number, model, Shown(**values), clock)


def bus(*meters: SimulatedMeter) -> Bus:
    return Bus(meters)


def source_for(where: int | str, *devices: dict[str, Any], **line: Any) -> MbusSource:
    """A source on a TCP port or a serial path."""
    place = {"host": "127.0.0.1", "port": where} if isinstance(where, int) else {"serial": where}
    given = [{"institution": "school", "device": f"m{n}", "interval_s": 60} | one for n, one in enumerate(devices, 1)]
    config = MbusLinkConfig.model_validate(place | {"baudrate": 38_400, "devices": given} | line)
    return MbusSource(config, wall_clock=lambda: NOON + 7)


@contextlib.asynccontextmanager
async def closing(source: MbusSource) -> AsyncIterator[MbusSource]:
    """Let go of the connection while the loop still runs."""
    try:
        yield source
    finally:
        source.close()
        await asyncio.sleep(0)  # a closed transport gives its socket back in the loop's next turn


async def collected(source: MbusSource, enough: Callable[[list[Batch]], bool]) -> list[Batch]:
    """Run the source until `enough(batches)` holds."""
    batches: list[Batch] = []
    ready = asyncio.Event()

    async def emit(batch: Batch) -> None:
        batches.append(batch)
        if enough(batches):
            ready.set()

    task = asyncio.create_task(source.run(emit))
    try:
        async with asyncio.timeout(30):
            await ready.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return batches


def values(batch: Batch) -> dict[str, float]:
    return {batch.series[place].quantity: value for place, value in zip(batch.index, batch.value.tolist(), strict=True)}
