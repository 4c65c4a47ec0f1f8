"""The whole chain for tests: simulated site, real broker, collectors, gateway, whatever sink is given.

Site --Modbus TCP, MQTT--> ModbusSource, MqttSource --> Gateway --> Sink
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.batch import Batch
from kgce.domain.ports import AppendResult, Sink
from kgce.domain.tree import Point
from kgce.edge.config import parse_config
from kgce.edge.gateway import Gateway
from kgce.edge.uplink.config import UplinkTable
from kgce.simulators.site import Site

Clock = Callable[[], float]


class SteppedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms / 1000


class CountingSink:
    """Hands on to a sink and adds up its answers."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.total = AppendResult()

    def append(self, batch: Batch) -> AppendResult:
        result = self._sink.append(batch)
        self.total += result
        return result


@dataclass
class Running:
    """A gateway at work; once it has stopped, `counters` are its last."""

    gateway: Gateway
    points: Sequence[Point]
    counters: dict[str, int] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def running_gateway(
    site: Site, broker_port: int, folder: Path, sink: Sink, clock: Clock
) -> AsyncIterator[Running]:
    """A gateway on a started site; it stops in order, its buffer stays in the folder for the next one."""
    tables = {"gateway": {"id": "test", "folder": str(folder)}, **site.gateway_config(broker_port)}
    config = parse_config(tables)
    sources = [
        *[ModbusSource(link, wall_clock=clock) for link in config.collectors.modbus],
        *[MqttSource(broker, wall_clock=clock) for broker in config.collectors.mqtt],
    ]
    checks = config.checks.make(clock=clock)
    gateway = Gateway(
        "test",
        sources,
        sink,
        config.make_buffer(clock),
        clock=clock,
        checks=checks,
        uplink=UplinkTable(flush_interval_s=0.1),
    )
    running = Running(gateway, [point for source in sources for point in source.points()])
    task = asyncio.create_task(gateway.run(), name="gateway")
    try:
        yield running
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        running.counters = gateway.counters()
        gateway.close()


async def until(condition: Callable[[], bool], what: str, *, timeout_s: float = 60.0) -> None:
    """Return once the condition holds; it is asked in a thread, so it may query a store.

    A device that a busy machine made late three times is left alone for 30 s; that is waited out.
    """
    deadline = time.monotonic() + timeout_s
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        await asyncio.sleep(0.05)
