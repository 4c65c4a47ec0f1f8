"""A lasting shift between two PV meters is found, whatever the plants; weather is no shift."""

import numpy as np
import pytest

from kgce.collectors.datasets.pv_clock import Centres, centres, shift_between

QUARTER_MS = 900_000
DAY_MS = 86_400_000


def plant(days: int, *, noon_h: float = 12.0, set_on: int | None = None, by_min: float = 0.0) -> Centres:
    """Centres of an ideal plant; its clock is set by `by_min` on day `set_on`."""
    time_ms = QUARTER_MS * np.arange(96 * days, dtype=np.int64)
    hour = time_ms % DAY_MS / 3_600_000
    moved = 0.0 if set_on is None else np.where(time_ms >= set_on * DAY_MS, by_min / 60, 0.0)
    return centres(time_ms, np.maximum(0.0, 5 - np.abs(hour - noon_h - moved)) - 0.01, 0)


def test_the_centre_of_an_even_day_is_its_noon() -> None:
    found = plant(3)

    assert found.day.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.minute, 12 * 60)


@pytest.mark.parametrize(("by_min", "is_told"), [(60, True), (-60, True), (31, True), (29, False), (0, False)])
def test_half_an_hour_between_two_plants_is_a_shift_and_less_is_none(by_min: float, *, is_told: bool) -> None:
    """The other plant looks west by an hour, all the time: that is no shift."""
    shift = shift_between(plant(60, set_on=40, by_min=by_min), plant(60, noon_h=13.0))

    assert (shift is not None) is is_told
    if shift is not None:
        assert shift.day_ms == 40 * DAY_MS
        assert (shift.before_min, shift.after_min) == pytest.approx((-60, by_min - 60), abs=1)


@pytest.mark.parametrize(("days", "set_on"), [(0, 0), (20, 10), (60, 55)])
def test_a_few_days_show_no_lasting_shift(days: int, set_on: int) -> None:
    assert shift_between(plant(days, set_on=set_on, by_min=60), plant(days)) is None


def test_dull_days_have_no_centre() -> None:
    time_ms = QUARTER_MS * np.arange(96 * 2, dtype=np.int64)
    power = np.where(time_ms < DAY_MS, 100.0, 1.0)

    assert centres(time_ms, power, 0).day.tolist() == [0]
