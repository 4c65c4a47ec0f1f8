"""A site that names what its supply carries gets bounds no physics gives: hazard 32, by what leaves the gateway."""

import pytest

from kgce.domain.batch import Quality
from kgce.domain.tree import Series
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.limits import Limit
from kgce.edge.checks.rated import MARGIN, Rated
from tests.edge.checks.test_hazards import STEP_MS, leaves_from
from tests.edge.fakes import ENERGY, NOW_MS, POWER, clock

FUSE_KW = 43.6  # 63 A x 3 x 230 V
WATER = Series("office-1", "meter", "water_volume", "water")
FLOW = Series("office-1", "meter", "water_flow", "water")
HOUR_MS = 3_600_000


def rated() -> Rated:
    return Rated({"main": FUSE_KW}, {"meter": 5.0})


@pytest.mark.hazard(32)
async def test_power_beyond_the_fuse_leaves_out_of_range_and_below_it_does_not(tmp_path) -> None:
    checks = Checks(clock=clock, rated=rated())
    values = [40.0, FUSE_KW * MARGIN, FUSE_KW * MARGIN + 0.01, -FUSE_KW * MARGIN, -60.0]
    found = await leaves_from(
        tmp_path, [(POWER, NOW_MS - 10**8 + at * STEP_MS, v) for at, v in enumerate(values)], checks
    )
    assert [quality for _, quality in found] == [0, 0, Quality.OUT_OF_RANGE, 0, Quality.OUT_OF_RANGE]


@pytest.mark.hazard(32)
async def test_a_counter_cannot_gain_more_than_the_fuse_carries_in_the_elapsed_time(tmp_path) -> None:
    """43.6 kW for an hour, with the margin of 1.2, is 52.32 kWh."""
    checks = Checks(clock=clock, rated=rated())
    start = NOW_MS - 10**8
    rows = [(ENERGY, start, 100.0), (ENERGY, start + HOUR_MS, 152.3), (ENERGY, start + 2 * HOUR_MS, 204.7)]
    assert [quality for _, quality in await leaves_from(tmp_path, rows, checks)] == [0, 0, Quality.SUSPECT]


async def test_after_an_outage_the_counter_may_have_gained_for_all_that_time(tmp_path) -> None:
    checks = Checks(clock=clock, rated=rated())
    start = NOW_MS - 10**8
    rows = [(ENERGY, start, 100.0), (ENERGY, start + 6 * HOUR_MS, 400.0)]
    assert [quality for _, quality in await leaves_from(tmp_path, rows, checks)] == [0, 0]


async def test_a_water_meters_largest_flow_bounds_its_flow_and_its_counter(tmp_path) -> None:
    checks = Checks(clock=clock, rated=rated())
    start = NOW_MS - 10**8
    rows = [
        (WATER, start, 10.0), (WATER, start + HOUR_MS, 16.0), (WATER, start + 2 * HOUR_MS, 22.1),
        (FLOW, start + 3 * HOUR_MS, 6.0), (FLOW, start + 4 * HOUR_MS, 6.1),
    ]  # fmt: skip
    found = await leaves_from(tmp_path, rows, checks)
    assert [quality for _, quality in found] == [0, 0, Quality.SUSPECT, 0, Quality.OUT_OF_RANGE]


async def test_what_a_person_wrote_about_a_quantity_stands_before_the_rating(tmp_path) -> None:
    checks = Checks(clock=clock, rated=rated(), limits={"active_power": Limit(-100.0, 100.0)})
    assert await leaves_from(tmp_path, [(POWER, NOW_MS - 1000, 90.0)], checks) == [(90.0, Quality.GOOD)]
