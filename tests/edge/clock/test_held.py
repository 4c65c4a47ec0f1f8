"""Readings of a doubted clock wait on disk, and leave with the right time, by what the sink gets."""

import asyncio

import pytest

from kgce.domain.batch import Batch, Quality
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.checks.checks import Checks
from kgce.edge.clock.keeper import TRUST_FILE, ClockKeeper
from kgce.edge.gateway import Gateway
from kgce.edge.uplink.config import UplinkTable
from tests.edge.clock.test_clock import DAY_S, Machine
from tests.edge.fakes import ENERGY, NOW_S, POWER, VOLTAGE, FakeSource, MemorySink, until

UNSURE = int(Quality.TIME_UNSURE)


class Site:
    """A buffer and a clock on an injected machine, with a gateway that hands over to memory."""

    def __init__(self, folder, **more) -> None:
        self.machine = Machine()
        self.folder = folder
        self.clock = self.machine.clock(folder, **more)
        self.buffer = Buffer(folder, clock=self.clock.now)
        self.events: list = []
        self.keeper = ClockKeeper(self.clock, self.buffer, self.events.append, folder)
        self.sink = MemorySink()

    def take(self, *rows) -> None:
        """Through the clock's marks and the checks into the buffer, as the intake does."""
        from kgce.edge.intake import Intake

        checks = Checks(clock=self.clock.now, is_clock_sure=lambda: self.clock.is_sure)
        Intake(checks, self.buffer, stamp=self.clock.stamp).take([Batch.from_rows(rows)])

    def own(self, series, value: float) -> tuple:
        return (series, int(self.clock.now() * 1000), value, 0)

    async def hand_over(self) -> list[tuple[float, int, float]]:
        """(seconds after the start, quality, value) of what the sink has now."""
        gateway = Gateway(
            "gw", [FakeSource("s", [])], self.sink, self.buffer, clock=self.clock.now,
            uplink=UplinkTable(flush_interval_s=0.01),
        )  # fmt: skip
        running = asyncio.create_task(gateway.run())
        await until(lambda: not any(self.buffer.waiting_by_lane(0).values()) or self.buffer.held_clock_ids())
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return sorted((time_ms / 1000 - NOW_S, q, value) for (_, time_ms), (value, q) in self.sink.rows.items())


@pytest.fixture
def site(tmp_path):
    found = Site(tmp_path)
    yield found
    found.buffer.close()


@pytest.mark.hazard(48)
@pytest.mark.parametrize("leap_s", [DAY_S, -DAY_S])
async def test_after_a_jump_readings_are_held_and_leave_with_the_right_time(site, leap_s) -> None:
    site.take(site.own(POWER, 1.0))
    site.machine.wall_s += leap_s
    site.machine.passes(10)
    site.keeper.look()
    site.take(site.own(POWER, 2.0))
    assert await site.hand_over() == [(0.0, 0, 1.0)], "the doubted one waits"
    site.machine.wall_s = NOW_S + 55  # ten seconds passed, and the anchor had been 45 behind
    site.machine.synchronised = True
    site.keeper.look()
    assert await site.hand_over() == [(0.0, 0, 1.0), (pytest.approx(55.0), 0, 2.0)]
    assert [event.id for event in site.events] == ["clock.doubted", "clock.trusted", "clock.corrected"]
    assert site.buffer.counters()["stored"] == site.buffer.counters()["polled"] == 2


@pytest.mark.hazard(48)
async def test_a_boot_in_1970_sends_nothing_of_1970_and_all_of_it_with_the_right_time(tmp_path) -> None:
    Site(tmp_path).buffer.close()
    site = Site(tmp_path)
    site.machine.wall_s, site.machine.boot_id = 30.0, "boot-b"
    site.clock = site.machine.clock(tmp_path)
    site.keeper = ClockKeeper(site.clock, site.buffer, site.events.append, tmp_path)
    for value in (1.0, 2.0, 3.0):
        site.machine.passes(60)
        site.keeper.look()
        site.take(site.own(POWER, value))
    assert await site.hand_over() == []
    site.machine.wall_s, site.machine.synchronised = NOW_S + 5000, True
    site.keeper.look()
    found = await site.hand_over()
    assert [(round(at), quality, value) for at, quality, value in found] == [(4880, 0, 1), (4940, 0, 2), (5000, 0, 3)]
    site.buffer.close()


async def test_a_devices_own_time_is_not_shifted(site) -> None:
    site.machine.wall_s += DAY_S
    site.keeper.look()
    device_ms = int((NOW_S - 900) * 1000)
    site.take(site.own(POWER, 1.0), (ENERGY, device_ms, 100.0, 0))
    site.machine.wall_s, site.machine.synchronised = NOW_S + 100, True
    site.keeper.look()
    assert await site.hand_over() == [(-900.0, 0, 100.0), (pytest.approx(100.0), 0, 1.0)]


async def test_a_device_far_ahead_of_a_doubted_clock_is_not_refused(site) -> None:
    """Who is wrong, the device or we? Nobody can say yet."""
    site.machine.wall_s += DAY_S
    site.keeper.look()
    site.take((VOLTAGE, int((NOW_S + DAY_S) * 1000), 230.0, 0))
    assert await site.hand_over() == [(DAY_S, 0, 230.0)]


async def test_what_was_stamped_before_the_trust_and_comes_after_it_is_corrected_too(site) -> None:
    site.machine.wall_s += DAY_S
    site.keeper.look()
    late = site.own(POWER, 1.0)
    site.machine.wall_s, site.machine.synchronised = NOW_S + 7200, True
    site.keeper.look()
    site.take(late, site.own(VOLTAGE, 230.0))
    site.keeper.look()
    assert await site.hand_over() == [(pytest.approx(7200.0), 0, 1.0), (pytest.approx(7200.0), 0, 230.0)]


async def test_after_a_reboot_held_readings_go_up_as_they_are_and_marked(site, tmp_path) -> None:
    site.machine.wall_s += DAY_S
    site.keeper.look()
    site.take(site.own(POWER, 1.0))
    site.machine.boot_id, site.machine.wall_s = "boot-b", NOW_S + 600
    clock = site.machine.clock(tmp_path)
    ClockKeeper(clock, site.buffer, site.events.append, tmp_path).look()
    assert await site.hand_over() == [(0.0, UNSURE, 1.0)]
    assert site.events[-1].id == "clock.released"


async def test_readings_are_held_no_longer_than_the_site_allows(tmp_path) -> None:
    site = Site(tmp_path, max_hold_s=60.0)
    site.machine.wall_s += DAY_S
    site.keeper.look()
    site.take(site.own(POWER, 1.0))
    site.machine.passes(61)
    site.keeper.look()
    site.take(site.own(POWER, 2.0))
    assert await site.hand_over() == [(0.0, UNSURE, 1.0), (61.0, UNSURE, 2.0)]
    site.buffer.close()


async def test_the_operators_file_sends_them_on(site) -> None:
    site.machine.wall_s += 3600
    site.keeper.look()
    site.take(site.own(POWER, 1.0))
    (site.folder / TRUST_FILE).touch()
    site.keeper.look()
    assert not (site.folder / TRUST_FILE).exists()
    assert await site.hand_over() == [(pytest.approx(3600.0), 0, 1.0)]


async def test_an_anchor_that_was_right_moves_nothing_not_even_by_a_second(site) -> None:
    """What a device stamped itself would else be moved with the rest."""
    site.machine.wall_s += DAY_S
    site.keeper.look()
    site.take(site.own(POWER, 1.0))
    site.machine.wall_s, site.machine.synchronised = NOW_S + 1.5, True
    site.keeper.look()
    assert await site.hand_over() == [(0.0, 0, 1.0)]


async def test_a_reading_that_is_held_between_two_looks_is_sent_on_too(site) -> None:
    """The centre's word came before the keeper had seen that anything was held."""
    site.machine.wall_s += DAY_S
    site.keeper.look()
    site.keeper.look()
    site.take(site.own(POWER, 1.0))
    site.clock.heard(NOW_S, 0.0)
    site.keeper.look()
    assert await site.hand_over() == [(0.0, 0, 1.0)]
