"""A device is asked who it is before it is believed, and a stranger's values never become readings."""

import asyncio

import pytest

from kgce.collectors.modbus.device import STRANGER_S
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.meter import IMAGE, PROFILE, collected, source_for, values
from tests.collectors.modbus.responder import Request, exception_reply, registers_reply, responder

IDENTIFIED = (
    PROFILE
    + """
[[identify]]
register = { table = "input", address = 100, type = "uint16" }
equals = 1652
"""
)


class Meter:
    """The made-up meter with an identification register."""

    def __init__(self, identity: int | None) -> None:
        self.identity = identity

    async def __call__(self, request: Request) -> bytes:
        if request.address == 100:
            return exception_reply(request, 2) if self.identity is None else registers_reply(request, [self.identity])
        words = range(request.address, request.address + request.count)
        return registers_reply(request, [IMAGE.get(address, 0) for address in words])


@pytest.fixture
def identified(tmp_path) -> str:
    path = tmp_path / "identified.toml"
    path.write_text(IDENTIFIED)
    return str(path)


async def test_the_right_device_is_identified_once_and_then_read(identified: str) -> None:
    async with responder(Meter(1652)) as at:
        source = source_for(at.port, identified)
        for _ in range(2):
            assert len(values(await source.poll("m1"))) == 3
    assert [asked.address for asked in at.requests] == [100, 0, 40, 0, 40]


@pytest.mark.parametrize("identity", [7, None])
async def test_a_stranger_gives_no_reading_and_its_status_says_why(identified: str, identity: int | None) -> None:
    async with responder(Meter(identity)) as at:
        source = source_for(at.port, identified, interval_s=60)
        task = asyncio.create_task(source.run(unwanted))
        async with asyncio.timeout(10):
            while not source.status()[0].failures:
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        status = source.status()[0]
        assert "not a Test T1" in status.last_error
        assert not status.online
        assert [asked.address for asked in at.requests] == [100]
        device = source._devices[0]
        assert device.due - source._clock() == pytest.approx(STRANGER_S, abs=61)
        assert status.missed_ticks in {59, 60}, "an hour of minutes"


async def unwanted(batch) -> None:
    raise AssertionError("a stranger's values came out")


async def test_a_stranger_that_was_exchanged_for_the_right_device_is_read(identified: str) -> None:
    meter = Meter(7)
    async with responder(meter) as at:
        source = source_for(at.port, identified)
        with pytest.raises(DeviceUnreachable, match="not a Test T1"):
            await source.poll("m1")
        meter.identity = 1652
        assert len(await source.poll("m1")) == 3
        source._devices[0].set_next(source._clock())
        assert source._devices[0].due < source._clock() + 1, "no longer left alone for an hour"


async def test_a_device_that_was_silent_for_long_is_identified_anew(identified: str) -> None:
    """Somebody may have put another meter in its place."""
    async with responder(Meter(1652)) as at:
        source = source_for(at.port, identified)
        await source.poll("m1")
        for _ in range(3):
            source._devices[0].silent("no answer", 0, line_is_up=True)
        at.requests.clear()
        await source.poll("m1")
    assert [asked.address for asked in at.requests] == [40, 100, 0, 40], "the probe, then who it is, then its values"


async def test_a_busy_device_is_not_taken_for_a_stranger(identified: str) -> None:
    async def busy(request: Request) -> bytes:
        return exception_reply(request, 6)

    async with responder(busy) as at:
        with pytest.raises(DeviceUnreachable, match="busy before it was identified"):
            await source_for(at.port, identified).poll("m1")


@pytest.mark.hazard(26)
async def test_a_device_of_one_value_per_request_stamps_each_value_with_its_own_moment(tmp_path) -> None:
    path = tmp_path / "single.toml"
    path.write_text(PROFILE.replace("[device]", "[device]\none_value_per_request = true"))
    now = 1_700_000_000.0

    async def later(request: Request) -> bytes:
        nonlocal now
        now += 1.5
        return await Meter(None)(request)

    async with responder(later) as at:
        source = source_for(at.port, str(path))
        for conversation in source._polls.values():
            conversation._wall_clock = lambda: now
        batch = await source.poll("m1")
    assert [(asked.address, asked.count) for asked in at.requests] == [(0, 2), (2, 2), (40, 1)]
    assert batch.time_ms.tolist() == [1_700_000_001_500, 1_700_000_003_000, 1_700_000_004_500]


async def test_readings_flow_as_scheduled_once_identified(identified: str) -> None:
    async with responder(Meter(1652)) as at:
        batches = await collected(source_for(at.port, identified), lambda batches: len(batches) >= 2)
    assert all(len(batch) == 3 for batch in batches)
