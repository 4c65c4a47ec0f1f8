"""A lead is worth as much as it survives of what is not known."""

import numpy as np
import pytest

from kgce.analytics.leaders.lineup import line_up
from kgce.analytics.leaders.stability import Stability, relative_uncertainty, stability


def of(value: list[float], share: float, leaders: int = 1, **other: object) -> Stability:
    values = np.array(value)
    line = line_up(np.zeros(len(values), np.intp), values, np.isfinite(values), groups=1)
    return stability(line, np.full(len(values), share), leaders=leaders, seed=11, **other)


def test_a_leader_far_ahead_always_leads() -> None:
    found = of([5.0, 10, 11, 12], 0.03)
    assert found.leads.tolist() == [True, False, False, False]
    assert found.share.tolist() == [1, 0, 0, 0]


def test_two_that_are_nearly_equal_lead_half_of_the_time_each() -> None:
    found = of([10.0, 10.001, 30], 0.03)
    assert found.share[:2] == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.share[2] == 0


def test_there_are_as_many_leaders_in_every_draw() -> None:
    assert of(list(np.linspace(10, 11, 20)), 0.05, leaders=3).share.sum() == pytest.approx(3)


def test_without_uncertainty_the_leaders_are_certain_and_a_tie_shares_the_lead() -> None:
    found = of([10.0, 10.0, 11], 0.0)
    assert found.leads.tolist() == [True, True, False]
    assert found.share.tolist() == [1, 1, 0]


def test_the_share_is_that_of_the_normal_distribution() -> None:
    """The logarithms of two units lie one standard deviation of their difference apart: Phi(1) = 0.8413."""
    gap = 0.05 * np.sqrt(2)
    assert of([10.0, 10 * np.exp(gap)], 0.05, draws=20_000).share[0] == pytest.approx(0.8413, abs=0.01)


def test_a_group_of_no_more_than_k_leads_as_a_whole() -> None:
    assert of([1.0, 100.0], 0.5, leaders=2).share.tolist() == [1, 1]


def test_a_unit_outside_the_line_has_no_share_and_no_lead() -> None:
    found = of([1.0, np.nan, 2.0], 0.01)
    assert found.leads.tolist() == [True, False, False]
    assert np.isnan(found.share[1])


def test_a_groups_shares_do_not_hang_on_another_group() -> None:
    value, group = np.array([10.0, 10.2, 1.0, 1.01]), np.array([0, 0, 1, 1])
    line = line_up(group, value, np.ones(4, bool), groups=2)
    both = stability(line, np.full(4, 0.05), leaders=1, seed=11)
    alone = stability(line.keep(group == 1), np.full(4, 0.05), leaders=1, seed=11)
    assert both.share[2:].tolist() == alone.share[2:].tolist()


def test_a_season_that_all_share_moves_no_lead() -> None:
    season = 1 + np.cos(np.arange(12) / 6 * np.pi)
    found = of([10.0, 10.1], 0.0, monthly=np.outer([10.0, 10.1], season))
    assert found.share.tolist() == [1, 0]


def test_a_lead_that_hangs_on_one_month_is_lost_when_that_month_is_not_drawn() -> None:
    """Without the drawn month, (11/12)^12 = 0.352 of the draws, the other leads; with it once or more it does not."""
    steady, empty_once = np.full(12, 1.0), np.array([0.0] + [1.05] * 11)
    monthly = np.stack([steady, empty_once])
    found = of([12.0, 11.55], 0.0, monthly=monthly, draws=20_000)
    assert found.share.tolist() == pytest.approx([0.352, 0.648], abs=0.012)


def test_uncertainty_grows_with_what_is_estimated_and_what_is_missing() -> None:
    found = relative_uncertainty(np.array([0.0, 0.5, 0.0, 0.5]), np.array([1.0, 1.0, 0.9, 0.9]))
    assert found.tolist() == pytest.approx(
        [0.01, (0.01**2 + 0.1**2) ** 0.5, (0.01**2 + 0.03**2) ** 0.5, 0.104881], 1e-4
    )
    assert np.isnan(relative_uncertainty(np.array([np.nan]), np.ones(1))[0])


@pytest.mark.parametrize("other", [{"share": np.nan}, {"share": 0.1, "leaders": 0}])
def test_what_cannot_be_drawn_is_refused(other: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one leader"):
        of([1.0, 2.0], **other)


def test_a_month_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="months"):
        of([1.0, 2.0], 0.1, monthly=np.full((2, 12), np.nan))
