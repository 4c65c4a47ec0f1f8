"""Who leads and why, against quotas made with the same factors, and targets from the unit's own baseline."""

import numpy as np
import pytest

from kgce.analytics.indicators import Indicator
from kgce.analytics.leaders.gates import Gate
from kgce.analytics.standing import Standing, stand
from kgce.analytics.sureness import demonstration_of, key_units_of, sureness
from kgce.domain.factors import factor_set
from kgce.domain.quotas import Grade
from kgce.domain.targets import book_of
from kgce.domain.tree import Institution, YearlyAttributes
from tests.analytics.province import Province
from tests.analytics.test_accounts import monthly

SHANDONG, NATIONAL = factor_set("sd-db37-2019"), factor_set("cn-national")
NON_HEATING = Indicator.NON_HEATING_PER_AREA


def school(at: Province, name: str, kwh_a_month: float, **attributes) -> None:
    """A primary school of 1 000 m2: quota 8.8 / 5.8 / 3.0 kgce/m2 (DB37/T 2671-2019 Table 1)."""
    at.institution(name, peer_class="primary", **{"area_m2": 1000.0, "people": 100} | attributes)
    monthly(at, "main", kwh_a_month, counts=True, institution=name)


def standing(at: Province, **options) -> Standing:
    chosen = {"year": 2019, "factor_set": SHANDONG, "indicators": (NON_HEATING, Indicator.ENERGY_PER_AREA)} | options
    return stand(at.store, at.registry, **chosen)


@pytest.fixture
def at() -> Province:
    """Six schools: kWh a month that give 2.976, 3.72, 5.952, 7.44, 8.928 and 9.3 kgce/m2 with 0.31 kgce/kWh."""
    province = Province()
    for name, kwh in zip("abcdef", (800, 1000, 1600, 2000, 2400, 2500), strict=True):
        school(province, name, kwh)
    return province


def test_figures_are_graded_against_the_quota_of_their_class(at: Province) -> None:
    found = standing(at)
    assert [found.grade(row, NON_HEATING) for row in range(6)] == [
        Grade.WITHIN_GUIDE, Grade.WITHIN_REFERENCE, Grade.WITHIN_CONSTRAINT, Grade.WITHIN_CONSTRAINT,
        Grade.ABOVE_CONSTRAINT, Grade.ABOVE_CONSTRAINT,
    ]  # fmt: skip
    above = found.assessments[NON_HEATING].gated.bits & Gate.ABOVE_QUOTA
    assert np.flatnonzero(above).tolist() == [4, 5]
    assert "8.93 kgce/m2 is above its quota value 8.80 kgce/m2" in found.why(4, NON_HEATING)
    assert "8.93 kgce/m2，高于定额值8.80 kgce/m2" in found.why(4, NON_HEATING, "zh")


def test_a_figure_of_another_factor_set_is_never_held_against_the_quota(at: Province) -> None:
    """energy_domain.md section 1.1: 0.1229 and 0.31 are 2.5 apart; every school would pass."""
    found = standing(at, factor_set=NATIONAL)
    assert [found.grade(row, NON_HEATING) for row in range(6)] == [Grade.NOT_GRADED] * 6
    assert "never compared" in found.why_no_quota(0, NON_HEATING)
    water = standing(at, factor_set=NATIONAL, indicators=(Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA,))
    assert water.grade(0, Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA) is Grade.WITHIN_REFERENCE, "kWh need no factors"


def test_the_zone_comes_from_the_city_unless_the_institution_states_one(at: Province) -> None:
    """DB37/T 2672-2019: city agencies in zone A 21.9, in zone B 22.3; Jinan is B."""
    at.registry.save_institutions([Institution("g", "G", "370102"), Institution("h", "H", "370102")])
    at.registry.save_attributes(
        [
            YearlyAttributes("g", 2019, "agency", "city", area_m2=100),
            YearlyAttributes("h", 2019, "agency", "city", "A", area_m2=100),
        ]
    )
    found = standing(at)
    constraints = [found.quota_of(found.row_of(name), NON_HEATING).constraint for name in "gh"]
    assert constraints == [22.3, 21.9]


def test_a_target_is_due_from_the_units_own_baseline(at: Province) -> None:
    """energy_domain.md section 0: -10 % per area from 2015 to 2020; in 2019 eight of these ten percent are due."""
    for name, then in (("a", 800 / 0.925), ("b", 1000 / 0.915)):
        at.registry.save_attributes([YearlyAttributes(name, 2015, "primary", area_m2=1000.0)])
        months = range(1, 13)
        from tests.analytics.province import Step, ms

        at.interval(name, "old", "electricity", Step.MONTH, {ms(2015, month, 1): then for month in months})
    found = standing(at, targets=book_of([]))
    missed = found.assessments[Indicator.ENERGY_PER_AREA].gated.bits & Gate.TARGET_MISSED
    assert np.flatnonzero(missed).tolist() == [found.row_of("a")], "7.5 % is less than 8 %, 8.5 % is more"
    assert found.notes[0] == (
        "target of everywhere: energy_per_area -10.0% from 2015 to 2020, straight; Shandong's plan for 2015-2020 "
        "(energy_domain.md section 0)"
    )


def test_the_best_unit_leads_with_its_reasons_and_an_incomplete_one_does_not(at: Province) -> None:
    school(at, "g", 700.0)
    at.interval("g", "main", "electricity", at.registry.points("g")[0].step, {})
    at.store.rows[at.registry.points("g")[0].series].popitem()
    found = standing(at, indicators=(Indicator.ENERGY_PER_AREA,))
    row = found.row_of("g")
    assert found.why(row, Indicator.ENERGY_PER_AREA) == ["11 months have data, fewer than 12"]
    assert found.why(0, Indicator.ENERGY_PER_AREA)[0] == "rank 1 of 6 in its group"
    assert found.assessments[Indicator.ENERGY_PER_AREA].placed.rank.tolist() == [1, 2, 3, 4, 5, 6, 0]


def test_who_has_neither_attributes_nor_figures_is_not_concerned(at: Province) -> None:
    at.registry.save_institutions([Institution("z", "Z")])
    found = standing(at)
    assert [found.is_concerned(row, NON_HEATING) for row in range(7)] == [True] * 6 + [False]


def test_a_year_before_the_factor_set_is_told(at: Province) -> None:
    assert standing(at).notes == ("factor set sd-db37-2019 is in force since 2020-01-24: retrospective",)


def test_a_leader_far_ahead_leads_in_every_draw_and_equals_share_the_place(at: Province) -> None:
    for name, kwh in (("g", 801), ("h", 300)):
        school(at, name, kwh)
    found = standing(at, indicators=(Indicator.ENERGY_PER_AREA,))
    sure = sureness(found, Indicator.ENERGY_PER_AREA, leaders=2)
    share = dict(zip("abcdefgh", sure.leads_share, strict=True))
    assert share["h"] == 1.0
    assert 0.3 < share["a"] < 0.7, "800 and 801 kWh cannot be told apart by a class 1 meter"
    assert share["f"] == 0.0
    assert sure.score[found.row_of("h")] == np.nanmax(sure.score)
    assert (sure.low <= sure.score).all()
    assert (sure.score <= sure.high).all()
    assert sure.leads_share.tolist() == sureness(found, Indicator.ENERGY_PER_AREA, leaders=2).leads_share.tolist()


def test_key_units_and_demonstration_points_come_from_the_same_year(at: Province) -> None:
    """Order 32 (unverified): 2 GWh a year; energy_domain.md section 4.1: up to 0.9 of the average earns 7 points."""
    school(at, "g", 2_000_000 / 12 + 1)
    found = standing(
        at, indicators=(Indicator.ENERGY_PER_AREA, Indicator.ENERGY_PER_CAPITA, Indicator.WATER_PER_CAPITA)
    )
    units = key_units_of(found)
    assert [found.institutions[row].id for row in units.ordered()] == ["g"]
    assert any("unverified" in sentence for sentence in units.why(found.row_of("g")))
    points = demonstration_of(found)
    assert points.measured[found.row_of("a")] == 14.0
    assert points.unknown.tolist() == [7.0] * 7, "nobody has water"
