"""Ranks, percentiles, progress: the conventions others publish."""

import numpy as np
import pytest

from kgce.analytics.indicators import Indicator
from kgce.analytics.ranking import rank_within
from kgce.analytics.targets import achieved_drop, progress
from kgce.domain.targets import PROVINCE_PLAN


def test_ties_share_a_rank_and_the_next_one_is_skipped() -> None:
    ranks = rank_within(np.zeros(4, np.intp), np.array([5.0, 3, 5, 9]), np.ones(4, bool))
    assert ranks.rank.tolist() == [2, 1, 2, 4]
    assert ranks.percentile.tolist() == pytest.approx([100 / 3, 100, 100 / 3, 0])


def test_each_group_has_its_own_first() -> None:
    ranks = rank_within(np.array([0, 1, 0, 1]), np.array([2.0, 1, 1, 4]), np.ones(4, bool))
    assert ranks.rank.tolist() == [2, 1, 1, 2]
    assert ranks.percentile.tolist() == [0, 100, 100, 0]


def test_who_cannot_be_ranked_has_no_rank_and_does_not_count_as_a_peer() -> None:
    ranks = rank_within(np.zeros(3, np.intp), np.array([1.0, np.nan, 2]), np.array([True, False, True]))
    assert ranks.rank.tolist() == [1, 0, 2]
    assert np.isnan(ranks.percentile[1])


def test_alone_there_is_a_rank_but_no_percentile() -> None:
    ranks = rank_within(np.zeros(1, np.intp), np.array([1.0]), np.ones(1, bool))
    assert ranks.rank.tolist() == [1]
    assert np.isnan(ranks.percentile[0])


@pytest.mark.parametrize(
    ("indicator", "drop", "published"),
    [
        (Indicator.ENERGY_PER_CAPITA, 0.0698, 0.635),
        (Indicator.ENERGY_PER_AREA, 0.0668, 0.668),
        (Indicator.WATER_PER_CAPITA, 0.1006, 0.671),
    ],
)
def test_progress_is_the_convention_the_province_published_for_2018(
    indicator: Indicator, drop: float, published: float
) -> None:
    """energy_domain.md section 0 (S-NECC): drops of 6.98, 6.68, 10.06 % were 63.5, 66.8, 67.1 % of the targets."""
    targeted = {target.indicator: target.drop for target in PROVINCE_PLAN}[indicator]
    done = progress(achieved=achieved_drop(baseline=100, value=100 * (1 - drop)), targeted=targeted)
    assert done == pytest.approx(published, abs=0.0005)


def test_a_rise_is_negative_progress() -> None:
    assert progress(achieved=achieved_drop(baseline=100, value=105), targeted=0.1) == pytest.approx(-0.5)
