"""Asking a line what is there, without anything staying open."""

import asyncio

import pytest

from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.probe import Prober, probe
from kgce.collectors.turns import LineDown
from kgce.domain.errors import ConfigError
from tests.collectors.modbus.meter import line
from tests.collectors.modbus.wire import Asked, Pieces, answer, encoded, serial_peer, tcp_peer
from tests.servers import free_port

READ = Read("holding", 0, 2, ())


def three_units(mode: str):
    def say(asked: Asked) -> Pieces:
        return {
            1: [answer(mode, asked, [7, 8])],
            2: [encoded(mode, bytes([asked.function | 0x80, 2]), asked.unit, asked.tid)],
            4: [encoded(mode, bytes([asked.function | 0x80, 0x0B]), asked.unit, asked.tid)],
        }.get(asked.unit, [])

    return say


@pytest.mark.parametrize("mode", ["tcp", "rtu-over-tcp", "ascii"])
async def test_a_scan_tells_registers_from_refusals_from_silence(mode: str) -> None:
    async with tcp_peer(mode, three_units(mode)) as peer, Prober(line(peer.port, mode=mode, timeout_s=0.2)) as prober:
        found = {unit: await prober.ask(unit, READ) for unit in (1, 2, 3, 4)}
    assert found[1].registers == (7, 8)
    assert (found[2].exception_code, found[2].is_there) == (2, True)
    assert (found[3].is_there, found[3].registers) == (False, None)
    assert "no answer in time" in found[3].reason
    assert not found[4].is_there
    assert "no unit 4 behind it" in found[4].reason


async def test_one_question_leaves_no_connection_open() -> None:
    async with tcp_peer("tcp", three_units("tcp")) as peer:
        assert (await probe(line(peer.port), 1, READ)).registers == (7, 8)
        async with asyncio.timeout(5):
            while peer.open:
                await asyncio.sleep(0)
    assert peer.connections == 1


async def test_a_serial_line_is_probed_like_any_other() -> None:
    async with serial_peer("rtu", three_units("rtu")) as peer:
        assert (await probe(line(0, serial=peer.path), 1, READ)).registers == (7, 8)


async def test_a_line_that_is_not_there_is_told_apart_from_a_silent_unit() -> None:
    with pytest.raises(LineDown, match="nobody answers"):
        await probe(line(free_port()), 1, READ)
    with pytest.raises(LineDown, match="no-such-port"):
        await probe(line(0, serial="/dev/no-such-port"), 1, READ)


@pytest.mark.hazard(24)
async def test_more_than_one_request_can_ask_for_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(ConfigError, match="1 to 125 holding registers, not 126"):
        await probe(line(free_port()), 1, Read("holding", 0, 126, ()))


@pytest.mark.hazard(4)
async def test_nobody_is_asked_by_broadcast() -> None:
    with pytest.raises(ConfigError, match="broadcast"):
        await probe(line(0, serial="/dev/no-such-port"), 0, READ)
