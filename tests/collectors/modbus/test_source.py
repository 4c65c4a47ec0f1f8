"""ModbusSource under a device that behaves, and under devices that do not."""

import asyncio
import math

import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import collected, image, source_for, values
from tests.collectors.modbus.responder import Request, exception_reply, registers_reply, responder


async def test_one_poll_gives_every_quantity_in_its_canonical_unit_with_one_stamp(profile: str) -> None:
    async def answer(request: Request) -> bytes:
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        source = source_for(at.port, profile)
        batch = await source.poll("m1")
    assert values(batch) == pytest.approx(
        {"active_power_total": 2.5, "active_energy_import": 1234.56, "frequency": 50.01}, rel=1e-12
    )
    assert len(set(batch.time_ms.tolist())) == 1
    assert [(request.address, request.count) for request in at.requests] == [(0, 4), (40, 1)], (
        "a hole of 36 is not bridged"
    )
    assert {(series.institution, series.device, series.measurement) for series in batch.series} == {
        ("office", "m1", "electricity")
    }


async def test_not_available_is_a_bad_reading_never_a_zero(profile: str) -> None:
    async def answer(request: Request) -> bytes:
        words = {0: 0x7FC0, 1: 0, 2: 0xFFFF, 3: 0xFFFF}
        return registers_reply(request, [words.get(request.address + place, 5001) for place in range(request.count)])

    async with responder(answer) as at:
        batch = await source_for(at.port, profile).poll("m1")
    found = values(batch)
    assert math.isnan(found["active_power_total"])
    assert math.isnan(found["active_energy_import"])
    assert batch.quality.tolist() == [Quality.BAD, Quality.BAD, Quality.GOOD]


@pytest.mark.hazard(1)
async def test_a_late_reply_is_never_taken_for_the_next_answer(profile: str) -> None:
    """Hazard 1: the reply to the first request comes after its timeout; the link must not run one behind for ever."""
    asked = 0

    async def answer(request: Request) -> bytes:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.sleep(0.15)
            return registers_reply(request, [0xDEAD] * request.count)
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        batches = await collected(source_for(at.port, profile), lambda batches: len(batches) >= 2)
    for batch in batches:
        assert values(batch)["active_power_total"] == 2.5
        assert values(batch)["frequency"] == pytest.approx(50.01)
    assert at.connections >= 2


@pytest.mark.hazard(2, 4, 5, 8)
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(
            lambda request: registers_reply(request, image(request), tid=request.tid + 1), id="wrong transaction"
        ),
        pytest.param(lambda request: registers_reply(request, image(request), unit=77), id="wrong unit"),
        pytest.param(lambda request: registers_reply(request, image(request))[:-1], id="half a frame"),
        pytest.param(lambda request: registers_reply(request, [1, 2, 3]), id="too few registers"),
        pytest.param(lambda request: registers_reply(request, [0] * (request.count + 2)), id="too many registers"),
        pytest.param(lambda request: b"\x00" * 12, id="noise"),
        pytest.param(lambda request: None, id="silence"),
    ],
)
async def test_an_answer_that_does_not_fit_is_no_reading(profile: str, broken) -> None:
    """Hazards 2, 4, 5, 8: transaction, unit and length must match; a mismatch is never data."""

    async def answer(request: Request) -> bytes | None:
        return broken(request)

    async with responder(answer) as at:
        with pytest.raises(DeviceUnreachable):
            await source_for(at.port, profile).poll("m1")


@pytest.mark.hazard(21)
async def test_a_busy_device_is_asked_again_and_then_gives_no_sample(profile: str) -> None:
    """Hazard 21: 0x06 is retried a few times after a pause; never zero."""
    answers = {0: 2, 40: 99}

    async def answer(request: Request) -> bytes:
        if answers[request.address] > 0:
            answers[request.address] -= 1
            return exception_reply(request, 0x06)
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        batch = await source_for(at.port, profile).poll("m1")
    assert values(batch).keys() == {"active_power_total", "active_energy_import"}


@pytest.mark.hazard(23)
async def test_a_hole_in_the_map_costs_only_its_own_register_and_is_remembered(profile: str) -> None:
    """Hazard 23: on 0x02 split by halves, remember."""

    async def answer(request: Request) -> bytes:
        if request.address <= 2 < request.address + request.count:
            return exception_reply(request, 0x02)
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        source = source_for(at.port, profile)
        first = await source.poll("m1")
        asked = len(at.requests)
        second = await source.poll("m1")
    assert values(first).keys() == values(second).keys() == {"active_power_total", "frequency"}
    assert asked == 4
    assert len(at.requests) - asked == 2


@pytest.mark.hazard(17)
async def test_one_dead_unit_does_not_silence_the_others(profile: str) -> None:
    """Hazard 17: unit 2 never answers; units 1 and 3 keep coming, and the status says who is dead."""

    async def answer(request: Request) -> bytes | None:
        return None if request.unit == 2 else registers_reply(request, image(request))

    async with responder(answer) as at:
        source = source_for(at.port, profile, units=3)

        def enough(batches: list[Batch]) -> bool:
            return len(batches) >= 16 and source.status()[1].failures >= 3

        batches = await collected(source, enough)
        asked_of_dead = sum(request.unit == 2 for request in at.requests)
    devices = [batch.series[0].device for batch in batches]
    assert devices.count("m1") >= 7
    assert devices.count("m3") >= 7
    assert "m2" not in devices
    assert asked_of_dead == 3, "after three failed rounds it is left alone for a while"
    assert [status.online for status in source.status()] == [True, False, True]


@pytest.mark.hazard(20)
async def test_a_round_that_takes_too_long_skips_ticks_and_counts_them(profile: str) -> None:
    """Hazard 20: never pile up."""

    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0.09)
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        source = source_for(at.port, profile, units=3, interval_s=0.21, timeout_s=0.2)
        await collected(source, lambda batches: len(batches) >= 9)
    assert sum(status.missed_ticks for status in source.status()) > 0


@pytest.mark.hazard(16)
async def test_a_converter_that_comes_back_is_found_again(profile: str) -> None:
    """Hazard 16: endless reconnect; the link is down first and up later on the same port."""
    from tests.servers import free_port

    port = free_port()
    source = source_for(port, profile)
    with pytest.raises(DeviceUnreachable, match="nobody answers"):
        await source.poll("m1")

    async def answer(request: Request) -> bytes:
        return registers_reply(request, image(request))

    async with responder(answer) as at:
        again = source_for(at.port, profile)
        batches = await collected(again, lambda batches: len(batches) >= 1)
    assert values(batches[0])["active_power_total"] == 2.5


def test_the_metering_point_is_known_before_any_connection(profile: str) -> None:
    point = source_for(502, profile).points()[0]
    assert (point.series.key, point.carrier, point.counts) == (
        ("office", "m1", "active_energy_import"),
        "electricity",
        True,
    )


def test_a_timeout_that_outlives_the_interval_is_refused(profile: str) -> None:
    with pytest.raises(ValueError, match=r"timeout_s 1\.0 is not below interval_s 0\.5"):
        source_for(502, profile, interval_s=0.5, timeout_s=1.0)
