"""Whole way: simulated meters on real sockets and pseudo terminals, readings out."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from kgce.collectors.dlt645.meter import FORGET_HOLES_S, MOST_SILENCES
from kgce.collectors.dlt645.source import Dlt645Source
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, DeviceUnreachable
from kgce.domain.tree import Point
from kgce.simulators.dlt645.meter import Dlt645Meter
from kgce.simulators.dlt645.server import Dlt645Port, Dlt645Server
from kgce.simulators.faults import Silent, Slow
from tests.collectors.dlt645.meters import NOW_S, TRUTH, Planted, bad, clock, source_for, values
from tests.collectors.line.peer import Talk, tcp_peer

A, B = "000000000161", "181226034194"


@contextlib.asynccontextmanager
async def served(meters: dict, devices: list[dict], **options) -> AsyncIterator[tuple[Dlt645Server, Dlt645Source]]:
    async with Dlt645Server(meters, clock) as server:
        source = source_for({"host": "127.0.0.1", "port": server.port}, devices, **options)
        yield server, source
        source.close()
        await asyncio.sleep(0)


async def test_a_meter_behind_a_converter_gives_its_planted_values() -> None:
    async with served({A: Planted(TRUTH)}, [{"device": "main", "address": "161"}]) as (_, source):
        batch = await source.poll("main")
    assert values(batch) == pytest.approx(TRUTH, abs=1e-9)
    assert set(batch.time_ms) == {NOW_S * 1000}
    assert {series.measurement for series in batch.series} == {"electricity"}


async def test_a_meter_on_a_serial_line_gives_its_planted_values() -> None:
    async with Dlt645Port({A: Planted(TRUTH)}, clock) as port:
        source = source_for({"serial": port.path}, [{"device": "main", "address": A}])
        batch = await source.poll("main")
        source.close()
        await asyncio.sleep(0)
    assert values(batch) == pytest.approx(TRUTH, abs=1e-9)


async def test_three_blocks_and_singles_are_the_fewest_requests() -> None:
    meter = Planted(TRUTH)
    async with served({A: meter}, [{"device": "main", "address": A}]) as (_, source):
        await source.poll("main")
    assert meter.asked == 7  # two energies, total power, power factor, frequency; voltages and currents as blocks


async def test_meters_of_both_editions_on_one_line_are_told_apart() -> None:
    meters = {A: Dlt645Meter(A, Planted(TRUTH)), B: Dlt645Meter(B, Planted(TRUTH), edition="1997")}
    devices = [{"device": "new", "address": A, "edition": "auto"}, {"device": "old", "address": B, "edition": "auto"}]
    async with served(meters, devices, timeout_s=0.2, retries=0) as (_, source):
        new, old = values(await source.poll("new")), values(await source.poll("old"))
    assert new["voltage_l1_n"] == 230.3
    assert old == {
        "active_energy_import": 123_456.78,
        "voltage_l1_n": 230.0,  # whole volts in the 1997 edition
        "voltage_l2_n": 231.0,
        "voltage_l3_n": 230.0,
    }


async def test_a_meter_that_refuses_the_newer_edition_but_gives_data_in_the_older_speaks_the_older() -> None:
    from kgce.simulators.dlt645 import codec

    old = Dlt645Meter(B, Planted(TRUTH), edition="1997")

    async def reply(asked: bytes, talk: Talk) -> None:
        request = asked.lstrip(b"\xfe")
        control = codec.unmask(request)[1]
        answer = codec.frame(B, 0xD1, b"\x02") if control == 0x11 else old.answer(request, clock)
        assert answer is not None
        talk.write(answer)

    async with tcp_peer(reply) as peer:
        source = source_for(peer.where, [{"device": "old", "address": B, "edition": "auto"}])
        assert values(await source.poll("old"))["voltage_l1_n"] == 230.0
        source.close()
        await asyncio.sleep(0)


@pytest.mark.hazard(23)
async def test_a_refused_block_is_read_one_by_one_and_remembered() -> None:
    meter = Planted(TRUTH)
    lacking = Dlt645Meter(A, meter, lacks=frozenset({"0201FF00", "02010300", "02800002"}))
    async with served({A: lacking}, [{"device": "main", "address": A}]) as (_, source):
        for _ in range(2):
            got = values(await source.poll("main"))
            assert TRUTH.keys() - got.keys() == {"voltage_l3_n", "frequency"}
        asked = meter.asked
        await source.poll("main")
    assert meter.asked - asked == 7  # two voltages singly; the refused ones are not asked for again


@pytest.mark.hazard(23)
async def test_what_was_refused_is_asked_for_again_after_an_hour() -> None:
    now = 0.0
    lacking = Dlt645Meter(A, Planted(TRUTH), lacks=frozenset({"02800002"}))
    async with Dlt645Server({A: lacking}, clock) as server:
        where = {"host": "127.0.0.1", "port": server.port}
        template = source_for(where, [{"device": "main", "address": A}])
        source = Dlt645Source(template._config, wall_clock=clock, clock=lambda: now)
        assert "frequency" not in values(await source.poll("main"))
        lacking._lacks = frozenset()
        assert "frequency" not in values(await source.poll("main"))
        now = FORGET_HOLES_S
        assert values(await source.poll("main"))["frequency"] == 49.98
        source.close()
        await asyncio.sleep(0)


async def test_an_identifier_a_meter_is_mute_on_costs_its_own_value_only() -> None:
    mute = Dlt645Meter(A, Planted(TRUTH), mute_on=frozenset({"00010000"}))  # the first one that is asked for
    async with served({A: mute}, [{"device": "main", "address": A}], timeout_s=0.1, retries=0) as (_, source):
        with pytest.raises(DeviceUnreachable):
            await source.poll("main")
        for _ in range(MOST_SILENCES):
            assert TRUTH.keys() - values(await source.poll("main")).keys() == {"active_energy_import"}
        assert [request.di for request in source._meters[0].requests if request.di == "00010000"] == []


@pytest.mark.hazard(30, 31)
async def test_a_value_with_wrong_digits_is_bad_and_costs_no_other() -> None:
    from kgce.simulators.dlt645 import codec

    good = Dlt645Meter(A, Planted(TRUTH))

    async def reply(asked: bytes, talk: Talk) -> None:
        request = asked.lstrip(b"\xfe")
        answer = good.answer(request, clock)
        assert answer is not None
        if codec.unmask(request)[2] == bytes.fromhex("00FF0102"):
            answer = codec.frame(A, 0x91, bytes.fromhex("00FF0102") + b"\x03\x23\xff\xff\x00\x0e")
        talk.write(answer)

    async with tcp_peer(reply) as peer:
        source = source_for(peer.where, [{"device": "main", "address": A}])
        batch = await source.poll("main")
        source.close()
        await asyncio.sleep(0)
    assert bad(batch) == {"voltage_l2_n", "voltage_l3_n"}
    assert len(batch) == len(TRUTH)


@pytest.mark.hazard(8)
async def test_an_answer_of_another_length_gives_no_value_and_costs_no_other() -> None:
    from kgce.simulators.dlt645 import codec

    good = Dlt645Meter(A, Planted(TRUTH))

    async def reply(asked: bytes, talk: Talk) -> None:
        request = asked.lstrip(b"\xfe")
        di = codec.unmask(request)[2]
        long = codec.frame(A, 0x91, di + b"\x00" * 5)
        answer = long if di == bytes.fromhex("00000100") else good.answer(request, clock)
        assert answer is not None
        talk.write(answer)

    async with tcp_peer(reply) as peer:
        source = source_for(peer.where, [{"device": "main", "address": A}])
        got = values(await source.poll("main"))
        source.close()
        await asyncio.sleep(0)
    assert TRUTH.keys() - got.keys() == {"active_energy_import"}


@pytest.mark.hazard(1)
async def test_a_late_answer_is_never_another_ones_reading() -> None:
    """The first answer comes only after its question was given up: it is thrown away, the rest is right."""
    meters = {A: Planted(TRUTH), B: Planted(TRUTH | {"voltage_l1_n": 111.1})}
    devices = [{"device": "a", "address": A}, {"device": "b", "address": B}]
    async with served(meters, devices, timeout_s=0.15, retries=0) as (server, source):
        server.set_fault(A, Slow(0.2))
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await source.poll("a")
        assert values(await source.poll("b"))["voltage_l1_n"] == 111.1
        server.set_fault(A, None)
        assert values(await source.poll("a"))["voltage_l1_n"] == 230.3


async def test_a_lost_answer_is_asked_for_once_more() -> None:
    asked = 0
    good = Dlt645Meter(A, Planted(TRUTH))

    async def reply(request: bytes, talk: Talk) -> None:
        nonlocal asked
        asked += 1
        answer = good.answer(request.lstrip(b"\xfe"), clock)
        assert answer is not None
        talk.write(answer if asked > 1 else answer[:-3] + b"\x00\x00\x16")  # dlt-bad-cs: discard, wait, retry

    async with tcp_peer(reply) as peer:
        source = source_for(peer.where, [{"device": "main", "address": A}], timeout_s=0.3)
        assert values(await source.poll("main")) == pytest.approx(TRUTH, abs=1e-9)
        source.close()
        await asyncio.sleep(0)
    assert asked == 8


async def test_a_silent_meter_is_unreachable_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with served({A: Planted(TRUTH)}, [{"device": "main", "address": A, "interval_s": 0.1}], timeout_s=0.05) as (
        server,
        source,
    ):
        server.set_fault(A, Silent())
        task = asyncio.create_task(source.run(_nothing))
        async with asyncio.timeout(10):
            while source.status()[0].failures < 3:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not source.status()[0].online
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "office main is silent" in told[0]


async def _nothing(batch: Batch) -> None:
    raise AssertionError(f"a silent meter gave {len(batch)} readings")


@pytest.mark.hazard(26)
async def test_each_value_carries_the_time_of_its_own_answer() -> None:
    seconds = iter(range(100))
    device = {
        "device": "main",
        "address": A,
        "points": ["active_energy_import", "frequency", "current_l1", "current_l2"],
    }
    async with Dlt645Server({A: Planted(TRUTH)}, clock) as server:
        template = source_for({"host": "127.0.0.1", "port": server.port}, [device])
        source = Dlt645Source(template._config, wall_clock=lambda: float(next(seconds)))
        batch = await source.poll("main")
        source.close()
        await asyncio.sleep(0)
    assert list(batch.time_ms) == [0, 1000, 2000, 2000]  # two singles, then the currents as one block


async def test_transformer_ratios_are_applied_where_they_belong() -> None:
    device = {"device": "main", "address": A, "voltage_ratio": 100.0, "current_ratio": 50.0}
    async with served({A: Planted(TRUTH)}, [device]) as (_, source):
        got = values(await source.poll("main"))
    factors = {"active_energy_import": 5000, "active_power_total": 5000, "voltage_l1_n": 100, "current_l1": 50}
    for name, factor in factors.items():
        assert got[name] == pytest.approx(TRUTH[name] * factor)
    assert (got["frequency"], got["power_factor_total"]) == (49.98, 0.987)


async def test_chosen_points_only_are_read() -> None:
    device = {"device": "main", "address": A, "points": ["active_energy_import_tariff_2", "frequency"]}
    meter = Planted(TRUTH | {"active_energy_import_tariff_2": 12.5})
    async with served({A: meter}, [device]) as (_, source):
        assert values(await source.poll("main")) == {"active_energy_import_tariff_2": 12.5, "frequency": 49.98}
        assert source.points() == []


async def test_an_answer_in_parts_reads_like_one() -> None:
    meter = Dlt645Meter(A, Planted(TRUTH), longest_answer=3)
    async with served({A: meter}, [{"device": "main", "address": A}]) as (_, source):
        assert values(await source.poll("main")) == pytest.approx(TRUTH, abs=1e-9)


def test_the_forward_energy_is_the_metering_point() -> None:
    source = source_for({"host": "127.0.0.1", "port": 1}, [{"device": "main", "address": A, "edition": "auto"}])
    (point,) = source.points()
    assert isinstance(point, Point)
    assert (point.series.quantity, point.carrier) == ("active_energy_import", "electricity")
    assert source.name == "dlt645 127.0.0.1:1"


async def test_unverified_identifiers_say_so(caplog: pytest.LogCaptureFixture) -> None:
    source_for(
        {"host": "127.0.0.1", "port": 1},
        [{"device": "old", "address": A, "edition": "1997", "points": ["current_l1", "voltage_l1_n"]}],
    )
    assert [record.message for record in caplog.records] == ["old: current_l1 (DL/T 645-1997) is unverified"]


async def test_a_meter_nobody_configured_cannot_be_polled() -> None:
    source = source_for({"host": "127.0.0.1", "port": 1}, [{"device": "main", "address": A}])
    with pytest.raises(ConfigError, match="no device 'x'"):
        await source.poll("x")
