"""Dips, spikes, resets: what is blamed, on each side of every limit."""

import numpy as np
import pytest

from kgce.analytics.ledger.anomalies import DIP_READINGS, clean_register


def cleaned(values: list[float]):
    return clean_register(np.arange(len(values), dtype=np.int64), np.array(values, float))


@pytest.mark.parametrize(
    ("values", "rejected"),
    [
        pytest.param([10, 20, 0, 30], [2], id="one low reading"),
        pytest.param([10, 20, *[0] * DIP_READINGS, 30], list(range(2, 2 + DIP_READINGS)), id="the longest dip"),
        pytest.param([10, 20, 15, 25], [2], id="one low or one high reading: the low one"),
        pytest.param([10, 20, 90, 30, 40, 95], [2], id="one high reading is likelier than two low ones"),
        pytest.param([10, 99, 20, 98, 30, 40, 50], [1, 3], id="two spikes apart"),
        pytest.param([10, 20, 0, 30, 0, 40], [2, 4], id="two dips apart"),
        pytest.param([5, 5, 5, 4, 5], [3], id="a dip of a counter that stands still"),
    ],
)
def test_a_reading_that_the_others_contradict_is_rejected(values: list[float], rejected: list[int]) -> None:
    found = cleaned(values)
    assert found.spikes_ms == rejected
    assert not found.is_reset.any()
    assert found.value.tolist() == [value for place, value in enumerate(values) if place not in rejected]


@pytest.mark.parametrize(
    ("values", "reset_after"),
    [
        pytest.param([10, 20, *[0] * (DIP_READINGS + 1), 30], [1], id="one reading longer than a dip"),
        pytest.param([1000, 1010, 3, 13], [1], id="a new meter"),
        pytest.param([1000, 3, 13, 23], [0], id="the first reading is the high one"),
        pytest.param([10, 20, 1, 9, 12, 2, 8], [1, 4], id="two resets"),
    ],
)
def test_a_drop_that_stays_is_a_reset(values: list[float], reset_after: list[int]) -> None:
    found = cleaned(values)
    assert np.flatnonzero(found.is_reset).tolist() == reset_after
    assert found.spikes_ms == []


def test_across_a_reset_the_register_stands_still_and_goes_on_with_its_own_steps() -> None:
    assert cleaned([1000, 1010, 3, 13, 24]).value.tolist() == [1000, 1010, 1010, 1020, 1031]


def test_rounding_never_makes_a_lifted_register_fall() -> None:
    """Decimal fractions that binary cannot hold, reset ten thousand times in all."""
    random = np.random.default_rng(2)
    for _ in range(500):
        cycles = np.cumsum(random.random((20, 8)), axis=1) * random.choice([0.1, 7e3, 9e8], (20, 1))
        assert (np.diff(cleaned(cycles.ravel().tolist()).value) >= 0).all()


def test_a_register_that_never_falls_is_left_untouched() -> None:
    values = np.array([1.0, 1.0, 2.5])
    found = clean_register(np.arange(3, dtype=np.int64), values)
    assert found.value is values
    assert (found.spikes_ms, found.is_reset.tolist()) == ([], [False, False])
