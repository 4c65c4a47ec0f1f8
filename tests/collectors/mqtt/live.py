"""What the tests against a real Mosquitto share: a broker with its log, a sender, a receiver."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.batch import Batch
from tests import servers

PLUG = {
    "convention": "tasmota",
    "id": "plug1",
    "institution": "office",
    "device": "plug",
    "tz": "Europe/Berlin",
    "metering": "active_energy_import",
}
SHELLY = {"convention": "shelly_gen1", "id": "em", "channel": 1, "institution": "office", "device": "em"}


@dataclass(frozen=True)
class Broker:
    """A running Mosquitto that logs everything."""

    port: int
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def broker(folder: Path, *lines: str, port: int | None = None) -> Iterator[Broker]:
    """Mosquitto with further lines of configuration."""
    at = port or servers.free_port()
    config = folder / "mosquitto.conf"
    base = (f"listener {at} 127.0.0.1", "log_type all", "persistence false", "user root")  # root may read test files
    everybody = () if any("allow_anonymous" in line for line in lines) else ("allow_anonymous true",)
    config.write_text("\n".join((*base, *everybody, *lines)) + "\n")
    log = folder / "mosquitto.log"
    with servers.process([servers.require_tool("mosquitto"), "-c", str(config)], log):
        servers.wait_for_port(at)
        yield Broker(at, log)


def gateway(
    port: int, *devices: dict[str, Any], wall_clock: Callable[[], float] | None = None, **fields: Any
) -> MqttSource:
    base = {"host": "127.0.0.1", "port": port, "client_id": "kgce-test", "devices": devices}
    clock = {} if wall_clock is None else {"wall_clock": wall_clock}
    return MqttSource(MqttConfig.model_validate({**base, **fields}), first_pause_s=0.05, **clock)


async def send(
    port: int, topic: str, *payloads: str, qos: int = 1, retain: bool = False, extra: tuple[str, ...] = ()
) -> None:
    """One message a payload, by mosquitto_pub."""
    for payload in payloads:
        command = [
            servers.require_tool("mosquitto_pub"),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-q",
            str(qos),
            "-t",
            topic,
        ]
        command += ["-r"] * retain + list(extra) + (["-m", payload] if payload else ["-n"])
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=10)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


class Receiver:
    """Keeps what a source emits; with the gate closed nothing is durable yet."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def emit(self, batch: Batch) -> None:
        self.asked += 1
        await self.gate.wait()
        self.batches.append(batch)

    def rows(self, quantity: str = "active_power") -> list[tuple[int, float]]:
        """Time and value of one quantity, in the order they came."""
        return [
            (int(time_ms), float(value))
            for batch in self.batches
            for index, time_ms, value in zip(batch.index, batch.time_ms, batch.value, strict=True)
            if batch.series[index].quantity == quantity
        ]


@contextlib.asynccontextmanager
async def running(source: MqttSource, receiver: Receiver) -> AsyncIterator[asyncio.Task[None]]:
    """The source, subscribed; cancelled on the way out, as a crash would end it."""
    task = asyncio.create_task(source.run(receiver.emit))
    try:
        await until(lambda: task.done() or not source._broker.error)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def tasmota(watts: float, at: str = "2023-07-01T12:00:00") -> str:
    return f'{{"Time":"{at}","ENERGY":{{"Total":12.5,"Power":{watts}}}}}'
