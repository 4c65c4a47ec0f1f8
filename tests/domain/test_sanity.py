"""Slips of units in factors are told by their size."""

import pytest

from kgce.domain.errors import InputError
from kgce.domain.factors import factor_sets, parse_factor_sets, require_same_set
from kgce.domain.sanity import insane_factors

HEAD = """
[[set]]
id = "x"
name_en = "X"
name_zh = "X"
valid_from = 2020-01-01
basis = "{basis}"
source = "test"
[set.factors]
{carrier} = {{ value = {value}, unit = "{unit}", confidence = "test", source = "test" }}
"""


def judged(carrier: str, value: float, unit: str, basis: str = "equivalent") -> list:
    [one] = parse_factor_sets(HEAD.format(carrier=carrier, value=value, unit=unit, basis=basis)).values()
    return insane_factors(one)


def test_every_shipped_factor_lies_in_its_band() -> None:
    assert [finding for one in factor_sets().values() for finding in insane_factors(one)] == []


@pytest.mark.parametrize(
    ("carrier", "value", "unit", "slip"),
    [
        ("heat", 34.12, "MJ", "1000 times too large: kgce/GJ for kgce/MJ"),
        ("heat", 0.00003412, "MJ", "1000 times too small: tce for kgce"),
        ("natural_gas", 12143.0, "m3", "10 000 times too large"),
        ("raw_coal", 714.3, "kg", "1000 times too large"),
        ("electricity", 0.0001229, "kWh", "1000 times too small"),
        ("heat", 0.12283, "MJ", "3.6 times too large: a factor of kWh for MJ"),
    ],
)
def test_the_slip_that_explains_a_factor_is_named(carrier: str, value: float, unit: str, slip: str) -> None:
    """energy_domain.md section 1.2: heat stored as 34.12 kgce/GJ where 0.03412 tce/GJ is meant is a frequent error."""
    [finding] = judged(carrier, value, unit)
    assert finding.id == "factor.outside_band"
    assert slip in finding.message
    assert finding.evidence["value"] == pytest.approx(value)


def test_the_right_figure_in_another_unit_is_no_slip() -> None:
    """34.12 kgce/GJ are 0.03412 kgce/MJ (coefficients.csv)."""
    assert judged("heat", 34.12, "GJ") == []


@pytest.mark.parametrize(("value", "basis", "told"), [(0.1229, "electricity equal-value", True), (0.31, "equivalent", True),
                                                      (0.31, "electricity equal-value", False), (0.2, "equal-value", False),
                                                      (0.501, "equal-value", True)])  # fmt: skip
def test_electricity_is_judged_by_the_basis_of_its_set(value: float, basis: str, told: bool) -> None:
    """The auditors: 0.2 to 0.5 under DB37, reject 0.1229."""
    assert bool(judged("electricity", value, "kWh", basis)) is told


def test_figures_of_different_sets_are_refused_by_name() -> None:
    require_same_set("cn-national", "cn-national", "2018 and 2019")
    with pytest.raises(InputError, match="2018 and 2019: the figures were made with cn-national and sd-db37-2019"):
        require_same_set("cn-national", "sd-db37-2019", "2018 and 2019")
    with pytest.raises(InputError, match="no factors and cn-national"):
        require_same_set(None, "cn-national", "water and energy")
