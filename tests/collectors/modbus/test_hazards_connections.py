"""Field hazards 11 to 15: how many connections, for how long, and what happens when one goes.

Numbers and evidence: shared/facts/devices.md, section 4.2.
"""

import asyncio
import socket

import pytest

from kgce.collectors.modbus.link import ModbusLink
from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.probe import Prober
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import LINKS, collected, image, line, source_for
from tests.collectors.modbus.responder import Request, registers_reply, responder
from tests.collectors.modbus.wire import Asked, Pieces, answer, raw_server, tcp_peer

ONE = Read("input", 0, 1, ())


async def good(request: Request) -> bytes:
    return registers_reply(request, image(request))


def right(asked: Asked) -> Pieces:
    return [answer("tcp", asked, [1] * asked.count)]


@pytest.mark.hazard(12)
async def test_a_test_of_the_connection_is_closed_before_the_poller_opens_one(profile: str) -> None:
    """A device that takes one connection: the second is refused while the first is open."""
    open_now = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            while head := await reader.read(12):
                tid, unit = int.from_bytes(head[:2], "big"), head[6]
                address, count = int.from_bytes(head[8:10], "big"), int.from_bytes(head[10:12], "big")
                writer.write(await good(Request(tid, unit, head[7], address, count)))
        finally:
            open_now -= 1

    async def closed() -> None:
        async with asyncio.timeout(5):
            while open_now:
                await asyncio.sleep(0)

    async with raw_server(serve) as port:
        async with Prober(line(port)) as prober:
            found = [await prober.ask(unit, ONE) for unit in (1, 2)]
        await closed()
        source = source_for(port, profile)
        assert len(await source.poll("m1")) == 3
        source.close()
        await closed()
    assert [(one.unit, one.is_there) for one in found] == [(1, True), (2, True)]
    assert most == 1


@pytest.mark.hazard(13)
async def test_many_polls_use_one_connection(profile: str) -> None:
    async with responder(good) as at:
        source = source_for(at.port, profile, units=3)
        for _ in range(5):
            for unit in (1, 2, 3):
                await source.poll(f"m{unit}")
    assert (len(at.requests), at.connections) == (30, 1)


@pytest.mark.hazard(14)
async def test_a_connection_closed_as_the_request_arrives_is_opened_again_once_and_silently() -> None:
    """The device drops an idle connection only when it hears the next request on it."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        head = await reader.read(12)
        asked += 1
        if head:
            writer.write(head[:5] + b"\x05" + head[6:8] + b"\x02\x00\x2a")
            await reader.read(12)

    async with raw_server(serve) as port, asyncio.timeout(10):
        link = ModbusLink(line(port, timeout_s=30))
        LINKS.append(link)
        for _ in range(3):
            assert list(await link.read(1, ONE)) == [42]
    assert asked == 3


@pytest.mark.hazard(14)
async def test_a_device_that_closes_every_connection_unanswered_is_told_once_and_not_asked_for_ever() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(12)

    async with raw_server(serve) as port, asyncio.timeout(10):
        link = ModbusLink(line(port, timeout_s=30))
        LINKS.append(link)
        with pytest.raises(DeviceUnreachable, match="closed before the answer"):
            await link.read(1, ONE)
    assert connections == 1


@pytest.mark.hazard(14)
async def test_a_slow_poll_may_close_its_connection_after_each_round(profile: str) -> None:
    async with responder(good) as at:
        source = source_for(at.port, profile, interval_s=0.15, close_after_poll=True)
        batches = await collected(source, lambda batches: len(batches) >= 3)
    assert len(batches) == at.connections == 3


@pytest.mark.hazard(15)
async def test_a_half_open_connection_is_given_up_at_the_deadline_and_replaced() -> None:
    """Nothing is acknowledged by the device any more: only a new connection reaches it."""
    dead = True

    def say(asked: Asked) -> Pieces:
        return [] if dead else right(asked)

    async with tcp_peer("tcp", say) as peer:
        link = ModbusLink(line(peer.port, timeout_s=0.1))
        LINKS.append(link)
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await link.read(1, ONE)
        dead = False
        assert list(await link.read(1, ONE)) == [1]
        endpoint = link._connection._client.ctx.transport.get_extra_info("socket")
        assert endpoint.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert endpoint.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
    assert peer.connections == 2


@pytest.mark.hazard(11, 12)
async def test_more_connections_are_opened_only_where_the_file_says_so_and_share_the_devices(profile: str) -> None:
    async with responder(good) as at:
        source = source_for(at.port, profile, units=4, connections=2)
        batches = await collected(source, lambda batches: len(batches) >= 8)
    assert at.connections == 2
    assert {batch.series[0].device for batch in batches} == {"m1", "m2", "m3", "m4"}
