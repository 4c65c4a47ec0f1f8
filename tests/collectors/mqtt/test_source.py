"""MqttSource against a real Mosquitto, with its own publisher as the device."""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.batch import Batch
from tests import servers
from tests.collectors.mqtt.subscriptions import broker

WATER = {
    "topic": "site/office/water",
    "institution": "office",
    "device": "water",
    "measurement": "water",
    "time": {"path": "time", "format": "iso"},
    "fields": {"water_volume": {"path": "volume_m3", "unit": "m3"}},
    "metering": "water_volume",
}
UNTIMED = {**WATER, "topic": "site/office/gas", "device": "gas", "measurement": "gas", "time": None, "metering": None}
UNTIMED["fields"] = {"gas_volume": {"path": "volume_m3", "unit": "m3"}}
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def source_for(port: int, *subscriptions: dict[str, Any]) -> MqttSource:
    return MqttSource(broker(*(subscriptions or (WATER,)), port=port))


def message(volume: float, second: int = 0) -> str:
    return f'{{"time": "2026-01-01T00:00:{second:02d}+00:00", "volume_m3": {volume}}}'


async def publish(port: int, *payloads: str, topic: str = "site/office/water", retain: bool = False) -> None:
    """One message a line, QoS 1."""
    command = [servers.require_tool("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", topic, "-l"]
    command += ["-r"] * retain
    lines = "".join(f"{payload}\n" for payload in payloads).encode()
    await asyncio.to_thread(subprocess.run, command, input=lines, check=True, timeout=10)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


class Receiver:
    """Keeps what a source emits; `gate` closed, nothing is durable yet."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def emit(self, batch: Batch) -> None:
        self.asked += 1
        await self.gate.wait()
        self.batches.append(batch)

    @property
    def values(self) -> list[float]:
        return [value for batch in self.batches for value in batch.value.tolist()]


@asynccontextmanager
async def running(source: MqttSource, receiver: Receiver) -> AsyncIterator[None]:
    """The source, subscribed; cancelled on the way out, as a crash would end it."""
    task = asyncio.create_task(source.run(receiver.emit))
    try:
        await until(lambda: task.done() or not source.status()[0].last_error)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_message_arrives_with_its_own_time_and_its_device_is_online(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    async with running(source, receiver):
        assert not source.status()[0].online, "nothing was heard from it yet"
        await publish(mosquitto_port, message(12.5, 59))
        await until(lambda: bool(receiver.values))
        assert source.status()[0].online
    [batch] = receiver.batches
    assert batch.value.tolist() == [12.5]
    assert batch.time_ms.tolist() == [START_MS + 59_000]
    assert batch.series[0].key == ("office", "water", "water_volume")
    assert not source.status()[0].online, "a source that does not run hears nobody"


async def test_a_message_is_acknowledged_only_after_its_readings_are_durable(mosquitto_port: int) -> None:
    """Hazard 41: ended before the commit, the message comes again to the next run of the same session."""
    first = Receiver()
    first.gate.clear()
    async with running(source_for(mosquitto_port), first):
        await publish(mosquitto_port, message(77.0))
        await until(lambda: first.asked == 1)
    assert first.values == []

    second = Receiver()
    async with running(source_for(mosquitto_port), second):
        await until(lambda: second.values == [77.0])

    third = Receiver()
    async with running(source_for(mosquitto_port), third):
        await publish(mosquitto_port, message(78.0))
        await until(lambda: bool(third.values))
    assert third.values == [78.0], "what was acknowledged does not come again"


async def test_a_batch_that_cannot_be_kept_is_not_acknowledged(mosquitto_port: int) -> None:
    async def full_disk(batch: Batch) -> None:
        raise OSError("no space left")

    source = source_for(mosquitto_port)
    task = asyncio.create_task(source.run(full_disk))
    await until(lambda: not source.status()[0].last_error)
    await publish(mosquitto_port, message(5.0))
    with pytest.raises(OSError, match="no space left"):
        await task
    receiver = Receiver()
    async with running(source, receiver):
        await until(lambda: receiver.values == [5.0])


async def test_what_was_published_while_away_is_delivered_on_return(mosquitto_port: int) -> None:
    """A persistent session under a stable name."""
    async with running(source_for(mosquitto_port), Receiver()):
        pass
    await publish(mosquitto_port, *(message(float(number), number) for number in range(1, 6)))
    again = Receiver()
    async with running(source_for(mosquitto_port), again):
        await until(lambda: again.values == [1.0, 2.0, 3.0, 4.0, 5.0])


async def test_messages_without_their_own_time_are_not_delivered_late(mosquitto_port: int) -> None:
    """Stamped on a later arrival they would be false; a gap is honest."""
    async with running(source_for(mosquitto_port, UNTIMED), Receiver()):
        pass
    await publish(mosquitto_port, '{"volume_m3": 1}', topic=UNTIMED["topic"])
    again = Receiver()
    async with running(source_for(mosquitto_port, UNTIMED), again):
        await publish(mosquitto_port, '{"volume_m3": 2}', topic=UNTIMED["topic"])
        await until(lambda: 2.0 in again.values)
    assert again.values == [2.0]


async def test_a_burst_becomes_few_batches_and_loses_nothing(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    receiver.gate.clear()
    async with running(source, receiver):
        await publish(mosquitto_port, message(0.0))
        await until(lambda: receiver.asked == 1)
        await publish(mosquitto_port, *(message(float(number), number) for number in range(1, 51)))
        receiver.gate.set()
        await until(lambda: len(receiver.values) == 51)
    assert receiver.values == [float(number) for number in range(51)]
    assert receiver.asked < 20


async def test_what_cannot_be_read_is_counted_and_never_blocks_the_queue(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    async with running(source, receiver):
        await publish(mosquitto_port, "{", "[]", '{"time": "2026-01-01T00:00:00Z"}', message(3.0))
        await until(lambda: receiver.values == [3.0])
    assert source.refused == {"not JSON": 1, "time absent": 1, "water_volume absent": 1}
    assert source.status()[0].failures == 3
    again = source_for(mosquitto_port)
    async with running(again, receiver):
        await publish(mosquitto_port, message(4.0))
        await until(lambda: receiver.values == [3.0, 4.0])
    assert again.refused == {}, "they were acknowledged and do not come again"


async def test_a_retained_message_is_a_reading_only_with_its_own_time(mosquitto_port: int) -> None:
    await publish(mosquitto_port, message(8.0, 8), retain=True)
    await publish(mosquitto_port, '{"volume_m3": 9}', topic=UNTIMED["topic"], retain=True)
    source, receiver = source_for(mosquitto_port, WATER, UNTIMED), Receiver()
    async with running(source, receiver):
        await until(lambda: bool(receiver.values) and bool(source.refused))
    assert receiver.values == [8.0]
    assert source.refused == {"retained without its own time": 1}


async def test_a_topic_left_over_in_the_session_is_given_up(mosquitto_port: int) -> None:
    """Hazard 42: the broker remembers topics of an older configuration."""
    async with running(source_for(mosquitto_port, WATER, UNTIMED), Receiver()):
        pass
    source, receiver = source_for(mosquitto_port, UNTIMED), Receiver()
    async with running(source, receiver):
        await publish(mosquitto_port, message(1.0))
        await until(lambda: source.refused == {"topic not configured": 1})
        await publish(mosquitto_port, '{"volume_m3": 2}', topic=UNTIMED["topic"])
        await until(lambda: receiver.values == [2.0])
        await publish(mosquitto_port, message(1.0))
        await publish(mosquitto_port, '{"volume_m3": 3}', topic=UNTIMED["topic"])
        await until(lambda: receiver.values == [2.0, 3.0])
    assert source.refused == {"topic not configured": 1}


async def test_a_lost_broker_is_found_again_and_told_once_each_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Devices are offline while it is away, and readings flow again when it is back."""
    caplog.set_level(logging.WARNING, "kgce.collectors.mqtt")
    daemon, port = servers.require_tool("mosquitto"), servers.free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    command = [daemon, "-c", str(config)]
    source, receiver = source_for(port), Receiver()
    with servers.process(command, tmp_path / "first.log"):
        servers.wait_for_port(port)
        task = asyncio.create_task(source.run(receiver.emit))
        await until(lambda: not source.status()[0].last_error)
        await publish(port, message(1.0, 1))
        await until(lambda: source.status()[0].online)
    await until(lambda: not source.status()[0].online)
    with servers.process(command, tmp_path / "second.log"):
        await until(lambda: not source.status()[0].last_error)
        assert source.status()[0].online
        await publish(port, message(2.0, 2))
        await until(lambda: receiver.values == [1.0, 2.0])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    told = [record.message for record in caplog.records]
    assert len(told) == 2, told
    assert "is not there" in told[0]
    assert "is back" in told[1]


async def test_a_broker_that_never_answers_leaves_its_devices_offline_with_the_reason() -> None:
    source = source_for(servers.free_port())
    task = asyncio.create_task(source.run(Receiver().emit))
    await until(lambda: "refused" in source.status()[0].last_error)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not source.status()[0].online
