"""Another level of use from one day on; a single day no supply explains."""

import numpy as np
import pytest

from kgce.analytics.anomalies.leaps import leaps
from kgce.analytics.anomalies.steps import find_steps, step_changes

YEAR = np.arange("2019-01-01", "2020-01-01", dtype="datetime64[D]")


def noisy(level: np.ndarray, seed: int, noise: float = 0.03) -> np.ndarray:
    random = np.random.default_rng(seed)
    return level * (1 + noise * random.standard_normal(len(level)))


def test_a_planted_step_is_found_on_its_day_with_its_size() -> None:
    level = np.where(np.arange(365) < 200, 100.0, 130.0)
    [found] = step_changes("m", YEAR, noisy(level, 1))
    assert found.id == "load.step"
    assert abs((np.datetime64(found.evidence["day"]) - YEAR[200]).astype(int)) <= 1
    assert found.evidence["step_kwh_per_day"] == pytest.approx(30, abs=3)
    assert found.evidence["ratio"] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(("ratio", "found"), [(0.09, False), (0.13, True)])
def test_a_step_of_less_than_a_tenth_is_passed_over(ratio: float, found: bool) -> None:
    level = np.where(np.arange(365) < 200, 100.0, 100.0 * (1 + ratio))
    assert bool(find_steps(YEAR, noisy(level, 2, noise=0.002))) is found


def test_a_slow_drift_is_no_step() -> None:
    assert find_steps(YEAR, noisy(np.linspace(100, 150, 365), 3)) == []


def test_working_weeks_are_no_steps() -> None:
    week = np.where(np.arange(365) % 7 < 5, 100.0, 20.0)
    assert find_steps(YEAR, noisy(week, 4)) == []


def test_noise_alone_is_hardly_ever_a_step() -> None:
    """100 years of 10 % noise: at most two alarms."""
    assert sum(bool(find_steps(YEAR, noisy(np.full(365, 100.0), seed, 0.1))) for seed in range(100)) <= 2


def test_unknown_days_are_left_out_and_half_a_year_of_them_says_nothing() -> None:
    level = np.where(np.arange(365) < 200, 100.0, 130.0)
    amount = noisy(level, 5)
    amount[::5] = np.nan
    assert len(find_steps(YEAR, amount)) == 1
    amount[170:230] = np.nan
    assert find_steps(YEAR, amount) == []
    assert find_steps(YEAR[:55], amount[:55]) == []


@pytest.mark.parametrize(("largest", "told"), [(2000.0, False), (2000.1, True), (np.nan, False)])
def test_a_day_beyond_twenty_times_the_usual_is_suspected(largest: float, told: bool) -> None:
    amount = np.full((1, 365), 100.0)
    amount[0, 50] = largest
    found = leaps(YEAR, amount)
    assert [(row, one.id, one.evidence["day"]) for row, one in found] == (
        [(0, "counter.leap_suspected", "2019-02-20")] if told else []
    )


def test_two_such_days_are_a_pattern_of_use_and_a_new_meter_has_no_habits() -> None:
    amount = np.full((2, 365), 100.0)
    amount[0, [50, 90]] = 5000.0
    amount[1, 13:] = np.nan
    amount[1, 5] = 5000.0
    assert leaps(YEAR, amount) == []
