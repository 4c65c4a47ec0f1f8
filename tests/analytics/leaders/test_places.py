"""Ranks, ratio to the same-type average, and its steps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.analytics.leaders.lineup import line_up
from kgce.analytics.leaders.places import Places, places, step_points
from kgce.analytics.ranking import rank_within


def placed(group: list[int], value: list[float], takes_part: list[bool] | None = None) -> Places:
    groups, values = np.array(group, np.intp), np.array(value, np.float64)
    chosen = np.ones(len(values), bool) if takes_part is None else np.array(takes_part, bool)
    return places(line_up(groups, values, chosen, groups=5), values, groups)


@pytest.mark.parametrize(("on_limit", "points", "beyond"), [(0.9, 7, 6), (1.0, 6, 5), (1.1, 5, 4), (1.2, 4, 0)])
def test_a_step_ends_on_its_limit(on_limit: float, points: int, beyond: int) -> None:
    """Source: energy_domain.md section 4.1."""
    found = step_points(np.array([on_limit, np.nextafter(on_limit, 2)]))
    assert found.tolist() == [points, beyond]


def test_no_ratio_earns_no_points_and_not_zero_points() -> None:
    assert np.isnan(step_points(np.array([np.nan]))).all()


def test_ties_share_a_rank_and_the_next_one_is_skipped() -> None:
    found = placed([0, 0, 0, 0], [5.0, 3, 5, 9])
    assert found.rank.tolist() == [2, 1, 2, 4]
    assert found.percentile.tolist() == pytest.approx([100 / 3, 100, 100 / 3, 0])


def test_the_average_is_that_of_those_in_the_line_and_the_others_are_measured_by_it() -> None:
    found = placed([0, 0, 0], [9.0, 11, 30], [True, True, False])
    assert found.average[0] == 10
    assert found.ratio.tolist() == [0.9, 1.1, 3]
    assert found.points.tolist() == [7, 5, 0]
    assert found.rank.tolist() == [1, 2, 0]


def test_a_published_average_takes_the_place_of_the_groups_own() -> None:
    value, group = np.array([9.0, 11]), np.zeros(2, np.intp)
    found = places(line_up(group, value, np.ones(2, bool), groups=1), value, group, average=np.array([20.0]))
    assert found.ratio.tolist() == [0.45, 0.55]


def test_a_group_without_an_average_has_no_ratio() -> None:
    found = placed([0, 1], [1.0, 2.0], [True, False])
    assert math.isnan(found.ratio[1])
    assert math.isnan(found.points[1])


UNITS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([1.0, 2.0, 2.5, 3.0, 8.0]), st.booleans()), min_size=1, max_size=50
)


@given(UNITS)
def test_ranks_are_those_of_counting_who_uses_less(units: list[tuple[int, float, bool]]) -> None:
    found = placed(*map(list, zip(*units, strict=True)))
    for (group, value, takes_part), rank, percentile in zip(units, found.rank, found.percentile, strict=True):
        peers = [other for at, other, stands in units if stands and at == group]
        assert rank == (1 + sum(other < value for other in peers) if takes_part else 0)
        if takes_part and len(peers) > 1:
            assert percentile == pytest.approx(100 * sum(other > value for other in peers) / (len(peers) - 1))
        else:
            assert math.isnan(percentile)


@given(UNITS)
def test_ranks_are_those_of_the_ranking_everyone_else_uses(units: list[tuple[int, float, bool]]) -> None:
    group, value, takes_part = (list(column) for column in zip(*units, strict=True))
    found = placed(group, value, takes_part)
    known = rank_within(np.array(group, np.intp), np.array(value), np.array(takes_part))
    assert found.rank.tolist() == known.rank.tolist()
    np.testing.assert_allclose(found.percentile, known.percentile)
