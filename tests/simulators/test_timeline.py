from datetime import date, timedelta

import numpy as np
import pytest

from kgce.simulators.holidays import calendar, flag
from kgce.simulators.timeline import (
    EPOCH_MS,
    HOUR_MS,
    day_in_year,
    day_index,
    hour_and_offset,
    midnight_ms,
    weekday_of,
    year_of,
)
from tests.simulators.world import instant, ms


def test_days_agree_with_the_standard_library_calendar():
    days = np.arange(0, 12_000, 37)
    dates = [date(2015, 1, 1) + timedelta(days=int(day)) for day in days]

    assert year_of(days).tolist() == [entry.year for entry in dates]
    assert weekday_of(days).tolist() == [entry.weekday() for entry in dates]
    assert (day_in_year(days) + 1).tolist() == [entry.timetuple().tm_yday for entry in dates]
    assert [day_index(entry.year, entry.month, entry.day) for entry in dates] == days.tolist()


def test_the_epoch_is_local_midnight_of_new_year_2015():
    assert ms("2015-01-01T00:00:00+08:00") == EPOCH_MS
    assert midnight_ms(np.array([day_index(2026, 3, 1)]))[0] == ms("2026-03-01T00:00:00+08:00")


def test_an_instant_splits_into_hour_and_rest():
    hours, offset_ms = hour_and_offset(instant(EPOCH_MS + 5 * HOUR_MS + 17))

    assert (hours[0], offset_ms[0]) == (5, 17)


def test_a_time_before_the_simulation_is_refused():
    with pytest.raises(ValueError, match="begins 2015"):
        hour_and_offset(instant(EPOCH_MS - 1))


@pytest.mark.parametrize(
    ("day", "is_holiday"),
    [
        pytest.param((2024, 2, 10), True, id="Spring Festival 2024, State Council notice"),
        pytest.param((2026, 10, 1), True, id="National Day"),
        pytest.param((2026, 5, 1), True, id="Labour Day"),
        pytest.param((2026, 3, 11), False, id="an ordinary Wednesday"),
    ],
)
def test_public_holidays_fall_where_the_calendar_has_them(day, is_holiday):
    assert flag(calendar().holiday, np.array([day_index(*day)]))[0] == is_holiday


def test_schools_are_closed_when_offices_work_in_july():
    days = np.arange(day_index(2025, 7, 14), day_index(2025, 7, 19))  # Monday to Friday

    assert flag(calendar().workday, days).all()
    assert not flag(calendar().school_day, days).any()


def test_heating_runs_from_mid_november_to_mid_march():
    edges = [day_index(2025, 11, 14), day_index(2025, 11, 15), day_index(2026, 3, 15), day_index(2026, 3, 16)]

    assert flag(calendar().heating, np.array(edges)).tolist() == [False, True, True, False]


def test_a_year_has_about_as_many_workdays_as_china_has():
    """The State Council's schedules give about 250; make-up weekends are not simulated, so a few are missing."""
    days = np.arange(day_index(2025, 1, 1), day_index(2026, 1, 1))

    assert 240 <= flag(calendar().workday, days).sum() <= 252


def test_the_calendar_says_where_it_ends():
    with pytest.raises(ValueError, match="2049"):
        flag(calendar().workday, np.array([day_index(2050, 1, 1)]))
    with pytest.raises(ValueError, match="2049"):
        year_of(np.array([day_index(2050, 1, 1)]))
