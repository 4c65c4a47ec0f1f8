"""Months too little measured, days nobody knows, meters that stand still."""

import numpy as np
import pytest

from kgce.analytics.anomalies.coverage import long_gaps, low_coverage
from kgce.analytics.anomalies.stuck import stuck_meter

MONTHS = np.arange("2019-01", "2019-04", dtype="datetime64[M]")


def days(count: int, first: str = "2019-01-07") -> np.ndarray:
    """From a Monday on."""
    return np.datetime64(first) + np.arange(count)


def test_a_month_on_the_limit_is_covered_and_a_silent_one_is_not() -> None:
    found = low_coverage("hall", MONTHS, np.array([0.9, 0.899, 0.0]))
    assert [(one.id, one.subject, one.evidence["month"], one.evidence["coverage_ratio"]) for one in found] == [
        ("coverage.low", "hall", "2019-02", 0.899),
        ("coverage.low", "hall", "2019-03", 0.0),
    ]


def test_a_month_that_was_not_asked_for_says_nothing() -> None:
    assert low_coverage("hall", MONTHS, np.full(3, np.nan)) == []


@pytest.mark.parametrize(("missing", "told"), [(3, False), (4, True)])
def test_more_than_three_days_without_an_amount_are_a_gap(missing: int, told: bool) -> None:
    amount = np.ones(20)
    amount[5 : 5 + missing] = np.nan
    found = long_gaps("hall", days(20), amount)
    assert [one.evidence["days"] for one in found] == ([missing] if told else [])
    if told:
        assert (found[0].evidence["first_day"], found[0].evidence["last_day"]) == ("2019-01-12", "2019-01-15")


def test_zero_is_an_amount_and_left_out_days_are_refused() -> None:
    assert long_gaps("hall", days(20), np.zeros(20)) == []
    with pytest.raises(ValueError, match="days must follow one another"):
        long_gaps("hall", days(20)[[0, 2, 3]], np.zeros(3))


def moving(still: range, count: int = 63) -> np.ndarray:
    """Weekdays 100, weekends 0, as in an office; standing still on the working days of a range."""
    amount = np.where(np.arange(count) % 7 < 5, 100.0, 0.0)
    amount[still.start : still.stop] = 0.0
    return amount


@pytest.mark.parametrize(("still", "told"), [(range(35, 40), 0), (range(35, 43), 6)])
def test_a_meter_is_stuck_after_more_than_five_days_on_which_it_used_to_move(still: range, told: int) -> None:
    """Five working days of zero are a holiday; with Monday of the next week they are six."""
    found = stuck_meter("m", days(63), moving(still))
    assert [one.evidence["days"] for one in found] == ([told] if told else [])


def test_weekends_at_rest_never_count() -> None:
    assert stuck_meter("m", days(63), moving(range(0))) == []


def test_a_site_at_rest_as_a_whole_is_no_stuck_meter() -> None:
    still = moving(range(35, 49))
    peers = np.ones(63, np.bool_)
    assert [one.evidence["days"] for one in stuck_meter("m", days(63), still, peers_moved=peers)] == [10]
    peers[35:49] = False
    assert stuck_meter("m", days(63), still, peers_moved=peers) == []


def test_unknown_days_are_no_standstill() -> None:
    amount = moving(range(0))
    amount[35:49] = np.nan
    assert stuck_meter("m", days(63), amount) == []


def test_a_meter_nobody_knows_the_habits_of_is_not_judged() -> None:
    """Three known Mondays are no habit: four are asked for."""
    assert stuck_meter("m", days(42), moving(range(21, 42), 42)) == []
    assert stuck_meter("m", days(49), moving(range(28, 49), 49)) != []
