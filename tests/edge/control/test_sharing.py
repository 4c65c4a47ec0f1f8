"""The site's limit holds, whatever cars, buildings and lost connections do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.edge.control.config import MINIMUM_A, ChargingTable
from kgce.edge.control.sharing import Charger, shares

CHARGER = Charger("a", 32.0, 6.0, 0.0, has_car=True, is_reachable=True)


def some(*names: str, **changed) -> list[Charger]:
    return [replace(CHARGER, name=name, **changed) for name in names]


def test_everybody_gets_the_same_of_what_the_building_leaves() -> None:
    assert shares(63.0, 15.0, some("a", "b", "c")) == {"a": 16.0, "b": 16.0, "c": 16.0}


def test_what_a_small_charger_cannot_take_goes_to_the_others() -> None:
    chargers = [replace(CHARGER, name="small", max_a=10.0), *some("a", "b")]
    assert shares(70.0, 0.0, chargers) == {"small": 10.0, "a": 30.0, "b": 30.0}


def test_below_6_a_nobody_charges_with_less_but_some_pause() -> None:
    """IEC 61851-1: 6 A or nothing."""
    assert shares(20.0, 0.0, some("a", "b", "c", "d")) == {"a": pytest.approx(20 / 3), "b": pytest.approx(20 / 3),
                                                           "c": pytest.approx(20 / 3), "d": 0.0}  # fmt: skip
    assert shares(5.9, 0.0, some("a")) == {"a": 0.0}


def test_whoever_waited_longest_charges_first() -> None:
    chargers = [replace(CHARGER, name="a", served_last_s=50.0), replace(CHARGER, name="b", served_last_s=10.0)]
    assert shares(7.0, 0.0, chargers) == {"a": 0.0, "b": 7.0}


def test_nobody_starves_for_ever() -> None:
    last = dict.fromkeys("abcde", 0.0)
    for moment in range(1, 30):
        found = shares(14.0, 0.0, [replace(CHARGER, name=name, served_last_s=at) for name, at in last.items()])
        last.update({name: float(moment) for name, amperes in found.items() if amperes})
    assert min(last.values()) > 20


def test_a_charger_that_does_not_answer_is_counted_with_what_it_may_be_drawing() -> None:
    lost = replace(CHARGER, name="lost", is_reachable=False, granted_a=20.0, fallback_a=6.0)
    assert shares(40.0, 0.0, [lost, *some("a")]) == {"a": 20.0}
    assert shares(40.0, 0.0, [replace(lost, granted_a=0.0, fallback_a=16.0), *some("a")]) == {"a": 24.0}


def test_a_charger_without_a_car_leaves_its_share_to_the_others() -> None:
    assert shares(32.0, 0.0, [replace(CHARGER, name="empty", has_car=False), *some("a")]) == {"empty": 0.0, "a": 32.0}


amperes = st.floats(0, 200, allow_nan=False)
chargers = st.lists(
    st.builds(
        Charger, st.uuids().map(str), st.floats(MINIMUM_A, 80), st.sampled_from([0.0, 6.0, 10.0, 16.0]), st.floats(0, 80),
        st.booleans(), st.booleans(), st.floats(0, 100),
    ),
    max_size=12, unique_by=lambda one: one.name,
)  # fmt: skip


@given(amperes, amperes, chargers)
def test_the_limit_holds_and_no_share_is_unusable(limit_a: float, building_a: float, found: list[Charger]) -> None:
    granted = shares(limit_a, building_a, found)
    away = sum(max(one.granted_a, one.fallback_a) for one in found if not one.is_reachable)
    if building_a + away <= limit_a:
        assert sum(granted.values()) + building_a + away <= limit_a + 1e-6
    else:
        assert not any(granted.values()), "the building alone is too much: nobody charges"
    assert all(value == 0 or value >= MINIMUM_A - 1e-9 for value in granted.values())
    assert set(granted) == {one.name for one in found if one.is_reachable}
    assert all(granted[one.name] <= one.max_a for one in found if one.is_reachable)


def table(**changed) -> dict:
    charger = {"institution": "o", "device": "c1", "fallback_a": 6.0}
    return {"site_limit_a": 63, "institution": "o", "main_meter": "main", "chargers": [charger], **changed}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"site_limit_a": 5}, "fuse would go"),
        ({"building_peak_a": 60}, "fuse would go"),
        ({"chargers": [{"institution": "o", "device": "c", "fallback_a": 3.0}]}, "at least 6 A"),
        ({"chargers": [{"institution": "o", "device": "c"}] * 2}, "twice"),
        ({"chargers": []}, "at least 1 item"),
    ],
)
def test_a_site_that_is_not_safe_without_the_gateway_is_refused(changed, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ChargingTable.model_validate(table(**changed))
