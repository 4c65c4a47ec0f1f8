"""More ways for a device to be wrong: each costs its own readings only, and is told once."""

import asyncio
import logging
import struct

import pytest

from kgce.collectors.modbus.device import FORGET_HOLES_S, PolledDevice
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, DeviceUnreachable
from tests.collectors.modbus.meter import collected, image, source_for, values
from tests.collectors.modbus.responder import Request, exception_reply, registers_reply, responder


async def good(request: Request) -> bytes:
    return registers_reply(request, image(request))


@pytest.mark.hazard(2)
async def test_the_answer_to_another_function_is_no_reading(profile: str) -> None:
    """Hazard 2: unit, transaction and length fit, yet holding registers are not input registers."""

    async def answer(request: Request) -> bytes:
        body = struct.pack(f">BB{request.count}H", 3, 2 * request.count, *image(request))
        return struct.pack(">HHHB", request.tid, 0, len(body) + 1, request.unit) + body

    async with responder(answer) as at:
        with pytest.raises(DeviceUnreachable, match="function 3"):
            await source_for(at.port, profile).poll("m1")


@pytest.mark.hazard(22)
@pytest.mark.parametrize("code", [0x0A, 0x0B])
async def test_a_gateway_that_finds_nobody_means_a_silent_device_and_is_asked_once(profile: str, code: int) -> None:
    """Hazard 22: 0x0B is a timeout of that unit; asking for its other blocks would only take the bus's time."""

    async def answer(request: Request) -> bytes:
        return exception_reply(request, code)

    async with responder(answer) as at:
        with pytest.raises(DeviceUnreachable, match=f"no unit 1 behind it .exception {code:#04x}"):
            await source_for(at.port, profile).poll("m1")
    assert len(at.requests) == 1


async def test_a_device_that_only_refuses_is_silent_and_keeps_its_whole_plan(profile: str) -> None:
    """While it starts it may refuse every address; afterwards everything is read again."""
    refusing = True

    async def answer(request: Request) -> bytes:
        return exception_reply(request, 0x02) if refusing else await good(request)

    async with responder(answer) as at:
        source = source_for(at.port, profile)
        with pytest.raises(DeviceUnreachable, match="exceptions only"):
            await source.poll("m1")
        refusing = False
        batch = await source.poll("m1")
    assert len(values(batch)) == 3


@pytest.mark.hazard(23)
def test_holes_are_asked_for_again_after_an_hour(profile: str) -> None:
    device = PolledDevice(source_for(502, profile)._config.devices[0])
    planned = [block.read for block in device.blocks]
    device.split(device.blocks[1], OSError("refused"))
    assert [block.read for block in device.blocks] == planned[:1]
    device.refresh(0.0)
    device.refresh(FORGET_HOLES_S)
    assert [block.read for block in device.blocks] == planned[:1]
    device.refresh(FORGET_HOLES_S + 1)
    assert [block.read for block in device.blocks] == planned


async def test_a_loss_and_a_return_are_told_once_each(profile: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "kgce.collectors.device_state")
    asked = 0

    async def answer(request: Request) -> bytes | None:
        nonlocal asked
        asked += 1
        return None if asked in {3, 4} else await good(request)  # a round is two requests, or one without answer

    async with responder(answer) as at:
        source = source_for(at.port, profile, interval_s=0.3, timeout_s=0.25)
        await collected(source, lambda batches: source.status()[0].failures == 2 and len(batches) >= 3)
    told = [record.message for record in caplog.records]
    assert len(told) == 2, told
    assert "office m1 is silent" in told[0]
    assert "office m1 is back" in told[1]


@pytest.mark.hazard(14)
async def test_a_connection_the_device_closed_while_idle_is_opened_again_without_a_failure(profile: str) -> None:
    """Hazard 14: a close between two polls is normal."""
    server_side: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_side.append(writer)
        for _ in range(2):  # the two requests of one poll
            asked = await reader.readexactly(12)
            tid, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", asked)
            writer.write(await good(Request(tid, unit, function, address, count)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    source = source_for(server.sockets[0].getsockname()[1], profile)
    for _ in range(3):
        assert len(values(await source.poll("m1"))) == 3
        async with asyncio.timeout(5):
            while source._links[0]._connection is not None and source._links[0]._connection.is_open:
                await asyncio.sleep(0.01)
    server.close()
    assert len(server_side) == 3


@pytest.mark.hazard(17)
async def test_a_link_that_is_down_is_not_held_against_its_devices(profile: str) -> None:
    """Devices are skipped after three silent rounds, but not because the whole link was away."""
    from tests.servers import free_port

    port = free_port()
    source = source_for(port, profile, interval_s=0.05, timeout_s=0.04)
    batches: list[Batch] = []

    async def emit(batch: Batch) -> None:
        batches.append(batch)

    task = asyncio.create_task(source.run(emit))
    async with asyncio.timeout(10):
        while source.status()[0].failures < 5:
            await asyncio.sleep(0.01)
    async with responder(good, port=port):
        async with asyncio.timeout(10):
            while not batches:
                await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert values(batches[0])["active_power_total"] == 2.5


@pytest.mark.hazard(11)
async def test_two_polls_at_once_share_the_link_one_request_at_a_time(profile: str) -> None:
    """Hazard 11: one queue per connection."""
    under_way = most = 0

    async def answer(request: Request) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return await good(request)

    async with responder(answer) as at:
        source = source_for(at.port, profile, units=3)
        batches = await asyncio.gather(*(source.poll(f"m{unit}") for unit in (1, 2, 3)))
    assert [len(batch) for batch in batches] == [3, 3, 3]
    assert (most, at.connections) == (1, 1)


def test_a_device_nobody_configured_cannot_be_polled(profile: str) -> None:
    with pytest.raises(ConfigError, match=r"no device 'x' at modbus 127\.0\.0\.1:502"):
        asyncio.run(source_for(502, profile).poll("x"))
