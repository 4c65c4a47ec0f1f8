"""The simulated wires: collisions, faults, torn requests, and a real library's serial master on a pseudo terminal."""

import asyncio
import threading
from collections.abc import Callable

import meterbus
import pytest
import serial

from kgce.simulators.faults import Fault, Silent
from kgce.simulators.mbus.bus import Bus, RequestReader
from kgce.simulators.mbus.faults import FlippedBit, TooBusy, TornFrame, WrongAddress
from kgce.simulators.mbus.models import HEAT, WATER
from kgce.simulators.mbus.server import MbusPort, MbusServer, meters_of
from tests.simulators.mbus.test_telegrams import NOON, Fixed

RESET_1 = b"\x10\x40\x01\x41\x16"
REQUEST_1 = b"\x10\x7b\x01\x7c\x16"


def water_bus() -> Bus:
    return Bus(meters_of({1: Fixed(water_volume=3.0), 2: Fixed(water_volume=4.0)}, WATER, lambda: NOON))


async def test_two_meters_at_once_are_the_bitwise_and_of_both() -> None:
    """On the wires a 0 draws current and wins: two acknowledgements look like one, two telegrams like neither."""
    bus = water_bus()
    assert await bus.answer(b"\x10\x40\xfe\x3e\x16") == b"\xe5"
    one, other = await bus.answer(REQUEST_1), await bus.answer(b"\x10\x7b\x02\x7d\x16")
    await bus.answer(b"\x10\x40\xfe\x3e\x16")
    both = await bus.answer(b"\x10\x7b\xfe\x79\x16")
    assert both not in {one, other}
    assert both[:4] == one[:4] == other[:4]


async def test_a_silent_meter_says_nothing_until_it_is_healed() -> None:
    bus = water_bus()
    bus.set_fault(1, Silent())
    assert await bus.answer(RESET_1) == b""
    bus.set_fault(1, None)
    assert await bus.answer(RESET_1) == b"\xe5"


async def test_a_device_that_cannot_say_its_value_is_silent() -> None:
    bus = Bus(meters_of({1: Fixed(water_volume=1e9)}, WATER, lambda: NOON))
    assert await bus.answer(REQUEST_1) == b""


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (TooBusy(), lambda _: bytes.fromhex("68040468080170088116")),  # libmbus's error frame "application busy"
        (TornFrame(6), lambda whole: whole[:6]),
        (FlippedBit(80), lambda whole: whole[:10] + bytes([whole[10] ^ 1]) + whole[11:]),
    ],
)
async def test_a_fault_damages_telegrams_and_leaves_acknowledgements(
    fault: Fault, expected: Callable[[bytes], bytes]
) -> None:
    bus = water_bus()
    whole = await bus.answer(REQUEST_1)
    bus.set_fault(1, fault)
    assert await bus.answer(REQUEST_1) == expected(whole)
    assert await bus.answer(RESET_1) == b"\xe5"


async def test_a_telegram_may_come_from_another_address() -> None:
    bus = water_bus()
    whole = await bus.answer(REQUEST_1)
    bus.set_fault(1, WrongAddress(2))
    wrong = await bus.answer(REQUEST_1)
    assert (wrong[5], wrong[6:-2]) == (2, whole[6:-2])
    assert meterbus.load(wrong).records


def test_requests_are_cut_from_the_stream_whatever_comes_between() -> None:
    reader = RequestReader()
    assert reader.feed(b"\x00\xe5" + RESET_1[:3]) == []
    assert reader.feed(RESET_1[3:] + b"\x10\x40\x01\x42\x16" + REQUEST_1) == [RESET_1, REQUEST_1]


async def test_the_bus_is_reached_over_tcp_by_anyone() -> None:
    async with MbusServer(water_bus()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(10):
            writer.write(RESET_1)
            assert await reader.readexactly(1) == b"\xe5"
            writer.write(REQUEST_1)
            head = await reader.readexactly(4)
            data = head + await reader.readexactly(head[1] + 2)
        writer.close()
        await writer.wait_closed()
    assert float(meterbus.load(data).records[0].interpreted["value"]) == 3.0


async def test_another_librarys_master_reads_a_meter_over_the_pseudo_terminal() -> None:
    """pymeterbus over pyserial in a thread: its own frames, its own parser."""
    bus = Bus(meters_of({1: Fixed(heat_energy=37351)}, HEAT, lambda: NOON))
    done: list[bytes] = []

    def master(path: str) -> None:
        with serial.Serial(path, 2400, parity="E", timeout=5) as port:
            meterbus.send_ping_frame(port, 1)
            done.append(port.read(1))
            meterbus.send_request_frame(port, 1)
            head = port.read(4)
            done.append(head + port.read(head[1] + 2))

    async with MbusPort(bus) as port:
        thread = threading.Thread(target=master, args=(port.path,))
        thread.start()
        await asyncio.to_thread(thread.join)
    assert done[0] == b"\xe5"
    assert float(meterbus.load(done[1]).records[0].interpreted["value"]) == 37_351_000
