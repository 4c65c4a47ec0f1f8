"""What a unit is told: plain sentences with their numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from kgce.analytics.indicators import Indicator
from kgce.analytics.leaders.gates import Gate
from kgce.analytics.leaders.places import places
from kgce.analytics.leaders.reasons import Facts, facts_of, reasons
from tests.analytics.leaders.evidence import one_group

FACTS = Facts(
    indicator=Indicator.ENERGY_PER_AREA, months=11, least_months=12, coverage=0.82, least_coverage=0.9, value=12.5,
    low=2.0, high=11.0, quota=9.6, target=10.0, group_size=3, least_size=5, rank=2, percentile=50.0, ratio=0.85,
    average=14.7, points=7.0,
)  # fmt: skip

ENGLISH = {
    Gate.MONTHS_MISSING: "11 months have data, fewer than 12",
    Gate.COVERAGE: "coverage 0.82 is below 0.90",
    Gate.NO_DIVISOR: "no floor area stated",
    Gate.NO_FIGURE: "no energy figure for the year",
    Gate.NO_FACTOR: "the factor set has no factor for something it uses",
    Gate.OUTLIER_HIGH: "12.50 kgce/m2 is implausibly high: above 11.00 kgce/m2, the limit of its group",
    Gate.OUTLIER_LOW: "12.50 kgce/m2 is implausibly low: below 2.00 kgce/m2, the limit of its group",
    Gate.ABOVE_QUOTA: "12.50 kgce/m2 is above its quota value 9.60 kgce/m2",
    Gate.TARGET_MISSED: "12.50 kgce/m2 is above the target 10.00 kgce/m2",
    Gate.GROUP_TOO_SMALL: "3 comparable units in its group, fewer than 5",
    Gate.NO_ATTRIBUTES: "no attributes stated for the year",
}


@pytest.mark.parametrize("bit", list(Gate), ids=lambda bit: bit.name)
def test_every_bit_has_one_sentence_in_each_language_with_the_same_numbers(bit: Gate) -> None:
    (english,), (chinese,) = (reasons(bit, FACTS, language) for language in ("en", "zh"))
    assert english == ENGLISH[bit]
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert sorted(re.findall(r"\d+\.?\d*", chinese)) == sorted(re.findall(r"\d+\.?\d*", english))


def test_several_bits_are_several_sentences() -> None:
    assert reasons(Gate.COVERAGE | Gate.ABOVE_QUOTA, FACTS, "zh") == [
        "数据覆盖率0.82，低于0.90",
        "12.50 kgce/m2，高于定额值9.60 kgce/m2",
    ]


def test_a_number_just_beyond_its_limit_does_not_look_like_the_limit() -> None:
    """Rounded to two places the sentence would say that 0.90 is below 0.90."""
    assert reasons(Gate.COVERAGE, replace(FACTS, coverage=0.89996)) == ["coverage 0.89996 is below 0.90000"]
    near = replace(FACTS, value=9.6004)
    assert reasons(Gate.ABOVE_QUOTA, near) == ["9.6004 kgce/m2 is above its quota value 9.6000 kgce/m2"]


def test_who_is_in_is_told_its_rank_its_ratio_and_its_points() -> None:
    gated = one_group([1.0, 2, 3, 4, 5], quota=[1.5] * 5)
    placed = places(gated.line, gated.value, gated.group)
    assert reasons(int(gated.bits[0]), facts_of(gated, placed, 0, Indicator.WATER_PER_CAPITA)) == [
        "rank 1 of 5 in its group",
        "100 % of the others in its group use more",
        "1.00 m3/p is 0.33 of the group's average 3.00 m3/p",
        "7 of 7 points for that ratio",
        "1.00 m3/p is within its quota value 1.50 m3/p",
    ]
    assert reasons(int(gated.bits[0]), facts_of(gated, placed, 0, Indicator.ENERGY_PER_CAPITA), "zh")[0] == (
        "同组5家中排名第1"
    )


def test_who_is_out_is_told_what_was_found_of_itself() -> None:
    gated = one_group([1.0, 2, 3, 4, 5, 6], coverage=[1, 1, 1, 1, 1, 0.5], months=[12, 12, 12, 12, 12, 7])
    placed = places(gated.line, gated.value, gated.group)
    assert reasons(int(gated.bits[5]), facts_of(gated, placed, 5, Indicator.ENERGY_PER_AREA)) == [
        "7 months have data, fewer than 12",
        "coverage 0.50 is below 0.90",
    ]
    assert np.isfinite(placed.ratio[5])
