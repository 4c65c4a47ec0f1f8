"""An amount told after a silence is spread over it, and none of it is lost or made."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.datasets.spread import Spread, catch_ups, gaps, respread, usual_amount
from kgce.domain.batch import Quality

STEP_MS = 600_000


def columns(*slots: int) -> np.ndarray:
    return np.array(slots, np.int64) * STEP_MS


def spread(slots: list[int], values: list[float], places: list[int], quality: int = 0) -> Spread:
    return respread(columns(*slots), np.array(values, float), np.full(len(values), quality, np.uint8), places, STEP_MS)


def test_a_late_amount_is_shared_evenly_by_its_gap_and_its_own_interval() -> None:
    found = spread([0, 1, 5, 6], [2.0, 3.0, 40.0, 4.0], [2])

    assert (found.time_ms // STEP_MS).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert found.value.tolist() == [2.0, 3.0, 10.0, 10.0, 10.0, 10.0, 4.0]


def test_only_the_spread_amounts_are_flagged_as_estimated_and_keep_their_other_flags() -> None:
    found = spread([0, 1, 3], [2.0, 3.0, 40.0], [2], quality=int(Quality.TIME_UNSURE))

    assert found.quality.tolist() == [Quality.TIME_UNSURE] * 2 + [Quality.TIME_UNSURE | Quality.ESTIMATED] * 2


def test_without_a_late_amount_nothing_changes() -> None:
    found = spread([0, 1, 5], [2.0, 3.0, 4.0], [])

    assert (found.value.tolist(), found.quality.tolist()) == ([2.0, 3.0, 4.0], [0, 0, 0])


def test_two_late_amounts_are_spread_each_over_its_own_gap() -> None:
    found = spread([0, 2, 5], [1.0, 10.0, 30.0], [1, 2])

    assert found.value.tolist() == [1.0, 5.0, 5.0, 10.0, 10.0, 10.0]


@given(amount=st.floats(min_value=1e-6, max_value=1e9), missing=st.integers(1, 2_000), seed=st.integers(0, 2**32 - 1))
def test_the_shares_sum_to_exactly_the_amount_in_every_order(amount: float, missing: int, seed: int) -> None:
    shares = spread([0, missing + 1], [0.0, amount], [1]).value[1:]

    assert len(shares) == missing + 1
    assert math.fsum(shares) == amount
    assert sum(np.random.default_rng(seed).permutation(shares).tolist()) == amount
    np.testing.assert_allclose(shares, amount / (missing + 1), rtol=1e-9)


def test_a_missing_interval_makes_a_gap_and_a_following_one_does_not() -> None:
    assert gaps(columns(0, 1, 3, 4, 9), STEP_MS).tolist() == [2, 4]
    assert gaps(columns(), STEP_MS).tolist() == gaps(columns(5), STEP_MS).tolist() == []


@pytest.mark.parametrize(("late", "found"), [(40.0, 0), (40.1, 1)])
def test_an_amount_after_a_gap_is_late_above_twenty_times_the_usual(late: float, found: int) -> None:
    told = catch_ups(columns(0, 1, 2, 6), np.array([2.0, 2.0, 2.0, late]), STEP_MS)

    assert len(told) == found


def test_a_late_amount_is_told_with_the_first_and_last_interval_that_are_missing() -> None:
    (late,) = catch_ups(columns(0, 1, 5), np.array([2.0, 2.0, 500.0]), STEP_MS)

    assert (late.place, late.value, late.usual) == (2, 500.0, 2.0)
    assert (late.gap_from_ms // STEP_MS, late.gap_to_ms // STEP_MS, late.at_ms // STEP_MS) == (2, 4, 5)


def test_a_high_amount_without_a_gap_before_it_is_consumption() -> None:
    assert catch_ups(columns(0, 1, 2), np.array([2.0, 2.0, 500.0]), STEP_MS) == []


def test_a_meter_that_never_counted_before_has_no_usual_amount_and_no_late_one() -> None:
    assert usual_amount(np.array([0.0, 0.0, 9.0]), 2) == 0.0
    assert catch_ups(columns(0, 1, 5), np.array([0.0, 0.0, 9.0]), STEP_MS) == []
