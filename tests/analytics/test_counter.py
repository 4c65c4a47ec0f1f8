"""Counters become amounts that add up; what nobody measured is never invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.analytics.ledger.counter import counter_amounts
from kgce.domain.batch import Quality

HOUR = 3_600_000
M, G, X = Provenance.MEASURED, Provenance.INTERPOLATED, Provenance.MISSING


def hourly(readings: dict[float, float], hours: int, quality: dict[float, int] | None = None) -> Amounts:
    """Amounts per hour of a counter read at the given hours."""
    times = np.array([round(hour * HOUR) for hour in readings], np.int64)
    bits = np.array([(quality or {}).get(hour, 0) for hour in readings], np.uint8)
    return counter_amounts(
        times, np.array(list(readings.values()), float), bits, np.arange(hours + 1, dtype=np.int64) * HOUR
    )


def test_a_steady_load_is_measured_hour_by_hour() -> None:
    found = hourly({0: 100, 1: 110, 2: 130}, 2)
    assert found.amount.tolist() == [10, 20]
    assert found.provenance.tolist() == [M, M]
    assert found.coverage.tolist() == [1, 1]
    assert found.flags.tolist() == [0, 0]


def test_a_six_hour_outage_is_six_interpolated_hours_not_zeros_and_one_giant() -> None:
    """10 kWh/h, readings at 00..03 and again from 09: the 60 kWh of the silence are spread over it."""
    found = hourly({0: 0, 1: 10, 2: 20, 3: 30, 9: 90, 10: 100, 11: 110}, 11)
    assert found.amount.tolist() == pytest.approx([10] * 11, rel=1e-12)
    assert found.provenance.tolist() == [M] * 3 + [G] * 6 + [M] * 2
    assert found.coverage.tolist() == [1] * 3 + [0] * 6 + [1] * 2


def test_the_day_that_holds_an_outage_whole_is_measured() -> None:
    """The counter knows the day exactly; only the hours inside the silence are a guess."""
    times = np.array([0, 1, 2, 3, 9, 23, 24], np.int64) * HOUR
    found = counter_amounts(times, times / HOUR * 10, np.zeros(7, np.uint8), np.array([0, 24 * HOUR], np.int64))
    assert (found.amount[0], found.provenance[0], found.coverage[0]) == (240, M, 1)


def test_before_the_first_and_after_the_last_reading_nothing_is_known() -> None:
    found = hourly({1: 5, 2: 7, 3: 9}, 5)
    assert np.isnan(found.amount[[0, 3, 4]]).all()
    assert found.provenance.tolist() == [X, M, M, X, X]
    assert found.coverage.tolist() == [0, 1, 1, 0, 0]


def test_an_interval_known_in_part_says_how_much_of_it() -> None:
    times = np.array([15, 30, 45, 60], np.int64) * 60_000
    found = counter_amounts(times, np.array([0.0, 1, 2, 3]), np.zeros(4, np.uint8), np.array([0, HOUR], np.int64))
    assert (found.amount[0], found.coverage[0], found.flags[0]) == (3, 0.75, Flag.PARTIAL)


@pytest.mark.parametrize(
    ("readings", "rejected_hour"),
    [
        pytest.param({0: 100, 1: 110, 2: 0, 3: 130, 4: 140}, 2, id="dips to zero for one poll"),
        pytest.param({0: 100, 1: 110, 2: 9e9, 3: 130, 4: 140}, 2, id="one absurdly high reading"),
    ],
)
def test_a_reading_that_returns_is_a_spike_and_never_consumption(
    readings: dict[float, float], rejected_hour: int
) -> None:
    """Hazard 33 of devices.md: difference against the old baseline."""
    found = hourly(readings, 4)
    assert np.nansum(found.amount) == 40
    assert found.amount[1] + found.amount[2] == 20
    assert found.flags[rejected_hour] & Flag.SPIKE_REJECTED


def test_several_zeros_in_a_row_that_return_are_one_dip() -> None:
    found = hourly({0: 100, 1: 110, 2: 0, 3: 0, 4: 0, 5: 150}, 5)
    assert found.amount.sum() == 50


def test_a_drop_that_stays_is_a_reset_whose_stretch_is_missing() -> None:
    """Hazard 34: never negative, never the new register value as consumption."""
    found = hourly({0: 1000, 1: 1010, 2: 3, 3: 13, 4: 23, 5: 33, 6: 43, 7: 53, 8: 63}, 8)
    assert np.isnan(found.amount[1])
    assert found.provenance[1] == X
    assert found.flags[1] & Flag.RESET
    assert np.delete(found.amount, 1).tolist() == [10] * 7


def test_a_reset_during_an_outage_is_no_guess_but_unknown() -> None:
    """Silent from 3 h to 9 h and back at a lower value: the hours beside the silence are whole, half of 2..4 h is."""
    times = np.array([0, 1, 2, 3, 9, 10, 11, 12], np.int64) * HOUR
    register = np.array([100.0, 110, 120, 130, 5, 15, 25, 35])
    edges = np.array([0, 2, 4, 8, 10, 12], np.int64) * HOUR
    found = counter_amounts(times, register, np.zeros(8, np.uint8), edges)
    np.testing.assert_array_equal(found.amount, [20, 10, np.nan, 10, 20])
    assert found.provenance.tolist() == [M, M, X, M, M]
    assert found.coverage.tolist() == [1, 0.5, 0, 0.5, 1]
    assert found.flags.tolist() == [0, Flag.RESET | Flag.PARTIAL, Flag.RESET, Flag.RESET | Flag.PARTIAL, 0]


def test_bad_suspect_and_absent_values_are_not_readings() -> None:
    readings = {0: 0, 1: 10, 2: np.nan, 3: 777, 4: 40, 5: 50}
    found = hourly(readings, 5, quality={2: Quality.BAD, 3: Quality.SUSPECT})
    assert found.amount.tolist() == pytest.approx([10] * 5)
    assert found.provenance.tolist() == [M, G, G, G, M]


def test_order_and_repeats_do_not_matter() -> None:
    times = np.array([3, 1, 0, 2, 2], np.int64) * HOUR
    found = counter_amounts(
        times, np.array([30.0, 10, 0, 99, 20]), np.zeros(5, np.uint8), np.arange(4, dtype=np.int64) * HOUR
    )
    assert found.amount.tolist() == [10, 10, 10], "of equal times the last reading counts"


def test_one_reading_says_nothing_about_an_amount() -> None:
    assert np.isnan(hourly({1: 5}, 3).amount).all()
    assert np.isnan(hourly({}, 3).amount).all()


def test_the_gap_limit_is_one_and_a_half_times_the_rhythm() -> None:
    """A rule is tested on its limit and one step beyond it."""
    on_it = {hour: hour * 10.0 for hour in (0, 1, 2, 3.25, 4.75, 6, 7, 8)}  # one stretch of exactly 1.5 h
    beyond = {hour: hour * 10.0 for hour in (0, 1, 2, 3.25, 4.76, 6, 7, 8)}
    assert set(hourly(on_it, 8).provenance.tolist()) == {M}
    assert G in hourly(beyond, 8).provenance.tolist()


@pytest.mark.parametrize(("edges", "complaint"), [([0], "at least two"), ([5, 5], "ascending"), ([5, 1], "ascending")])
def test_edges_that_bound_nothing_are_refused(edges: list[int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        counter_amounts(np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.uint8), np.array(edges, np.int64))


@st.composite
def registers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A counter read at irregular times."""
    spacings = draw(st.lists(st.integers(1, 10 * HOUR), min_size=1, max_size=60))
    steps = draw(st.lists(st.floats(0, 1e6), min_size=len(spacings), max_size=len(spacings)))
    start = draw(st.floats(0, 1e9))
    return np.concatenate(([0], np.cumsum(spacings))), start + np.concatenate(([0.0], np.cumsum(steps)))


@given(registers(), st.integers(1, 5 * HOUR), st.randoms(use_true_random=False))
def test_amounts_between_two_good_readings_add_up_to_the_counters_difference(register, width, random) -> None:
    """Conservation, for any rhythm, any grid and any order of arrival."""
    times, values = register
    order = list(range(len(times)))
    random.shuffle(order)
    count = min(int(times[-1] + 3 * width) // width + 1, 2000)
    edges = np.unique(np.linspace(-width, times[-1] + width, count + 1).astype(np.int64))
    found = counter_amounts(times[order].astype(np.int64), values[order], np.zeros(len(times), np.uint8), edges)
    assert np.nansum(found.amount) == pytest.approx(values[-1] - values[0], rel=1e-12, abs=1e-6)
    assert (found.amount[np.isfinite(found.amount)] >= 0).all()
    assert ((found.coverage >= 0) & (found.coverage <= 1)).all()
