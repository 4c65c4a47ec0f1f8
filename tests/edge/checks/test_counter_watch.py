"""A counter that falls is suspect until it returns or its new level is confirmed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.edge.checks.counter_watch import is_watched, judge


def suspects(values, confirm_readings=3, step_ms=1000):
    """Which readings of one counter, `step_ms` apart, are suspect."""
    state, found = None, []
    for position, value in enumerate(values):
        state, is_suspect = judge(
            state, time_ms=position * step_ms, value=float(value), confirm_readings=confirm_readings
        )
        found.append(is_suspect)
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([5, 5, 6], "...", id="standing still or growing is good"),
        pytest.param([100, 99.999], ".x", id="the smallest fall is suspect"),
        pytest.param([100, 0, 101], ".x.", id="a dip to 0 that returns is one suspect reading"),
        pytest.param([100, 0, 100], ".x.", id="returning to the very baseline is a return"),
        pytest.param([100, 1, 2, 3, 4, 5], ".xxx..", id="confirmed by the third further reading"),
        pytest.param([100, 1, 2, 3, 100], ".xxx.", id="two further readings do not confirm, then it returns"),
        pytest.param([100, 1, 2, 0, 1, 2, 3], ".xxxxx.", id="falling again starts the proof again"),
        pytest.param([100, 0, 0, 0, 0, 0], ".xxxxx", id="a dead register that repeats 0 is never a new meter"),
        pytest.param([100, 0, 0, 0, 0, 0.1], ".xxxx.", id="a new meter is confirmed once it has counted something"),
        pytest.param([100, 1, 2, 3, 4, 50, 3], ".xxx..x", id="the confirmed level is the new baseline"),
        pytest.param([10, 999, 11, 12, 13, 14], "..xxx.", id="after a spike upwards the true level is confirmed again"),
    ],
)
def test_a_counter_is_judged_by_what_follows(values, expected) -> None:
    assert "".join("x" if suspect else "." for suspect in suspects(values)) == expected


@pytest.mark.parametrize("confirm_readings", [1, 2, 5])
def test_exactly_as_many_further_readings_as_configured_confirm(confirm_readings) -> None:
    low = list(range(1, confirm_readings + 3))
    assert suspects([100, *low], confirm_readings).count(True) == confirm_readings


def test_a_late_reading_proves_nothing_about_order() -> None:
    """Older by time, lower by value: that is what a counter's past looks like."""
    state, _ = judge(None, time_ms=2000, value=100.0, confirm_readings=3)
    after, is_suspect = judge(state, time_ms=1000, value=90.0, confirm_readings=3)
    assert not is_suspect
    assert after == state


@given(st.lists(st.floats(0, 1e9), max_size=30))
def test_readings_in_rising_order_are_never_suspect(values) -> None:
    assert not any(suspects(sorted(values)))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(1, 4))
def test_a_good_reading_is_never_below_the_last_good_one_unless_confirmed(values, confirm_readings) -> None:
    """A fall in what is marked good has at least `confirm_readings` suspect readings right before it."""
    marks = suspects(values, confirm_readings)
    good = [position for position, suspect in enumerate(marks) if not suspect]
    for before, after in pairwise(good):
        if values[after] < values[before]:
            assert after - before - 1 >= confirm_readings


@pytest.mark.parametrize(
    ("field", "watched"),
    [
        ("active_energy_import", True),
        ("water_volume", True),
        ("active_power_total", False),
        ("active_energy_import_interval", False),
        ("session_energy", False),  # starts over with every session
        ("no_such_quantity", False),
    ],
)
def test_only_counters_that_must_not_fall_are_watched(field, watched) -> None:
    assert is_watched(field) is watched
