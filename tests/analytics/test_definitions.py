"""Each indicator against its clause in energy_domain.md, sections 2 and 3.1."""

import numpy as np
import pytest

from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.domain.factors import factor_set
from kgce.domain.roles import Role, Use
from tests.analytics.province import Province
from tests.analytics.test_accounts import behind, monthly

SHANDONG = factor_set("sd-db37-2019")  # electricity 0.31, gas 1.2143 kgce: DB37/T 2671-2019 Table B.1
PETROL = 1.4714  # kgce/kg, same table


@pytest.fixture
def at() -> Province:
    """A school: main meter 1000 kWh a month, of it heating 100, data centre 80 (racks 50), own cars 20; gas, petrol."""
    province = Province()
    province.institution(
        "a", area_m2=1000, heated_area_m2=800, people=50, details={"special_area_m2": 200.0, "water_people": 40.0}
    )
    monthly(province, "main", 1000, counts=True)
    monthly(province, "heating", 100, behind("main", use=Use.HEATING))
    monthly(province, "room", 80, behind("main", use=Use.DATA_CENTRE))
    monthly(province, "racks", 50, behind("room", use=Use.IT))
    monthly(province, "cars", 20, behind("main", use=Use.EV_OWN))
    monthly(province, "gas", 30, carrier="natural_gas", counts=True)
    monthly(province, "petrol", 5, carrier="gasoline", counts=True)
    monthly(province, "water", 120, carrier="water", counts=True)
    return province


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (Indicator.ENERGY_PER_AREA, 12 * (1000 * 0.31 + 30 * 1.2143) / 1000),
        (Indicator.ENERGY_PER_CAPITA, 12 * (1000 * 0.31 + 30 * 1.2143 + 5 * PETROL) / 50),
        (Indicator.WATER_PER_CAPITA, 12 * 120 / 40),
        (Indicator.NON_HEATING_PER_AREA, 12 * ((1000 - 100 - 80 - 20) * 0.31 + 30 * 1.2143) / (1000 - 200)),
        (Indicator.HEATING_PER_HEATED_AREA, 12 * 100 * 0.31 / 800),
        (Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA, 12 * (1000 - 80 - 20) / 800),
        (Indicator.EUE, 80 / 50),
    ],
)
def test_each_indicator_counts_what_its_clause_says(at: Province, indicator: Indicator, expected: float) -> None:
    row = at.rank(indicator, factor_set=SHANDONG)[0]
    assert row.value == pytest.approx(expected, rel=1e-12)
    assert row.unit == DEFINITIONS[indicator].unit
    assert (row.factor_set is None) == (not DEFINITIONS[indicator].weighed)
    assert row.coverage_ratio == pytest.approx(1)


def test_conventional_electricity_is_the_metered_items_where_all_three_are(at: Province) -> None:
    """S-2671 section 6.5: (lighting and sockets + air conditioning + power) / M."""
    for name, item, amount in (("light", "A", 300), ("air", "B", 250)):
        monthly(at, name, amount, behind("main", item=item))
    two = at.rank(Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA)[0].value
    assert two == pytest.approx(12 * 900 / 800), "two of three say nothing"
    monthly(at, "lifts", 150, behind("main", item="C2"))
    assert at.rank(Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA)[0].value == pytest.approx(12 * 700 / 800)


def test_a_heating_meter_that_says_nothing_leaves_the_rest_unknown(at: Province) -> None:
    """The total with the heating still in it is not the non-heating energy."""
    at.registry.save_points([])
    at.interval("a", "boiler", "electricity", at.registry.points("a")[0].step, {})
    point = next(point for point in at.registry.points("a") if point.id == "boiler")
    at.registry.save_roles({point.series.key: Role(use=Use.HEATING, counts=False)})
    assert at.rank(Indicator.NON_HEATING_PER_AREA, factor_set=SHANDONG)[0].value is not None, "another one is known"
    quiet = Province()
    quiet.institution("b", area_m2=10)
    monthly(quiet, "main", 10, counts=True, institution="b")
    monthly(quiet, "heating", 1, behind("main", use=Use.HEATING), institution="b", months=())
    row = quiet.rank(Indicator.NON_HEATING_PER_AREA, factor_set=SHANDONG)[0]
    assert (row.value, row.reason) == (None, "what is to be taken out is not known for 2019")


def test_a_unit_without_a_data_centre_has_no_eue_and_is_not_zero(at: Province) -> None:
    plain = Province()
    plain.institution("b", area_m2=10)
    monthly(plain, "main", 10, counts=True, institution="b")
    row = plain.rank(Indicator.EUE)[0]
    assert (row.value, row.reason) == (None, "no data centre readings in 2019")
    assert np.isfinite(at.rank(Indicator.EUE)[0].value)


def test_every_definition_names_its_clause_unit_and_version() -> None:
    assert set(DEFINITIONS) == set(Indicator)
    for definition in DEFINITIONS.values():
        assert definition.clause
        assert definition.version == "1"
