"""Where a year will end: exact where it goes as the others did, and honest about what it cannot know."""

import numpy as np
import pytest

from kgce.analytics.forecast import forecast_year

SEASON = np.array([150, 140, 120, 90, 80, 100, 130, 130, 90, 85, 110, 140.0])


def first(months: int, year: np.ndarray) -> np.ndarray:
    known = year.copy()
    known[months:] = np.nan
    return known[None, :]


@pytest.mark.parametrize("months", [1, 5, 11])
@pytest.mark.parametrize("scale", [1.0, 0.9, 2.0])
def test_a_year_that_goes_as_the_others_did_is_known_from_any_month_on(months: int, scale: float) -> None:
    found = forecast_year(first(months, SEASON * scale), np.stack([SEASON, SEASON * 1.1])[:, None, :])
    assert found.expected[0] == pytest.approx(scale * SEASON.sum())
    assert (found.low[0], found.high[0]) == (pytest.approx(found.expected[0]), pytest.approx(found.expected[0]))
    assert (found.months[0], found.years[0]) == (months, 2)


def test_the_interval_is_that_of_students_t_by_hand() -> None:
    """Two years, half of them known: 50 of 100 and 50 of 110. Each is forecast from the other.

    Misses: 100 / 110 - 1 and 110 / 100 - 1; their root mean square times 3.078 (one degree of freedom) and sqrt(1.5).
    """
    flat, steep = np.array([50 / 6] * 6 + [50 / 6] * 6), np.array([50 / 6] * 6 + [60 / 6] * 6)
    found = forecast_year(first(6, flat), np.stack([flat, steep])[:, None, :])
    size = np.sqrt(((100 / 110 - 1) ** 2 + (110 / 100 - 1) ** 2) / 2)
    assert found.expected[0] == pytest.approx(50 * 210 / 100)
    assert found.high[0] == pytest.approx(105 * (1 + 3.078 * size * np.sqrt(1.5)))
    assert found.low[0] == pytest.approx(105 * (1 - 3.078 * size * np.sqrt(1.5)))


def test_without_history_nothing_is_made_up_and_one_year_gives_no_interval() -> None:
    alone = forecast_year(first(6, SEASON), np.zeros((0, 1, 12)))
    assert (alone.so_far[0], np.isnan(alone.expected[0])) == (SEASON[:6].sum(), True)
    one = forecast_year(first(6, SEASON), SEASON[None, None, :])
    assert (one.expected[0], np.isnan(one.low[0])) == (pytest.approx(SEASON.sum()), True)


def test_an_unknown_month_in_between_is_taken_from_the_others_never_as_zero() -> None:
    now = first(8, SEASON)
    now[0, 3] = np.nan
    found = forecast_year(now, np.stack([SEASON, SEASON])[:, None, :])
    assert found.expected[0] == pytest.approx(SEASON.sum())
    holed = np.stack([SEASON, SEASON])
    holed[0, 2] = np.nan
    assert forecast_year(now, holed[:, None, :]).years[0] == 1, "a year with an unknown month is left out"


def test_a_finished_year_is_what_it_was() -> None:
    found = forecast_year(SEASON[None, :] * 1.3, np.stack([SEASON, SEASON * 2])[:, None, :])
    assert found.expected[0] == found.low[0] == found.high[0] == pytest.approx(1.3 * SEASON.sum())


def test_rows_do_not_know_each_other_and_a_silent_row_has_no_forecast() -> None:
    now = np.vstack([first(6, SEASON), first(0, SEASON), first(6, SEASON * 3)])
    earlier = np.stack([np.vstack([SEASON, SEASON, SEASON * 3])] * 2)
    found = forecast_year(now, earlier)
    assert found.expected[[0, 2]].tolist() == pytest.approx([SEASON.sum(), 3 * SEASON.sum()])
    assert np.isnan(found.expected[1])


@pytest.mark.parametrize(("years", "months"), [(3, 6), (5, 3), (8, 9)])
def test_eight_in_ten_intervals_hold_the_truth(years: int, months: int) -> None:
    """400 units with 8 % of noise in each month and 5 % in each year's level."""
    random = np.random.default_rng(years)
    made = SEASON * (1 + 0.08 * random.standard_normal((years + 1, 400, 12)))
    made *= 1 + 0.05 * random.standard_normal((years + 1, 400, 1))
    now = made[-1].copy()
    now[:, months:] = np.nan
    found = forecast_year(now, made[:-1])
    truth = made[-1].sum(axis=1)
    held = ((found.low <= truth) & (truth <= found.high)).mean()
    assert 0.75 <= held <= 0.93


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(n, 12\)"):
        forecast_year(np.zeros((1, 11)), np.zeros((1, 1, 12)))
