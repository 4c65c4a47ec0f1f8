"""Live power is the sum of fresh main meters, and says what is left out."""

from types import MappingProxyType

import pytest

from kgce.api.live import LiveHub
from kgce.api.power import STALE_AFTER_S, LivePower, PowerWatch, live_power
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import StoreUnavailable
from kgce.domain.tree import Series

NOW_S = 1_700_000_000.0
MAINS = frozenset({("school-1", "m1"), ("school-1", "m2"), ("school-2", "m1")})


def reading(
    institution: str,
    device: str,
    power_kw: float,
    *,
    age_s: float = 1.0,
    quality: int = 0,
    quantity: str = "active_power_total",
) -> Batch:
    place = Series(institution, device, quantity, "electricity", f"{institution}-b")
    return Batch.from_rows([(place, round((NOW_S - age_s) * 1000), power_kw, quality)])


def power_of(*batches: Batch) -> LivePower:
    hub = LiveHub()
    for one in batches:
        hub.publish(one)
    return live_power(hub.latest(), MAINS, now_s=NOW_S)


def test_buildings_are_sums_of_their_meters_the_largest_first():
    found = power_of(reading("school-1", "m1", 1.5), reading("school-1", "m2", 2.0), reading("school-2", "m1", 10.0))
    assert found.power_kw == 13.5
    assert [(one.building, one.power_kw) for one in found.buildings] == [("school-2-b", 10.0), ("school-1-b", 3.5)]


@pytest.mark.parametrize(
    ("age_s", "expected_kw"),
    [
        pytest.param(STALE_AFTER_S, 12.0, id="on the limit it counts"),
        pytest.param(STALE_AFTER_S + 1, 10.0, id="a second older it is left out, never the last value"),
    ],
)
def test_a_stale_value_is_left_out(age_s: float, expected_kw: float):
    found = power_of(reading("school-1", "m1", 2.0, age_s=age_s), reading("school-2", "m1", 10.0))
    assert found.power_kw == expected_kw
    assert (found.fresh_meters, found.meters) == (2 if expected_kw == 12.0 else 1, 2)


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.SUSPECT, Quality.OUT_OF_RANGE])
def test_an_unusable_value_is_left_out(quality: Quality):
    found = power_of(reading("school-1", "m1", float("nan"), quality=int(quality)))
    assert (found.power_kw, found.fresh_meters, found.meters) == (None, 0, 1)
    assert found.buildings[0].power_kw is None


def test_sub_meters_and_phases_are_not_added_twice():
    found = power_of(
        reading("school-1", "m1", 9.0),
        reading("school-1", "m1", 3.0, quantity="active_power_l1"),
        reading("school-1", "m1", 8.9, quantity="active_power"),
        reading("school-1", "charger", 7.0, quantity="active_power"),
    )
    assert (found.power_kw, found.meters) == (9.0, 1)


def test_nothing_live_is_nothing_known_not_zero():
    assert power_of().power_kw is None


def test_a_silent_registry_leaves_the_meters_known_before():
    hub = LiveHub()
    hub.publish(reading("school-1", "m1", 5.0))
    answers = iter([MAINS])

    def mains():
        try:
            return next(answers)
        except StopIteration:
            raise StoreUnavailable("gone") from None

    watch = PowerWatch(hub, mains, lambda: NOW_S)
    watch.sample()
    hub.publish(reading("school-1", "m1", 6.0, age_s=0.5))
    watch.sample()
    assert list(watch.trail) == [(round(NOW_S * 1000), 5.0), (round(NOW_S * 1000), 6.0)]


def test_the_trail_keeps_gaps():
    """Nothing fresh is a gap in the line, not a zero and not the last value."""
    hub = LiveHub()
    hub.publish(reading("school-1", "m1", 5.0))
    times = iter([NOW_S, NOW_S + 200])
    watch = PowerWatch(hub, lambda: MAINS, lambda: next(times))
    watch.sample()
    watch.sample()
    assert [power_kw for _, power_kw in watch.trail] == [5.0, None]


def test_latest_may_be_any_mapping():
    assert live_power(MappingProxyType({}), MAINS, now_s=NOW_S).meters == 0
