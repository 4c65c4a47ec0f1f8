"""Every figure can be added up again from its explanation, down to the meters."""

import math

import pytest

from kgce.analytics.explain import Explanation, explain
from kgce.analytics.indicators import Indicator
from kgce.domain.errors import UnknownInstitution
from kgce.domain.factors import factor_set
from kgce.domain.roles import Use
from tests.analytics.province import Province
from tests.analytics.test_accounts import behind, monthly
from tests.analytics.test_definitions import SHANDONG, at

__all__ = ["at"]  # the fixture: a school with heating, a data centre, cars, gas, petrol and water


def explained(at: Province, indicator: Indicator, **options) -> Explanation:
    chosen = {"institution": "a", "year": 2019, "factor_set": SHANDONG} | options
    return explain(at.store, at.registry, indicator=indicator, **chosen)


def added_up(found: Explanation) -> float:
    """The figure from its meters alone."""
    terms = (
        sum(meter.amount for meter in term.meters if meter.amount is not None) * term.factor for term in found.terms
    )
    return math.fsum(terms) / found.divisor


@pytest.mark.parametrize("indicator", [one for one in Indicator if one is not Indicator.EUE])
def test_the_parts_add_up_to_the_figure_that_is_ranked(at: Province, indicator: Indicator) -> None:
    monthly(at, "shop", 33, behind("main", use=Use.TENANT))
    found = explained(at, indicator)
    assert found.value == pytest.approx(added_up(found), rel=1e-12)
    assert found.value == at.rank(indicator, factor_set=SHANDONG)[0].value
    for term in found.terms:
        for meter in term.meters:
            assert meter.amount == pytest.approx(math.fsum(month for month in meter.months if month is not None))


def test_what_was_taken_out_is_named_beside_the_meter(at: Province) -> None:
    monthly(at, "shop", 33, behind("main", use=Use.TENANT))
    (term,) = [term for term in explained(at, Indicator.ENERGY_PER_AREA).terms if term.account == "electricity.total"]
    (meter,) = term.meters
    assert meter.taken_out == ("shop.active_energy_import_interval",)
    assert meter.amount == pytest.approx(12 * (1000 - 33))
    assert "0.31 kgce/kWh: DB37/T 2671-2019 Table B.1 (verified)" in term.factor_source


def test_items_are_explained_where_they_are_what_counts(at: Province) -> None:
    for name, item in (("light", "A"), ("air", "B"), ("lifts", "C")):
        monthly(at, name, 100, behind("main", item=item))
    found = explained(at, Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA)
    assert [term.account for term in found.terms] == ["electricity.A", "electricity.B", "electricity.C"]
    assert found.value == pytest.approx(added_up(found))


def test_a_figure_that_does_not_exist_is_explained_too(at: Province) -> None:
    at.institution("empty", area_m2=5)
    found = explained(at, Indicator.ENERGY_PER_AREA, institution="empty")
    assert (found.value, found.reason, found.terms) == (None, "no energy readings in 2019", ())
    unstated = explained(at, Indicator.ENERGY_PER_AREA, year=2018)
    assert unstated.reason == "no attributes for 2018: kgce import registry"
    with pytest.raises(UnknownInstitution):
        explained(at, Indicator.ENERGY_PER_AREA, institution="nobody")


def test_years_before_an_edition_and_sets_are_told(at: Province) -> None:
    assert explained(at, Indicator.ENERGY_PER_AREA).retrospective
    national = explained(at, Indicator.ENERGY_PER_AREA, factor_set=factor_set("cn-national"))
    assert (national.retrospective, national.factor_set) == (False, "cn-national")
    water = explained(at, Indicator.WATER_PER_CAPITA)
    assert (water.factor_set, water.retrospective) == (None, False)


def test_the_explanation_is_plain_json(at: Province) -> None:
    document = explained(at, Indicator.ENERGY_PER_AREA).document()
    assert document["terms"][0]["meters"][0]["months"] == pytest.approx([1000] * 12)
    assert document["divisor_is"] == "floor area"
