"""The integral of power is the counter; what a gap hides is not made up."""

import numpy as np
import pytest

from kgce.analytics.ledger.counter import counter_amounts
from kgce.analytics.ledger.gauge import time_means
from kgce.domain.batch import Quality

HOUR = 3_600_000


def means(readings: dict[float, float], edges: list[float], quality: dict[float, int] | None = None):
    times = np.array([round(hour * HOUR) for hour in readings], np.int64)
    bits = np.array([(quality or {}).get(hour, 0) for hour in readings], np.uint8)
    bounds = np.array([round(edge * HOUR) for edge in edges], np.int64)
    return time_means(times, np.array(list(readings.values()), float), bits, bounds)


def test_a_flat_power_is_its_own_mean_and_power_times_hours_is_energy() -> None:
    found = means(dict.fromkeys(range(7), 4.0), [0, 2, 6])
    assert found.mean.tolist() == [4, 4]
    assert found.integral.tolist() == [8, 16]
    assert found.coverage.tolist() == [1, 1]


def test_a_ramp_cut_by_an_edge_gives_each_side_its_own_area() -> None:
    """p = t kW over 0..4 h: the integral to 1.5 h is 1.125 kWh, the whole is 8 kWh."""
    found = means({0: 0, 1: 1, 2: 2, 3: 3, 4: 4}, [0, 1.5, 4])
    assert found.integral.tolist() == pytest.approx([1.125, 8 - 1.125], rel=1e-12)
    assert found.mean.tolist() == pytest.approx([0.75, 2.75], rel=1e-12)


def test_means_are_weighted_by_time_not_by_readings() -> None:
    """One hour at 10 kW seen by many readings, one at 0 kW seen by two."""
    found = means({0: 10, 0.25: 10, 0.5: 10, 0.75: 10, 1: 10, 1.0001: 0, 1.3: 0, 1.65: 0, 2: 0}, [0, 2])
    assert found.mean[0] == pytest.approx(5.0, rel=1e-3)


def test_a_gap_adds_nothing_and_lowers_the_coverage() -> None:
    found = means({0: 5, 1: 5, 2: 5, 6: 5, 7: 5, 8: 5}, [0, 8])
    assert (found.integral[0], found.mean[0], found.coverage[0]) == (20, 5, 0.5)


def test_an_edge_inside_a_gap_finds_nothing_there() -> None:
    found = means({0: 5, 1: 5, 2: 5, 6: 5, 7: 5, 8: 5}, [0, 3, 5, 8])
    np.testing.assert_array_equal(found.integral, [10, np.nan, 10])
    assert found.coverage.tolist() == [2 / 3, 0, 2 / 3]


def test_where_nothing_is_known_there_is_no_mean() -> None:
    found = means({1: 5, 2: 5, 3: 5}, [0, 1, 3, 5])
    np.testing.assert_array_equal(found.mean, [np.nan, 5, np.nan])
    np.testing.assert_array_equal(found.integral, [np.nan, 10, np.nan])
    assert found.coverage.tolist() == [0, 1, 0]
    assert np.isnan(means({}, [0, 1]).mean).all()
    assert np.isnan(means({0: 1}, [0, 1]).integral).all()


def test_unusable_readings_and_repeats_do_not_weigh() -> None:
    found = means({0: 2, 1: 900, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2}, [0, 6], {1: Quality.SUSPECT})
    assert (found.integral[0], found.coverage[0]) == (8, 4 / 6)
    times = np.array([0, 1, 1, 2], np.int64) * HOUR
    repeated = time_means(times, np.array([1.0, 7, 1, 1]), np.zeros(4, np.uint8), np.array([0, 2 * HOUR], np.int64))
    assert repeated.integral[0] == 2, "of equal times the last reading counts"


def test_the_integral_of_power_is_the_counters_difference() -> None:
    """A day's load curve known in closed form: p = 50 - 40 cos(2 pi t / 24) kW, so E(24 h) = 1200 kWh."""
    hours = np.linspace(0, 24, 24 * 60 + 1)
    power_kw = 50 - 40 * np.cos(2 * np.pi * hours / 24)
    energy_kwh = 50 * hours - 40 * 24 / (2 * np.pi) * np.sin(2 * np.pi * hours / 24)
    times = np.round(hours * HOUR).astype(np.int64)
    edges = np.arange(25, dtype=np.int64) * HOUR
    good = np.zeros(len(times), np.uint8)
    power, counted = time_means(times, power_kw, good, edges), counter_amounts(times, energy_kwh, good, edges)
    np.testing.assert_allclose(power.integral, counted.amount, rtol=1e-4)
    assert power.integral.sum() == pytest.approx(1200, rel=1e-6)
