"""What goes over the wire is what the fault says."""

import asyncio
import math
import struct

import pytest

from kgce.domain.errors import ConfigError
from kgce.simulators.devices.device import DeviceUnit
from kgce.simulators.devices.encode import WordType
from kgce.simulators.devices.registers import Register, RegisterMap
from kgce.simulators.fault_plan import KINDS, PlannedFault, Reconnect, parse_fault
from kgce.simulators.fault_run import run_fault
from kgce.simulators.faults import Busy, Echo, Garbage, GatewaySilent, LateReply, Refusing, Slow, TornFrame, WrongUnit
from kgce.simulators.modbus_framing import WireMode, crc
from kgce.simulators.modbus_server import ModbusServer
from kgce.simulators.value_faults import (
    ClockOff,
    CounterDip,
    CounterReset,
    FaultyDevice,
    RollOver,
    Sentinel,
    Stale,
    SwappedWords,
)
from tests.simulators.modbus_client import connected

ASK = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 5, 1)  # transaction 1, unit 1: register 5
TOLD = struct.pack(">HHHBBBH", 1, 0, 5, 1, 3, 2, 5)  # it holds 5


class Table:
    def read(self, _function, address, count):
        return list(range(address, address + count))


async def over_the_wire(fault, *requests, expected):
    """All the bytes that come back; the answer of unit 2, asked last, marks the end."""
    async with ModbusServer({1: Table(), 2: Table()}) as server, connected(server.port) as client:
        server.set_fault(1, fault)
        end = struct.pack(">HHHBBBH", 99, 0, 5, 2, 3, 2, 0)
        await client.send(b"".join(requests) + struct.pack(">HHHBBHH", 99, 0, 6, 2, 3, 0, 1))
        got = await asyncio.wait_for(client.reader.readexactly(len(expected) + len(end)), 5)
    assert got == expected + end


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Busy(), bytes((0, 1, 0, 0, 0, 3, 1, 0x83, 6)), id="busy is exception 06"),
        pytest.param(GatewaySilent(), bytes((0, 1, 0, 0, 0, 3, 1, 0x83, 0x0B)), id="the gateway gives up: 0B"),
        pytest.param(Refusing(4), bytes((0, 1, 0, 0, 0, 3, 1, 0x83, 4)), id="any exception"),
        pytest.param(WrongUnit(9), TOLD[:6] + b"\x09" + TOLD[7:], id="another unit's name, the same data"),
        pytest.param(TornFrame(), TOLD[:5], id="half of eleven bytes"),
        pytest.param(TornFrame(1.0), TOLD[:-1], id="a torn frame always lacks something"),
        pytest.param(Echo(), ASK + TOLD, id="the request comes back first"),
        pytest.param(Garbage(), b"\x00\xff\x55" + TOLD, id="noise, then the answer"),
        pytest.param(Garbage(b"", flipped_bit=0), TOLD[:-1] + b"\x04", id="5 with its lowest bit flipped"),
        pytest.param(Slow(0.01), TOLD, id="late but right"),
    ],
)
async def test_a_faulty_answer_is_exactly_this(fault, expected):
    await over_the_wire(fault, ASK, expected=expected)


async def test_a_late_reply_comes_in_front_of_the_next_one():
    second = struct.pack(">HHHBBHH", 2, 0, 6, 1, 3, 6, 1)
    await over_the_wire(LateReply(), ASK, second, expected=TOLD + struct.pack(">HHHBBBH", 2, 0, 5, 1, 3, 2, 6))


async def test_frame_faults_keep_to_the_mode_of_the_line():
    """RTU: the wrong unit's frame has a right CRC, so only its address tells."""
    body = struct.pack(">BBHH", 1, 3, 5, 1)
    async with ModbusServer({1: Table()}, mode=WireMode.RTU_OVER_TCP) as server, connected(server.port) as client:
        server.set_fault(1, WrongUnit(2))
        await client.send(body + crc(body))
        answer = await asyncio.wait_for(client.reader.readexactly(7), 5)

    assert answer[:5] == bytes((2, 3, 2, 0, 5))
    assert crc(answer) == b"\0\0"


async def test_a_reconnect_drops_what_is_open_and_lets_the_next_in():
    async with ModbusServer({1: Table()}) as server:
        for row in range(3):
            async with connected(server.port) as client:
                assert await client.read(1, 3, 5, 1) == bytes((3, 2, 0, 5))
                server.drop_connections()
                assert await client.closed_by_peer()
            assert server.accepted == row + 1


class Meter:
    """100 kWh at second 0, 36 000 kWh more each hour; 12.5 kW."""

    register_map = RegisterMap(
        function=3,
        registers=[
            Register("active_energy_import", 0, WordType.UINT32, 100),
            Register("active_power_total", 2, WordType.FLOAT32, 1000),
        ],
    )

    def values(self, time_ms):
        return {"active_energy_import": 100.0 + time_ms / 100, "active_power_total": 12.5}


def energies(fault, *times_ms):
    device = FaultyDevice(Meter())
    device.fault = fault
    return [device.values(time_ms)["active_energy_import"] for time_ms in times_ms]


@pytest.mark.parametrize(
    ("fault", "shown"),
    [  # the honest meter shows 100, 110, 120, 130
        pytest.param(None, [100, 110, 120, 130], id="honest"),
        pytest.param(CounterDip(), [0, 110, 120, 130], id="one read of zero, then back"),
        pytest.param(CounterDip(2), [0, 0, 120, 130], id="two reads of zero"),
        pytest.param(CounterReset(), [0, 10, 20, 30], id="begins again"),
        pytest.param(RollOver(left=15.0), [999_985, 999_995, 5, 15], id="wraps after 999 999.99"),
        pytest.param(RollOver(None, 15.0), [42_949_657.96, 42_949_667.96, 5, 15], id="wraps at 2^32 steps of 0.01"),
        pytest.param(Stale(), [100, 100, 100, 100], id="frozen"),
        pytest.param(SwappedWords(), [100, 110, 120, 130], id="values stay, registers change"),
        pytest.param(Sentinel(("active_energy_import",)), [math.nan] * 4, id="not measured"),
    ],
)
def test_a_counter_with_a_fault_shows_this(fault, shown):
    assert energies(fault, 0, 1000, 2000, 3000) == pytest.approx(shown, nan_ok=True)


def test_faults_of_counters_leave_power_alone():
    for fault in (CounterDip(), CounterReset(), RollOver(), Sentinel(("active_energy_import",))):
        device = FaultyDevice(Meter())
        device.fault = fault
        assert device.values(0)["active_power_total"] == 12.5


@pytest.mark.parametrize(
    ("fault", "words"),
    [  # 10 000 steps of 0.01 kWh = 0x2710; 12 500 W = 0x46435000 (IEEE 754)
        pytest.param(None, [0x0000, 0x2710, 0x4643, 0x5000], id="honest"),
        pytest.param(SwappedWords(), [0x2710, 0x0000, 0x5000, 0x4643], id="low word first"),
        pytest.param(Sentinel(), [0xFFFF, 0xFFFF, 0x7FC0, 0x0000], id="all ones and a quiet NaN"),
        pytest.param(RollOver(None, 0.01), [0xFFFF, 0xFFFF, 0x4643, 0x5000], id="the last step before 2^32"),
        pytest.param(CounterDip(), [0, 0, 0x4643, 0x5000], id="a zero counter beside a live power"),
    ],
)
async def test_a_value_fault_in_the_registers(fault, words):
    device = FaultyDevice(Meter())
    device.fault = fault
    async with ModbusServer({1: DeviceUnit(device, lambda: 0.0)}) as server, connected(server.port) as client:
        answer = await client.read(1, 3, 0, 4)

    assert list(struct.unpack(">4H", answer[2:])) == words


def test_a_clock_that_is_off_leaves_the_values_alone():
    device = FaultyDevice(Meter())
    device.fault = ClockOff(-3600)

    assert device.clock_ms(10_000_000) == 6_400_000
    assert device.values(1000) == Meter().values(1000)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("m:silent", "Silent()"),
        ("m:slow:2.5", "Slow(delay_s=2.5)"),
        ("m:exception:4", "Refusing(code=4)"),
        ("m:wrong-unit:9", "WrongUnit(unit=9)"),
        ("m:sentinel:frequency:voltage", "Sentinel(quantities=('frequency', 'voltage'))"),
        ("m:roll-over:2^32:0.5", "RollOver(modulus=None, left=0.5"),
        ("school/m:clock-off:-60", "ClockOff(seconds=-60.0)"),
        ("m:reconnect", "Reconnect()"),
    ],
)
def test_a_fault_is_said_in_one_word(text, made):
    planned = parse_fault(text)

    assert repr(planned.make()).startswith(made)
    assert planned.concerns("school", "m")
    assert planned.concerns("church", "m") == ("/" not in text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("meter", "write device:kind"),
        (":silent", "write device:kind"),
        ("m:nonsense", "no fault 'nonsense'; known: busy, clock-off"),
        ("m:slow", "write slow:seconds"),
        ("m:slow:fast", "write slow:seconds"),
        ("m:busy:1:2:3", "does not understand"),
    ],
)
def test_a_wrong_word_is_answered_with_how_to_write_it(text, reason):
    with pytest.raises(ConfigError, match=reason):
        parse_fault(text)


def test_every_kind_makes_a_fresh_fault_each_time():
    needs = {"exception": ("4",), "slow": ("1",), "wrong-unit": ("2",), "clock-off": ("5",)}
    for kind in KINDS:
        plan = PlannedFault("m", kind, needs.get(kind, ()))
        assert plan.make() is not plan.make() or kind == "reconnect"
    assert PlannedFault("m", "reconnect").make() == Reconnect()


async def test_a_planned_fault_comes_goes_and_comes_again():
    seen, third = [], asyncio.Event()

    def apply(fault):
        seen.append(fault)
        if len(seen) == 5:
            third.set()

    job = asyncio.create_task(run_fault(PlannedFault("m", "busy", every_s=0.02, for_s=0.01), apply))
    await asyncio.wait_for(third.wait(), 5)
    job.cancel()

    assert seen == [Busy(), None, Busy(), None, Busy()]
