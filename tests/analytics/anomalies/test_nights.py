"""What runs when nobody is there: base load of nights and weekends, water at night."""

import numpy as np
import pytest

from kgce.analytics.anomalies.base_load import night_load, weekend_load
from kgce.analytics.anomalies.dates import weekday_of
from kgce.analytics.anomalies.night_flow import night_flow

DAYS = np.datetime64("2019-01-07") + np.arange(28)
DAY = np.repeat(DAYS, 24)
HOUR = np.tile(np.arange(24), 28)
WEEKDAY = weekday_of(DAY)


def load(night: float, work: float, weekend: float) -> np.ndarray:
    """kWh of each hour of four weeks; 08 to 18 on working days at `work`, on weekends at `weekend`, 00 to 06 `night`."""
    amount = np.full(len(HOUR), 30.0)
    by_day = (HOUR >= 8) & (HOUR < 18)
    amount[by_day & (WEEKDAY < 5)] = work
    amount[by_day & (WEEKDAY >= 5)] = weekend
    amount[HOUR < 6] = night
    return amount


@pytest.mark.parametrize(("night", "told"), [(50.0, False), (50.1, True)])
def test_nights_above_half_of_the_working_hours_cost_what_the_evidence_says(night: float, told: bool) -> None:
    found = night_load("hall", load(night, 100.0, 20.0), hour=HOUR, weekday=WEEKDAY)
    assert bool(found) is told
    if told:
        assert found[0].id == "load.night_base"
        assert found[0].evidence["ratio"] == pytest.approx(0.501)
        assert found[0].evidence["above_limit_kwh_per_year"] == pytest.approx(0.1 * 365 * 6)


@pytest.mark.parametrize(("weekend", "told"), [(50.0, False), (51.0, True)])
def test_weekends_above_half_of_working_days_are_told(weekend: float, told: bool) -> None:
    found = weekend_load("hall", load(20.0, 100.0, weekend), hour=HOUR, weekday=WEEKDAY)
    assert [one.id for one in found] == (["load.weekend"] if told else [])


def test_unknown_hours_are_left_out_and_too_few_nights_say_nothing() -> None:
    amount = load(90.0, 100.0, 20.0)
    amount[(HOUR < 6) & (DAYS[7] <= DAY)] = np.nan
    assert len(night_load("hall", amount, hour=HOUR, weekday=WEEKDAY)) == 1, "seven nights are enough"
    amount[(HOUR < 6) & (DAYS[6] <= DAY)] = np.nan
    assert night_load("hall", amount, hour=HOUR, weekday=WEEKDAY) == []


def water(least: float, nights: int) -> np.ndarray:
    """0.4 m3 an hour by day, nothing at night but `least` in the first so many nights."""
    amount = np.where((HOUR >= 6) & (HOUR < 22), 0.4, 0.0)
    amount[(HOUR < 6) & (DAYS[nights] > DAY)] = least
    return amount


@pytest.mark.parametrize(("nights", "told"), [(6, False), (7, True)])
def test_a_week_of_running_nights_is_a_leak_of_its_own_size(nights: int, told: bool) -> None:
    found = night_flow("w", water(0.05, nights), day=DAY, hour=HOUR)
    assert bool(found) is told
    if told:
        assert found[0].evidence["leak_m3_per_day"] == pytest.approx(24 * 0.05)
        assert (found[0].evidence["nights"], found[0].evidence["first_night"]) == (7, "2019-01-07")


def test_what_may_flow_is_taken_off_and_a_quiet_night_ends_a_run() -> None:
    assert night_flow("w", water(0.05, 14), day=DAY, hour=HOUR, allowance_m3_per_h=0.05) == []
    broken = water(0.05, 14)
    broken[(DAYS[6] == DAY) & (HOUR == 3)] = 0.0
    [found] = night_flow("w", broken, day=DAY, hour=HOUR)
    assert found.evidence["first_night"] == "2019-01-14"


def test_a_night_nobody_knows_neither_counts_nor_ends_a_run() -> None:
    amount = water(0.05, 8)
    amount[(DAYS[3] == DAY) & (HOUR < 6)] = np.nan
    [found] = night_flow("w", amount, day=DAY, hour=HOUR)
    assert found.evidence["nights"] == 7
