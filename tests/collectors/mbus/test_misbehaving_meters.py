"""A meter on the bus that misbehaves: telegrams lost, repeated, damaged, from another, too busy to answer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from kgce.collectors.mbus.conversation import MOST_TELEGRAMS
from kgce.domain.errors import DeviceUnreachable
from kgce.simulators.faults import Fault
from kgce.simulators.mbus.faults import FlippedBit, TooBusy, TornFrame, WrongAddress
from kgce.simulators.mbus.models import WATER
from kgce.simulators.mbus.server import MbusServer
from tests.collectors.mbus.bus import PATIENT, bus, closing, meter, source_for, values

WATER_AT = {"address": 1, "medium": "water"}
Say = Callable[[bytes], Awaitable[list[bytes]]]


class Fake:
    """A converter made of asyncio alone, so that a test decides every byte that goes back."""

    def __init__(self, say: Say) -> None:
        self.say, self.heard, self.open = say, list[bytes](), set[asyncio.Task[None]]()

    async def __aenter__(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def __aexit__(self, *exc: object) -> None:
        self.server.close()
        for task in self.open:
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while request := await reader.read(300):
                self.heard.append(request)
                for piece in await self.say(request):
                    writer.write(piece)
                    await writer.drain()
        writer.close()


ACK = b"\xe5"
RESET = bytes.fromhex("1040014116")
FIRST, SECOND = bytes.fromhex("107b017c16"), bytes.fromhex("105b015c16")


def telegram(volume: int, *, address: int = 1, more: bool = False) -> bytes:
    """A water meter's answer by hand: number 12345678, HYD, water, VIF 13 (litres)."""
    body = bytes([0x08, address]) + bytes.fromhex("7278563412242329070a0000000413") + volume.to_bytes(4, "little")
    body += b"\x1f" if more else b""
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])


async def test_a_lost_telegram_is_asked_for_again_with_the_same_frame_count_bit() -> None:
    """EN 13757-2: an unchanged bit makes the meter repeat, a changed one would skip a telegram."""
    lost = [True]

    async def say(request: bytes) -> list[bytes]:
        if request == RESET:
            return [ACK]
        if request == FIRST:
            return [telegram(7000, more=True)]
        return [b""] if lost and lost.pop() else [telegram(7000)]

    fake = Fake(say)
    async with fake as port, closing(source_for(port, WATER_AT, extra_timeout_s=1)) as source:
        assert values(await source.poll("m1"))["water_volume"] == 7.0
    assert fake.heard == [RESET, FIRST, SECOND, SECOND]


async def test_a_meter_that_promises_more_and_repeats_itself_is_read_once() -> None:
    async def say(request: bytes) -> list[bytes]:
        return [ACK] if request == RESET else [telegram(7000, more=True)]

    fake = Fake(say)
    async with fake as port, closing(source_for(port, WATER_AT, **PATIENT)) as source:
        assert values(await source.poll("m1"))["water_volume"] == 7.0
    assert len(fake.heard) == 3


async def test_a_meter_that_never_stops_promising_more_is_left_at_the_limit() -> None:
    """Its telegrams contradict each other, so none of their volumes is taken."""
    count = 0

    async def say(request: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        return [ACK] if request == RESET else [telegram(7000 + count % 2, more=True)]

    async with Fake(say) as port, closing(source_for(port, WATER_AT, **PATIENT)) as source:
        assert "water_volume" not in values(await source.poll("m1"))
    assert count == 1 + MOST_TELEGRAMS


@pytest.mark.hazard(2)
async def test_another_meters_answer_is_not_taken() -> None:
    async def say(request: bytes) -> list[bytes]:
        return [ACK] if request == RESET else [telegram(9000, address=2)]

    async with Fake(say) as port, closing(source_for(port, WATER_AT)) as source:
        with pytest.raises(DeviceUnreachable, match="address 1"):
            await source.poll("m1")


@pytest.mark.hazard(5)
@pytest.mark.hazard(9)
async def test_an_answer_in_pieces_after_an_echo_and_noise_is_read() -> None:
    async def say(request: bytes) -> list[bytes]:
        whole = telegram(7000)
        return [request, ACK] if request == RESET else [request, b"\x00\xff", whole[:5], whole[5:9], whole[9:]]

    async with Fake(say) as port, closing(source_for(port, WATER_AT, **PATIENT)) as source:
        assert values(await source.poll("m1"))["water_volume"] == 7.0


@pytest.mark.hazard(6)
@pytest.mark.parametrize("damage", ["cut", "sum", "twice"])
async def test_a_damaged_answer_is_no_reading(damage: str) -> None:
    whole = telegram(7000)
    broken = {
        "cut": whole[:-1],
        "sum": whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:],
        "twice": whole + telegram(8000),
    }

    async def say(request: bytes) -> list[bytes]:
        return [ACK] if request == RESET else [broken[damage]]

    async with Fake(say) as port, closing(source_for(port, WATER_AT)) as source:
        with pytest.raises(DeviceUnreachable):
            await source.poll("m1")


@pytest.mark.hazard(21)
async def test_a_busy_meter_gives_no_reading_and_says_why() -> None:
    """Application error 8 of EN 13757-3."""
    async with (
        MbusServer(bus(meter(1, WATER, water_volume=1.0))) as server,
        closing(source_for(server.port, WATER_AT, **PATIENT)) as source,
    ):
        server.set_fault(1, TooBusy())
        with pytest.raises(DeviceUnreachable, match="too busy"):
            await source.poll("m1")
        server.set_fault(1, None)
        assert values(await source.poll("m1"))["water_volume"] == 1.0


@pytest.mark.parametrize("fault", [TornFrame(20), WrongAddress(2), FlippedBit(190)])
async def test_a_faulty_answer_is_no_reading_and_the_next_sound_one_is(fault: Fault) -> None:
    async with (
        MbusServer(bus(meter(1, WATER, water_volume=1.0))) as server,
        closing(source_for(server.port, WATER_AT)) as source,
    ):
        server.set_fault(1, fault)
        with pytest.raises(DeviceUnreachable, match="no whole answer"):
            await source.poll("m1")
        server.set_fault(1, None)
        assert values(await source.poll("m1"))["water_volume"] == 1.0
