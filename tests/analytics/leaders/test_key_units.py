"""Key units by the thresholds of order 32, which are marked as not verified."""

import numpy as np
import pytest

from kgce.analytics.leaders.key_units import Criterion, KeyUnits, key_units

SMALL = {"energy_kgce": 1.0, "electricity_kwh": 1.0, "area_m2": 1.0}


def of(**changed: float) -> KeyUnits:
    return key_units(**{name: np.array([at]) for name, at in (SMALL | changed).items()})


@pytest.mark.parametrize(
    ("column", "limit", "criterion"),
    [
        ("energy_kgce", 500_000.0, Criterion.ENERGY),
        ("electricity_kwh", 2_000_000.0, Criterion.ELECTRICITY),
        ("area_m2", 10_000.0, Criterion.AREA),
    ],
)
def test_on_the_threshold_a_criterion_applies_and_just_below_it_does_not(
    column: str, limit: float, criterion: Criterion
) -> None:
    """energy_domain.md section 0: 500 tce, 2 GWh, 10 000 m2, each from the value on."""
    assert of(**{column: limit}).met.tolist() == [criterion]
    assert of(**{column: float(np.nextafter(limit, 0))}).met.tolist() == [0]


def test_several_criteria_are_all_told_and_the_confidence_comes_with_them() -> None:
    found = of(energy_kgce=612_340.0, area_m2=23_000.0, electricity_kwh=np.nan)
    assert found.why(0) == [
        "612.3 tce a year, at least 500",
        "electricity of the year unknown",
        "23,000 m2 of floor area, at least 10,000",
        "thresholds of order 32, confidence M (unverified)",
    ]
    assert found.why(0, "zh") == [
        "年综合能耗612.3吨标准煤，不低于500吨",
        "年用电量未知",
        "建筑面积23,000平方米，不低于10,000平方米",
        "阈值依据第32号令，置信度M（未核实）",
    ]
    assert found.confidence == "M"


def test_what_is_unknown_makes_no_key_unit_and_no_small_one() -> None:
    found = of(energy_kgce=np.nan)
    assert (found.is_key.tolist(), found.is_undecided.tolist()) == ([False], [True])
    small = of()
    assert (small.is_key.tolist(), small.is_undecided.tolist()) == ([False], [False])
    assert small.why(0) == ["thresholds of order 32, confidence M (unverified)"]
    decided = of(energy_kgce=np.nan, area_m2=10_000.0)
    assert (decided.is_key.tolist(), decided.is_undecided.tolist()) == ([True], [False])


def test_the_list_begins_with_the_one_that_uses_most_and_ends_with_those_of_unknown_use() -> None:
    found = key_units(
        energy_kgce=np.array([np.nan, 6e5, 9e5, 1.0]), electricity_kwh=np.ones(4), area_m2=np.array([2e4, 1, 1, 1])
    )
    assert found.ordered().tolist() == [2, 1, 0]
