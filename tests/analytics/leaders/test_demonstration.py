"""The measurable 21 of 110 points, and nothing claimed beyond them."""

import numpy as np
import pytest

from kgce.analytics.leaders.demonstration import ALL_POINTS, NOT_MEASURABLE, Demonstration, demonstration, verdict


def of(per_area: float, per_capita: float, water: float) -> Demonstration:
    return demonstration(np.array([per_area]), np.array([per_capita]), np.array([water]))


def test_the_parts_are_those_of_the_standard() -> None:
    """energy_domain.md section 4.1: 110 points, of which 35 for indicators, 29, 20, 9, 7 and a bonus of 10."""
    assert ALL_POINTS == 110
    assert [block.points for block in NOT_MEASURABLE] == [14, 29, 20, 9, 7, 10]


@pytest.mark.parametrize(("points", "needed"), [((7, 7, 7), 64), ((6, 5, 4), 70), ((0, 0, 0), 85)])
def test_what_is_needed_is_what_85_leaves(points: tuple[float, float, float], needed: float) -> None:
    found = of(*points)
    assert (found.measured[0], found.needed[0], found.open_points[0]) == (sum(points), needed, 89)


def test_an_unknown_indicator_is_no_zero_its_points_stay_open() -> None:
    found = of(7, np.nan, 6)
    assert (found.measured[0], found.unknown[0], found.needed[0], found.open_points[0]) == (13, 7, 72, 96)


def test_the_title_of_a_water_saving_unit_earns_the_points_of_water() -> None:
    three = np.array([0.0, 4.0, np.nan])
    found = demonstration(three, three, three, has_water_title=np.array([True, False, True]))
    assert found.measured.tolist() == [7, 12, 7]
    assert found.unknown.tolist() == [0, 0, 14]


def test_the_verdict_says_what_is_missing_and_claims_no_pass() -> None:
    assert verdict(of(7, 7, np.nan), 0) == [
        "14 of 14 measurable points",
        "indicators without data leave 7 points unknown",
        "71 more are needed for 85, out of 96 still open",
        (
            "not measurable: completion of the last two years' saving targets 14, management 29, building and equipment 20,"
            " water saving 9, green consumption 7, bonus 10"
        ),
        "the measurable part alone cannot tell a pass; no starred item may be zero",
    ]
    assert verdict(of(7, 6, 5), 0, "zh") == [
        "可测指标得18分（满分21分）",
        "距85分尚需67分，须从其余89分中取得",
        "不可测部分：近两年节能目标完成情况14分、管理29分、建筑及设备20分、节水9分、绿色消费7分、加分项10分",
        "仅凭可测部分不能判定是否达标；★项不得为零分",
    ]
