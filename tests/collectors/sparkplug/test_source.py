"""The host application against a real Mosquitto, with an independent node on the other side."""

import asyncio
import socket
import subprocess
import time
from pathlib import Path

import aiomqtt
import pytest

from kgce.simulators.sparkplug.encode import asks_for_births
from kgce.simulators.sparkplug.publisher import Faults
from tests import servers
from tests.collectors.sparkplug.life import (
    STATE,
    Receiver,
    edge_node,
    listening,
    publisher_for,
    running,
    said,
    source_for,
    until,
)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_birth_data_gap_rebirth_death_return(mosquitto_port: int, version: str) -> None:
    source, receiver, node = source_for(mosquitto_port, version=version), Receiver(), edge_node()

    async def send(client: aiomqtt.Client, *messages: tuple[str, bytes]) -> None:
        for topic, data in messages:
            await client.publish(topic, data, qos=0)

    def will() -> aiomqtt.Will:
        topic, data = node.death(now_ms())
        return aiomqtt.Will(topic, data, qos=1)

    async with running(source, receiver), listening(mosquitto_port, node.command_topic) as commands:
        await asyncio.wait_for(commands.get(), 20)  # a node that does not come by itself is asked
        async with aiomqtt.Client("127.0.0.1", mosquitto_port, will=will()) as client:
            await send(client, *node.births(now_ms()))
            await until(lambda: source.status()[0].online)
            first = now_ms() + 1
            await send(client, node.data("D", first))
            await until(lambda: first in receiver.times())

            node.data("D", first + 1)  # numbered, and lost
            await send(client, node.data("D", first + 2))
            command = await asyncio.wait_for(commands.get(), 20)
            assert asks_for_births(command.payload)
            assert (command.qos, command.retain) == (0, False)
            assert source.gaps == 1
            await send(client, *node.births(first + 3), node.data("D", first + 4))
            await until(lambda: first + 4 in receiver.times())
            assert not {first + 1, first + 2} & set(receiver.times())

            sock = client._client.socket()
            assert sock is not None
            sock.shutdown(socket.SHUT_RDWR)
            await until(lambda: not source.status()[0].online)
        node.next_connection()
        async with aiomqtt.Client("127.0.0.1", mosquitto_port, will=will()) as client:
            await send(client, *node.births(now_ms()))
            await until(lambda: source.status()[0].online)
    receiver.check()


async def test_a_node_that_loses_every_second_message_is_read_rightly(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    node = publisher_for(mosquitto_port, Faults(lose_every=2))
    async with running(source, receiver), running(node):
        await until(lambda: source.gaps >= 2 and node.births >= 3 and len(receiver.times()) >= 5)
    receiver.check()


@pytest.mark.hazard(44)
async def test_a_reconnect_storm_leaves_no_wrong_reading_and_the_node_online(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    node = publisher_for(mosquitto_port, Faults(vanish_every=1))
    async with running(source, receiver), running(node):
        await until(lambda: node.connections >= 5)
        node.faults = Faults()
        connections = node.connections
        rows = len(receiver.times())
        await until(lambda: source.status()[0].online and len(receiver.times()) > rows + 5)
        assert node.connections <= connections + 1
    receiver.check()


async def test_data_before_birth_and_unknown_aliases_give_no_reading(mosquitto_port: int) -> None:
    source, receiver = source_for(mosquitto_port), Receiver()
    node = publisher_for(mosquitto_port, Faults(data_before_birth=True, unknown_alias_every=3))
    async with running(source, receiver), running(node):
        await until(lambda: source.refused.get("unknown alias", 0) >= 2 and node.births >= 3)
        assert source.refused["before the node's birth"] == 1
    receiver.check()


@pytest.mark.hazard(51)
async def test_history_after_an_outage_is_kept_at_its_own_time(tmp_path: Path) -> None:
    daemon, port = servers.require_tool("mosquitto"), servers.free_port()
    file = tmp_path / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    source, receiver, node = source_for(port), Receiver(), publisher_for(port)
    with servers.process([daemon, "-c", str(file)], tmp_path / "first.log"):
        servers.wait_for_port(port)
        first_source, first_node = running(source, receiver), running(node)
        await first_source.__aenter__()
        await first_node.__aenter__()
        await until(lambda: len(receiver.times()) >= 3)
    await until(lambda: not source.status()[0].online and bool(node._untold))
    away_ms, before = now_ms(), set(receiver.times())
    with servers.process([daemon, "-c", str(file)], tmp_path / "second.log"):
        await until(lambda: source.status()[0].online and max(receiver.times()) > away_ms)
        await until(lambda: node.connections >= 2 and not node._untold)
        await first_node.__aexit__(None, None, None)
        await first_source.__aexit__(None, None, None)
    assert before < set(receiver.times())
    receiver.check()


async def test_a_restarted_host_gets_the_births_and_goes_on(mosquitto_port: int) -> None:
    node = publisher_for(mosquitto_port)
    async with running(node):
        await until(lambda: node.births == 1)  # a host that is there already needs no birth of its own
        for _ in range(2):
            source, receiver = source_for(mosquitto_port), Receiver()
            async with running(source, receiver):
                await until(lambda: source.status()[0].online and len(receiver.times()) >= 3)  # noqa: B023
            assert not source.status()[0].online
            receiver.check()
        assert node.births == 3, "its own, and one for each host that came"


async def test_an_orderly_goodbye_takes_the_devices_away(mosquitto_port: int) -> None:
    source = source_for(mosquitto_port)
    async with running(source):
        async with running(publisher_for(mosquitto_port)):
            await until(lambda: source.status()[0].online)
        await until(lambda: not source.status()[0].online)


async def test_the_host_says_when_it_is_there_and_when_it_leaves(mosquitto_port: int) -> None:
    async with listening(mosquitto_port, STATE) as heard:
        async with running(source_for(mosquitto_port)):
            born = await said(heard)
            assert born["online"] is True
            assert abs(born["timestamp"] - now_ms()) < 60_000
        gone = await said(heard)
        assert gone["online"] is False
        assert gone["timestamp"] >= born["timestamp"]
    async with listening(mosquitto_port, STATE) as heard:
        assert await said(heard) == gone, "retained: who comes later knows too"


@pytest.mark.hazard(44)
async def test_a_host_that_vanishes_is_declared_dead_with_the_time_of_its_birth(mosquitto_port: int) -> None:
    """Another client takes the name over; the broker publishes the will of the first."""
    async with listening(mosquitto_port, STATE) as heard, running(source_for(mosquitto_port)):
        born = await said(heard)
        command = [servers.require_tool("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(mosquitto_port)]
        await asyncio.to_thread(subprocess.run, [*command, "-i", "kgce-test", "-t", "x", "-n"], check=True, timeout=10)
        assert await said(heard) == {"online": False, "timestamp": born["timestamp"]}
        again = await said(heard)
        assert again["online"] is True
        assert again["timestamp"] > born["timestamp"]


async def test_a_host_that_is_declared_dead_by_another_says_that_it_lives(mosquitto_port: int) -> None:
    async with listening(mosquitto_port, STATE) as heard, running(source_for(mosquitto_port)):
        born = await said(heard)
        async with aiomqtt.Client("127.0.0.1", mosquitto_port) as other:
            await other.publish(STATE, b'{"online":false,"timestamp":1}', qos=1, retain=True)
            assert (await said(heard))["timestamp"] == 1
            assert await said(heard) == born


async def test_a_broker_that_is_not_there_leaves_the_reason() -> None:
    source = source_for(servers.free_port())
    async with running(source):
        await until(lambda: "refused" in source.status()[0].last_error)
    assert not source.status()[0].online
