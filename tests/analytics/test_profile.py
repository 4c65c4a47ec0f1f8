"""Bills spread over days as the unit itself uses the carrier."""

import numpy as np
import pytest

from kgce.analytics.grid import Grid
from kgce.domain.tree import Step
from tests.analytics.province import HOUR, Province, ms

START, END = ms(2019, 6, 1), ms(2019, 7, 1)
DAY = 24 * HOUR


@pytest.fixture
def at() -> Province:
    """A bill of 3 000 kWh in June; a sub-meter that uses 10 kWh on working days and 1 on weekends."""
    province = Province()
    province.institution("a")
    province.interval("a", "bill", "electricity", Step.MONTH, {START: 3000.0})
    shown = np.cumsum([0.0] + [10.0 if (5 + day) % 7 not in {5, 6} else 1.0 for day in range(30)])
    province.counter("a", "sub", {START + day * DAY: float(value) for day, value in enumerate(shown)})
    return province


def days(at: Province) -> list[float]:
    return [row.amount for row in at.ledger(START, END, Grid.DAY, point="bill")]


def test_a_bill_lies_on_the_days_as_the_units_own_meter_does(at: Province) -> None:
    """1 June 2019 is a Saturday: twenty working days of 10, ten days of 1: 210 units of 3 000 / 210 kWh."""
    found = days(at)
    assert found[:4] == pytest.approx([3000 / 210, 3000 / 210, 30_000 / 210, 30_000 / 210])
    assert sum(found) == pytest.approx(3000, rel=1e-12)


def test_without_a_meter_of_its_own_it_is_spread_evenly(at: Province) -> None:
    lonely = Province()
    lonely.institution("a")
    lonely.interval("a", "bill", "electricity", Step.MONTH, {START: 3000.0})
    lonely.counter("a", "water", {START: 0.0, END: 100.0}, carrier="water")
    assert days(lonely) == pytest.approx([100.0] * 30)


def test_a_profile_with_an_unknown_day_or_of_nothing_is_no_profile(at: Province) -> None:
    for readings in ({START: 0.0, START + 10 * DAY: 100.0}, {START: 5.0, END: 5.0}):
        other = Province()
        other.institution("a")
        other.interval("a", "bill", "electricity", Step.MONTH, {START: 3000.0})
        other.counter("a", "sub", readings)
        assert days(other) == pytest.approx([100.0] * 30)


def test_what_was_spread_is_told_as_a_guess_and_the_month_stays_the_bill(at: Province) -> None:
    rows = at.ledger(START, END, Grid.DAY, point="bill")
    assert {row.provenance for row in rows} == {"interpolated"}
    (month,) = at.ledger(START, END, Grid.MONTH, point="bill")
    assert (month.amount, month.provenance) == (3000.0, "measured")
