"""The four ways Modbus travels, read by mbpoll, libmodbus and pymodbus."""

import asyncio
import ctypes
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from kgce.simulators.modbus_framing import AsciiFraming, NotModbus, RtuFraming, TcpFraming, WireMode, crc, lrc
from kgce.simulators.modbus_server import ModbusPort, ModbusServer
from tests import servers

MANY = 200


class Table:
    """Holding register n holds n, so a value says where it was read."""

    def read(self, _function, address, count):
        return list(range(address, address + count))


async def mbpoll(*options: str) -> list[int]:
    process = await asyncio.create_subprocess_exec(
        servers.require_tool("mbpoll"),
        *("-0", "-1", "-B", "-o", "5", "-t", "4", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    text = output.decode()
    assert process.returncode == 0, text
    return [int(value) for value in re.findall(r"^\[\d+\]:\s+(\d+)", text, flags=re.MULTILINE)]


async def test_mbpoll_reads_a_pseudo_terminal_in_rtu():
    async with ModbusPort({3: Table()}) as line:
        values = await mbpoll("-m", "rtu", "-b", "9600", "-P", "none", "-a", "3", "-r", "40", "-c", "5", line.path)

    assert values == [40, 41, 42, 43, 44]


async def test_libmodbus_reads_a_pseudo_terminal_in_rtu():
    try:
        c = ctypes.CDLL("libmodbus.so.5", use_errno=True)
    except OSError:
        servers.lacking("libmodbus.so.5 is not installed: apt-get install libmodbus5")
    c.modbus_new_rtu.restype = ctypes.c_void_p

    def read(path):
        context = ctypes.c_void_p(c.modbus_new_rtu(path.encode(), 9600, ctypes.c_char(b"N"), 8, 1))
        words = (ctypes.c_uint16 * 100)()
        try:
            assert c.modbus_set_slave(context, 9) == 0
            assert c.modbus_connect(context) == 0
            assert c.modbus_read_registers(context, 1000, 100, words) == 100
        finally:
            c.modbus_close(context)
            c.modbus_free(context)
        return list(words)

    async with ModbusPort({9: Table()}) as line:
        assert await asyncio.to_thread(read, line.path) == list(range(1000, 1100))


@pytest.mark.parametrize(
    ("mode", "framer"),
    [
        (WireMode.TCP, FramerType.SOCKET),
        (WireMode.RTU_OVER_TCP, FramerType.RTU),
        (WireMode.ASCII, FramerType.ASCII),
    ],
)
async def test_pymodbus_reads_a_port_in_every_mode(mode, framer):
    async with ModbusServer({5: Table(), 6: Table()}, mode=mode) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port, framer=framer)
        assert await client.connect()
        for unit in (5, 6, 5):
            answer = await client.read_holding_registers(123, count=125, device_id=unit)
            assert answer.registers == list(range(123, 248))
        client.close()


@pytest.mark.parametrize(("mode", "framer"), [(WireMode.RTU, FramerType.RTU), (WireMode.ASCII, FramerType.ASCII)])
async def test_pymodbus_reads_a_pseudo_terminal_in_both_modes(mode, framer):
    async with ModbusPort({5: Table()}, mode=mode) as line:
        client = AsyncModbusSerialClient(line.path, framer=framer, baudrate=115_200)
        assert await client.connect()
        answer = await client.read_input_registers(7, count=3, device_id=5)
        client.close()

    assert answer.registers == [7, 8, 9]


def test_checksums_are_those_of_the_standard():
    """CRC: 02 07 gives 41 12 (Modbus over Serial Line V1.02, appendix B); LRC: the sum with it is zero."""
    assert crc(bytes((2, 7))) == bytes((0x41, 0x12))
    assert sum(b"\x11\x03\x00\x6b" + lrc(b"\x11\x03\x00\x6b")) % 256 == 0


def requests_of(mode, unit, address, count):
    body = struct.pack(">BBHH", unit, 3, address, count)
    return {
        WireMode.TCP: struct.pack(">HHH", 1, 0, len(body)) + body,
        WireMode.RTU: body + crc(body),
        WireMode.ASCII: b":" + (body + lrc(body)).hex().upper().encode() + b"\r\n",
    }[mode]


FRAMINGS = {WireMode.TCP: TcpFraming, WireMode.RTU: RtuFraming, WireMode.ASCII: AsciiFraming}


@pytest.mark.parametrize("mode", FRAMINGS)
@given(data=st.data())
def test_requests_cut_anywhere_are_the_same_requests(mode, data):
    wanted = data.draw(st.lists(st.tuples(st.integers(1, 247), st.integers(0, 0xFFFF)), min_size=1, max_size=5))
    stream = b"".join(requests_of(mode, unit, address, 2) for unit, address in wanted)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    talk, found = FRAMINGS[mode](), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += talk.feed(stream[begin:end])

    assert [(one.unit, one.pdu) for one in found] == [
        (unit, struct.pack(">BHH", 3, address, 2)) for unit, address in wanted
    ]


@pytest.mark.parametrize("mode", [WireMode.RTU, WireMode.ASCII])
@given(noise=st.binary(max_size=40).filter(lambda raw: b":" not in raw))
def test_a_request_after_noise_is_still_heard(mode, noise):
    """Noise may look like the beginning of a longer frame; a master that asks again and again is understood."""
    talk = FRAMINGS[mode]()
    talk.feed(noise)
    request = requests_of(mode, 17, 100, 1)

    assert any(one.unit == 17 for _ in range(MANY) for one in talk.feed(request))


@given(st.lists(st.binary(max_size=600), max_size=6))
def test_any_bytes_are_survived_in_every_mode(pieces):
    for make in FRAMINGS.values():
        talk = make()
        try:
            for piece in pieces:
                for request in talk.feed(piece):
                    assert request.pdu
        except NotModbus:
            assert isinstance(talk, TcpFraming)
