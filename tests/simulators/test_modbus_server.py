import asyncio
import logging
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgce.simulators.faults import Busy, Silent, Slow
from kgce.simulators.modbus_frames import ExceptionCode, Refusal, answer_pdu, parse_header
from kgce.simulators.modbus_server import ModbusServer, UnknownUnit
from tests.simulators.modbus_client import connected


class Table:
    """A unit with 4000 registers (value = address x factor) and as many bits (true where divisible by 3)."""

    def __init__(self, factor=1):
        self.factor = factor

    def read(self, function, address, count):
        if address + count > 4000:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        if function in {1, 2}:
            return [int(at % 3 == 0) for at in range(address, address + count)]
        return [at * self.factor for at in range(address, address + count)]


class Broken:
    def read(self, function, address, count):
        raise ValueError("sensor gone")


@pytest.fixture
async def server():
    async with ModbusServer({1: Table(), 2: Table(2), 9: Broken()}) as running:
        yield running


async def test_registers_arrive_big_endian(server):
    async with connected(server.port) as client:
        # By hand from the standard, section 6.3: function, byte count, 0x0102 and 0x0103
        assert await client.read(1, 3, 0x0102, 2) == bytes((3, 4, 1, 2, 1, 3))
        assert await client.read(1, 4, 7, 1) == bytes((4, 2, 0, 7))


async def test_bits_are_packed_lowest_first(server):
    async with connected(server.port) as client:
        # Bits 0..9 are 1001001001; first byte holds bits 0-7 (1,0,0,1,0,0,1,0 = 0x49), second bits 8-9 (0,1 = 0x02)
        assert await client.read(1, 1, 0, 10) == bytes((1, 2, 0x49, 0x02))
        assert await client.read(1, 2, 3, 1) == bytes((2, 1, 1))


async def test_units_on_one_port_are_kept_apart(server):
    async with connected(server.port) as client:
        assert await client.read(1, 3, 50, 1) == bytes((3, 2, 0, 50))
        assert await client.read(2, 3, 50, 1) == bytes((3, 2, 0, 100))


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [  # function | 0x80, then the code of the standard's section 7
        pytest.param(struct.pack(">BHH", 6, 1, 1), bytes((0x86, 1)), id="writing is an illegal function"),
        pytest.param(bytes((0x2B, 14, 1, 0)), bytes((0xAB, 1)), id="device identification is not offered"),
        pytest.param(struct.pack(">BHH", 3, 3999, 2), bytes((0x83, 2)), id="illegal address"),
        pytest.param(struct.pack(">BHH", 3, 0xFFFF, 2), bytes((0x83, 2)), id="beyond the last address"),
        pytest.param(struct.pack(">BHH", 3, 0, 0), bytes((0x83, 3)), id="none asked for"),
        pytest.param(struct.pack(">BHH", 4, 0, 126), bytes((0x84, 3)), id="too many registers"),
        pytest.param(struct.pack(">BHH", 1, 0, 2001), bytes((0x81, 3)), id="too many bits"),
        pytest.param(bytes((3, 0, 0)), bytes((0x83, 3)), id="request too short"),
        pytest.param(struct.pack(">BHHB", 3, 0, 1, 0), bytes((0x83, 3)), id="request too long"),
    ],
)
async def test_a_wrong_request_gets_its_exception(server, pdu, answer):
    async with connected(server.port) as client:
        assert await client.ask(1, pdu) == answer
        assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5)), "and the connection goes on"


async def test_the_largest_reads_are_answered(server):
    async with connected(server.port) as client:
        assert len(await client.read(1, 3, 0, 125)) == 2 + 250
        assert len(await client.read(1, 1, 0, 2000)) == 2 + 250


async def test_a_unit_that_cannot_say_its_values_answers_04_and_is_logged_once(server, caplog):
    async with connected(server.port) as client:
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert await client.read(9, 3, 0, 1) == bytes((0x83, 4))

    assert [record.message.count("sensor gone") for record in caplog.records] == [1]


async def test_an_unknown_unit_is_silent_and_the_others_are_not(server):
    async with connected(server.port) as client:
        with pytest.raises(TimeoutError):
            await client.read(77, 3, 0, 1, timeout_s=0.15)
        assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))


async def test_an_unknown_unit_can_be_refused_like_a_gateway_does():
    async with (
        ModbusServer({1: Table()}, unknown_unit=UnknownUnit.REFUSAL) as server,
        connected(server.port) as client,
    ):
        assert await client.read(77, 3, 0, 1) == bytes((0x83, 0x0B))


class TestFaults:
    async def test_a_silent_unit_leaves_the_other_units_alone(self, server):
        server.set_fault(1, Silent())
        async with connected(server.port) as client:
            with pytest.raises(TimeoutError):
                await client.read(1, 3, 0, 1, timeout_s=0.15)
            assert await client.read(2, 3, 5, 1) == bytes((3, 2, 0, 10))

    async def test_a_busy_unit_answers_06(self, server):
        server.set_fault(1, Busy())
        async with connected(server.port) as client:
            assert await client.read(1, 3, 0, 1) == bytes((0x83, 6))

    async def test_a_slow_unit_answers_late_but_right(self, server):
        server.set_fault(1, Slow(0.3))
        loop = asyncio.get_running_loop()
        async with connected(server.port) as client:
            asked_at = loop.time()
            assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))
            assert loop.time() - asked_at >= 0.29

    async def test_a_healed_unit_answers_again(self, server):
        server.set_fault(1, Busy())
        server.set_fault(1, None)
        async with connected(server.port) as client:
            assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(bytes((0, 1, 0, 9, 0, 6, 1, 3, 0, 0, 0, 1)), id="protocol is not 0"),
        pytest.param(bytes((0, 1, 0, 0, 0, 1, 1)), id="no function"),
        pytest.param(bytes((0, 1, 0, 0, 0, 255, 1, 3)), id="longer than Modbus allows"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="a browser"),
    ],
)
async def test_a_frame_that_is_not_modbus_ends_its_connection_only(server, raw):
    async with connected(server.port) as stranger, connected(server.port) as client:
        await stranger.send(raw)
        assert await stranger.closed_by_peer()
        assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))


async def test_a_frame_in_pieces_is_one_request(server):
    async with connected(server.port) as client:
        for piece in (b"\x00\x01\x00\x00", b"\x00\x06\x01\x03\x00", b"\x05\x00\x01"):
            await client.send(piece)
            await asyncio.sleep(0)
        assert await asyncio.wait_for(client.reader.readexactly(11), 5) == bytes((0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 5))


async def test_requests_sent_together_are_answered_in_order(server):
    async with connected(server.port) as client:
        ask = [struct.pack(">HHHBBHH", tid, 0, 6, 1, 3, tid, 1) for tid in range(1, 21)]
        await client.send(b"".join(ask))
        answers = await asyncio.wait_for(client.reader.readexactly(11 * 20), 5)

    assert answers == b"".join(struct.pack(">HHHBBBH", tid, 0, 5, 1, 3, 2, tid) for tid in range(1, 21))


async def test_half_a_frame_and_a_hang_up_do_no_harm(server):
    async with connected(server.port) as stranger:
        await stranger.send(b"\x00\x01\x00\x00\x00\x06\x01\x03")
    async with connected(server.port) as client:
        assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_noise_never_stops_the_server(noise):
    async def disturb():
        async with ModbusServer({1: Table()}) as server:
            for raw in noise:
                async with connected(server.port) as stranger:
                    await stranger.send(raw)
            async with connected(server.port) as client:
                assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))

    asyncio.run(disturb())


@given(st.binary(min_size=1, max_size=253))
def test_any_pdu_gets_data_or_an_exception(pdu):
    answer = answer_pdu(Table(), pdu)

    assert answer[0] == pdu[0] | 0x80 or (pdu[0] in {1, 2, 3, 4} and len(answer) == 2 + answer[1])
    assert 2 <= len(answer) <= 253


@given(st.binary(min_size=7, max_size=7))
def test_a_header_is_accepted_only_when_it_can_be_modbus(raw):
    header = parse_header(raw)
    protocol, length = struct.unpack(">HH", raw[2:6])

    assert (header is not None) == (protocol == 0 and 2 <= length <= 254)


async def test_stopping_ends_open_connections_and_frees_the_port():
    server = ModbusServer({1: Table()})
    await server.start()
    port = server.port
    async with connected(port) as client:
        await client.read(1, 3, 0, 1)
        await server.stop()
        assert await client.closed_by_peer()
    async with ModbusServer({1: Table()}, port=port) as again, connected(again.port) as client:
        assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))
