"""The simulated line as a client sees it: over TCP and as a serial port, with faults on demand."""

import asyncio
import logging
import os
import tty

import pytest

from kgce.simulators.dlt645.codec import frame, unmask
from kgce.simulators.dlt645.server import Dlt645Port, Dlt645Server
from kgce.simulators.faults import Silent
from tests.simulators.dlt645.test_codec import Planted

ONE, TWO = "000000000001", "000000000002"
FREQUENCY = bytes.fromhex("02800002")[::-1]


def asked(address: str) -> bytes:
    return b"\xfe\xfe" + frame(address, 0x11, FREQUENCY)


def answered(address: str, hundredths: str) -> bytes:
    return frame(address, 0x91, FREQUENCY + bytes.fromhex(hundredths)[::-1])


async def talk(port: int, request: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(5):
        heard = await reader.readexactly(size)
    writer.close()
    await writer.wait_closed()
    return heard


async def test_every_connection_reaches_the_same_line() -> None:
    meters = {ONE: Planted({"frequency": 50.01}), TWO: Planted({"frequency": 49.99})}
    async with Dlt645Server(meters, lambda: 0.0) as server:
        expected = {ONE: answered(ONE, "5001"), TWO: answered(TWO, "4999")}
        for address, answer in expected.items():
            assert await talk(server.port, asked(address), len(answer)) == answer
        both = await talk(server.port, asked("aaaaaaaaaaaa"), 2 * len(expected[ONE]))
    assert both == expected[ONE] + expected[TWO]


async def test_a_silent_meter_says_nothing_until_it_is_healed() -> None:
    meters = {ONE: Planted({"frequency": 50.01}), TWO: Planted({"frequency": 49.99})}
    async with Dlt645Server(meters, lambda: 0.0) as server:
        server.set_fault(ONE, Silent())
        two = answered(TWO, "4999")
        assert await talk(server.port, asked(ONE) + asked(TWO), len(two)) == two  # the first got no answer
        server.set_fault(ONE, None)
        one = answered(ONE, "5001")
        assert await talk(server.port, asked(ONE), len(one)) == one
        with pytest.raises(KeyError):
            server.set_fault("000000000003", Silent())


async def test_a_device_that_cannot_say_its_value_is_silent_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def values(self, time_ms: int) -> dict[str, float]:
            raise ValueError("no such year")

    caplog.set_level(logging.WARNING)
    async with Dlt645Server({ONE: Broken(), TWO: Planted({"frequency": 49.99})}, lambda: 0.0) as server:
        two = answered(TWO, "4999")
        for _ in range(2):
            assert await talk(server.port, asked(ONE) + asked(TWO), len(two)) == two
    assert [record.message for record in caplog.records] == [f"simulated meter {ONE} stays silent: no such year"]


async def test_an_identifier_a_meter_does_not_have_is_refused() -> None:
    refusal = frame(ONE, 0xD1, b"\x02")
    async with Dlt645Server({ONE: Planted({})}, lambda: 0.0) as server:
        assert await talk(server.port, asked(ONE), len(refusal)) == refusal
    assert unmask(refusal)[2] == b"\x02"


async def test_a_serial_port_answers_like_a_converter() -> None:
    loop = asyncio.get_running_loop()
    heard, whole = bytearray(), asyncio.Event()
    expected = answered(ONE, "5001")
    async with Dlt645Port({ONE: Planted({"frequency": 50.01})}, lambda: 0.0) as port:
        end = os.open(port.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(end)

        def read() -> None:
            heard.extend(os.read(end, 4096))
            if len(heard) >= len(expected):
                whole.set()

        loop.add_reader(end, read)
        for byte in asked(ONE):  # one by one, as a slow line brings them
            os.write(end, bytes([byte]))
        async with asyncio.timeout(5):
            await whole.wait()
        loop.remove_reader(end)
        os.close(end)
    assert heard == expected


async def test_stopping_ends_every_connection() -> None:
    async with Dlt645Server({ONE: Planted({"frequency": 50.0})}, lambda: 0.0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(asked(ONE))
        await reader.readexactly(len(answered(ONE, "5000")))
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
