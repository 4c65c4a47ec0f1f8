"""A real broker's two sides: the source under test with what it emits, and simulated nodes whose values tell their time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from kgce.collectors.sparkplug.source import SparkplugSource
from kgce.domain.batch import Batch
from kgce.simulators.sparkplug.node import EdgeNode
from kgce.simulators.sparkplug.publisher import Faults, SparkplugPublisher
from tests.collectors.sparkplug.world import METER, config

BASE_MS = 1_700_000_000_000
STATE = "spBv1.0/STATE/kgce"


class Meter:
    """A counter that counts milliseconds, and its negative as a power: a value that is not its time's shows."""

    def values(self, time_ms: int) -> dict[str, float]:
        return {"active_energy_import": float(time_ms - BASE_MS), "active_power": float(BASE_MS - time_ms)}


def source_for(port: int, **fields: Any) -> SparkplugSource:
    rules = {name: {"quantity": name} for name in ("active_energy_import", "active_power")}
    fast = {"reorder_s": 0.1, "rebirth_every_s": 0.2, **fields}
    return SparkplugSource(config({**METER, "metrics": rules}, port=port, **fast))


def edge_node() -> EdgeNode:
    return EdgeNode("G", "N", {"D": Meter()})


def publisher_for(port: int, faults: Faults | None = None) -> SparkplugPublisher:
    return SparkplugPublisher(
        edge_node(), host="127.0.0.1", port=port, client_id="node", interval_s=0.05, clock=time.time, faults=faults
    )


class Receiver:
    """Keeps what a source emits."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float]] = []

    async def emit(self, batch: Batch) -> None:
        assert not batch.quality.any()
        names = [batch.series[at].quantity for at in batch.index]
        self.rows += zip(names, batch.time_ms.tolist(), batch.value.tolist(), strict=True)

    def times(self) -> list[int]:
        return sorted({time_ms for _, time_ms, _ in self.rows})

    def check(self) -> None:
        """Every reading is what the meter showed at its time, under its name."""
        for name, time_ms, value in self.rows:
            assert value == Meter().values(time_ms)[name], (name, time_ms)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(one: SparkplugPublisher | SparkplugSource, receiver: Receiver | None = None) -> AsyncIterator[None]:
    """Run it; cancelled on the way out."""
    task = asyncio.create_task(
        one.run() if isinstance(one, SparkplugPublisher) else one.run((receiver or Receiver()).emit)
    )
    try:
        if isinstance(one, SparkplugSource):
            await until(lambda: task.done() or not one.status()[0].last_error.startswith("not connected"))
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def listening(port: int, topic: str) -> AsyncIterator[asyncio.Queue[aiomqtt.Message]]:
    """An onlooker on the broker."""
    heard: asyncio.Queue[aiomqtt.Message] = asyncio.Queue()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heard.put_nowait(message)

    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic, qos=1)
        task = asyncio.create_task(listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def said(heard: asyncio.Queue[aiomqtt.Message]) -> dict[str, Any]:
    """The next STATE."""
    message = await asyncio.wait_for(heard.get(), 20)
    assert message.qos == 1
    return dict(json.loads(message.payload))
