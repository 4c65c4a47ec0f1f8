"""A central system on a free port, and chargers of the library's own client that connect to it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from kgce.collectors.ocpp.config import OcppConfig
from kgce.collectors.ocpp.source import OcppSource
from kgce.domain.batch import Batch, Quality
from kgce.simulators.ocpp.charge_point import Habits, OcppCharger

NOW_S = 1_767_600_000.0  # 2026-01-05T08:00:00Z
VERSIONS = ("1.6", "2.0.1")


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW_S

    def __call__(self) -> float:
        return self.now


class Car:
    """A charger's truth that the test sets."""

    def __init__(self) -> None:
        self.known: dict[str, float] = {"active_energy_import": 1234.567, "active_power": 7.4, "voltage": 231.0}

    def values(self, _time_ms: int) -> Mapping[str, float]:
        return self.known


class Central:
    """The running source with what it emitted."""

    def __init__(self, tables: Mapping[str, Any], clock: Clock) -> None:
        self.clock = clock
        self.source = OcppSource(OcppConfig.model_validate(tables), wall_clock=clock)
        self.rows: list[tuple[str, str, int, float, Quality]] = []
        self.refusing: Exception | None = None

    async def emit(self, batch: Batch) -> None:
        if self.refusing is not None:
            raise self.refusing
        for at in range(len(batch)):
            series = batch.series[batch.index[at]]
            self.rows.append(
                (
                    series.device,
                    series.quantity,
                    int(batch.time_ms[at]),
                    float(batch.value[at]),
                    Quality(int(batch.quality[at])),
                )
            )

    def of(self, quantity: str) -> list[float]:
        return [value for _, name, _, value, _ in self.rows if name == quantity]

    def charger(self, identity: str = "CP1", **options: Any) -> OcppCharger:
        habits = options.pop("habits", Habits())
        device = options.pop("device", None) or Car()
        url = options.pop("url", f"ws://127.0.0.1:{self.source.port}/ocpp")
        return OcppCharger(identity, device, url, self.clock, habits=habits, interval_s=3600, **options)


def tables(**more: Any) -> dict[str, Any]:
    device = {"charger": "CP1", "institution": "office", "device": "charger-1", "interval_s": 3600}
    return {"port": 0, "devices": [device | more.pop("device", {})], **more}


@asynccontextmanager
async def central(**more: Any):
    """A listening central system; stops within the block's end."""
    system = Central(tables(**more), more.pop("clock", None) or Clock())
    job = asyncio.create_task(system.source.run(system.emit))
    await until(lambda: system.source.port != 0 or job.done())
    try:
        yield system
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        system.source.close()


@asynccontextmanager
async def running(*chargers: OcppCharger):
    """Chargers that live for as long as the block."""
    jobs = [asyncio.create_task(charger.run()) for charger in chargers]
    try:
        yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def until(condition: Callable[[], Any], timeout_s: float = 30.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)
