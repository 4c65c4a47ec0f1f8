"""MqttSource against a real Mosquitto, with its own publisher as the device."""

import asyncio
import subprocess

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.batch import Batch
from tests import servers

TOPIC = "site/office/water"


def config(port: int) -> MqttConfig:
    return MqttConfig.model_validate(
        {
            "host": "127.0.0.1",
            "port": port,
            "client_id": "kgce-test",
            "subscriptions": [
                {
                    "topic": TOPIC,
                    "institution": "office",
                    "device": "water",
                    "measurement": "water",
                    "time": {"path": "time", "format": "iso"},
                    "fields": {"water_volume": {"path": "volume_m3", "unit": "m3"}},
                    "metering": "water_volume",
                }
            ],
        }
    )


def publish(port: int, volume: float, second: int, *options: str) -> None:
    payload = f'{{"time": "2026-01-01T00:00:{second:02d}+00:00", "volume_m3": {volume}}}'
    tool = servers.require_tool("mosquitto_pub")
    command = [tool, "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", TOPIC, "-m", payload, *options]
    subprocess.run(command, check=True, timeout=10)


class Receiver:
    """Runs a source and keeps what it emits."""

    def __init__(self, source: MqttSource) -> None:
        self.source = source
        self.values: list[float] = []
        self.arrived = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def emit(self, batch: Batch) -> None:
        self.arrived.set()
        await self.hold.wait()
        self.values += batch.value.tolist()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.values) < count:
                await asyncio.sleep(0.02)


async def connected(source: MqttSource, port: int, receiver: Receiver, task: asyncio.Task[None]) -> None:
    """Publish marks until the first arrives: then the session exists."""
    del source
    for second in range(50):
        await asyncio.to_thread(publish, port, 0, second)
        if receiver.values or task.done():
            break
        await asyncio.sleep(0.05)
    task.done() and task.result()


async def test_published_values_arrive_with_their_own_time_and_the_device_is_online(mosquitto_port: int) -> None:
    source = MqttSource(config(mosquitto_port))
    receiver = Receiver(source)
    task = asyncio.create_task(source.run(receiver.emit))
    await connected(source, mosquitto_port, receiver, task)
    await asyncio.to_thread(publish, mosquitto_port, 12.5, 59)
    await receiver.until(len(receiver.values) + 1 if 12.5 not in receiver.values else 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 12.5 in receiver.values
    assert source.status()[0].online


async def test_a_message_is_acknowledged_only_after_its_readings_are_durable(mosquitto_port: int) -> None:
    """Hazard 41: cancelled before the commit, the message comes again to the next run of the same session."""
    source = MqttSource(config(mosquitto_port))
    first = Receiver(source)
    task = asyncio.create_task(source.run(first.emit))
    await connected(source, mosquitto_port, first, task)
    first.arrived.clear()
    first.hold.clear()
    await asyncio.to_thread(publish, mosquitto_port, 77.0, 58)
    async with asyncio.timeout(10):
        await first.arrived.wait()
    task.cancel()  # as a crash would: emit never returned
    await asyncio.gather(task, return_exceptions=True)
    assert 77.0 not in first.values

    second = Receiver(MqttSource(config(mosquitto_port)))
    task = asyncio.create_task(second.source.run(second.emit))
    await second.until(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 77.0 in second.values


async def test_what_was_published_while_away_is_delivered_on_return(mosquitto_port: int) -> None:
    """A persistent session under a stable name."""
    source = MqttSource(config(mosquitto_port))
    receiver = Receiver(source)
    task = asyncio.create_task(source.run(receiver.emit))
    await connected(source, mosquitto_port, receiver, task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for number in range(1, 6):
        await asyncio.to_thread(publish, mosquitto_port, float(number), number)
    again = Receiver(MqttSource(config(mosquitto_port)))
    task = asyncio.create_task(again.source.run(again.emit))
    async with asyncio.timeout(15):
        while not {1.0, 2.0, 3.0, 4.0, 5.0} <= set(again.values):
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_is_away_is_tried_again_and_its_devices_are_offline() -> None:
    source = MqttSource(config(servers.free_port()))
    task = asyncio.create_task(source.run(Receiver(source).emit))
    async with asyncio.timeout(10):
        while source.status()[0].failures < 2:
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not source.status()[0].online
    assert "127.0.0.1" in source.status()[0].last_error
