"""Carriers keep one unit each; factor sets say what the sources say."""

import csv
from datetime import date
from pathlib import Path

import pytest

from kgce.domain.carriers import CARRIERS, carrier_of
from kgce.domain.errors import ConfigError, InputError, UnknownUnit
from kgce.domain.factors import factor_set, factor_sets, parse_factor_sets
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.units import conversion

# set id, carrier -> row of shared/facts/coefficients.csv that states the same number
STATED = {
    ("cn-national", "electricity"): "electricity_equivalent",
    ("cn-national", "natural_gas"): "natural_gas_statistics",
    ("cn-national", "raw_coal"): "raw_coal",
    ("cn-national", "gasoline"): "gasoline",
    ("cn-national", "diesel"): "diesel",
    ("cn-national", "lpg"): "lpg",
    ("cn-national", "fuel_oil"): "fuel_oil",
    ("cn-national", "heat"): "heat_mj",
    ("sd-db37-2019", "electricity"): "electricity_shandong_quota",
    ("sd-db37-2019", "natural_gas"): "natural_gas_shandong_quota",
    ("sd-db37-2019", "raw_coal"): "raw_coal",
    ("sd-db37-2019", "gasoline"): "gasoline",
    ("sd-db37-2019", "diesel"): "diesel",
    ("sd-db37-2019", "lpg"): "lpg",
    ("sd-db37-2019", "fuel_oil"): "fuel_oil",
    ("sd-db37-2019", "heat"): "heat_mj",
    ("sd-db37-2019", "steam"): "steam_low_pressure",
}


def test_shipped_factors_equal_their_source(shared_facts: Path) -> None:
    """Both official conventions, number by number and unit by unit."""
    with (shared_facts / "coefficients.csv").open(encoding="utf-8") as file:
        rows = {row["carrier"]: row for row in csv.DictReader(file)}
    for (set_id, carrier), name in STATED.items():
        factor = factor_set(set_id).factors[carrier]
        assert (factor.value, factor.unit) == (float(rows[name]["kgce_per_unit"]), rows[name]["unit"]), name


def test_factors_without_a_row_in_the_source_are_marked_derived() -> None:
    """Nothing derived is shipped as verified."""
    for set_id, found in factor_sets().items():
        for carrier, factor in found.factors.items():
            if (set_id, carrier) not in STATED and carrier not in {"gasoline_other", "diesel_other"}:
                assert factor.confidence == "derived", (set_id, carrier)


def test_the_published_hour_sample_is_reproduced() -> None:
    """DB37/T 5197-2021's own sample: 347.71 kWh is 42.7336 kgce (rounded there to four places)."""
    assert 347.71 * factor_set("cn-national").factors["electricity"].per_canonical == pytest.approx(42.7336, abs=5e-5)


def test_heat_is_weighed_per_kilowatt_hour() -> None:
    """34.12 kgce/GJ, so 0.122832 kgce/kWh; a factor 1000 too large is the field's classic slip."""
    assert factor_set("cn-national").factors["heat"].per_canonical == pytest.approx(34.12 / 1000 * 3.6, rel=1e-12)


def test_the_two_conventions_differ_by_a_factor_of_two_and_a_half_for_electricity() -> None:
    national, shandong = (factor_set(name).factors["electricity"].per_canonical for name in factor_sets())
    assert shandong / national == pytest.approx(0.31 / 0.1229)


def test_petrol_in_litres_gives_the_statistics_figure() -> None:
    """1.0747 kgce per litre (Chongqing 2015, derived in coefficients.csv)."""
    kg_per_l = carrier_of("petrol").to_canonical("L")
    assert kg_per_l * factor_set("cn-national").factors["gasoline"].per_canonical == pytest.approx(1.0747, rel=1e-12)


def test_water_in_tonnes_is_cubic_metres() -> None:
    assert carrier_of("water").to_canonical("t") == 1.0
    assert carrier_of("water").to_canonical("L") == pytest.approx(0.001)


def test_a_unit_of_another_dimension_is_refused_with_the_carriers_unit() -> None:
    with pytest.raises(UnknownUnit, match=r"carrier electricity is kept in kWh"):
        carrier_of("electricity").to_canonical("m3")


def test_an_unknown_carrier_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown carrier 'electric'; known: electricity, "):
        carrier_of("electric")


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=lambda carrier: carrier.code)
def test_every_carriers_field_is_a_known_quantity_in_its_unit(carrier) -> None:
    counter, interval = (quantity_of(carrier.field(kind)) for kind in (Kind.COUNTER, Kind.INTERVAL))
    assert (counter.kind, interval.kind) == (Kind.COUNTER, Kind.INTERVAL)
    assert conversion(counter.unit, carrier.unit) == (1.0, 0.0)


def test_vehicle_fuel_is_petrol_and_diesel_only() -> None:
    assert {code for code, carrier in CARRIERS.items() if carrier.is_vehicle_fuel} == {"gasoline", "diesel"}


def test_a_set_computed_for_years_before_it_was_in_force_is_retrospective() -> None:
    """DB37/T 2671-2019 has been in force since 2020-01-24."""
    shandong = factor_set("sd-db37-2019")
    assert shandong.valid_from == date(2020, 1, 24)
    assert shandong.is_retrospective(2019)
    assert not shandong.is_retrospective(2020)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param(
            'sun = { value = 1, unit = "kWh", source = "x", confidence = "x" }', "unknown carrier 'sun'", id="carrier"
        ),
        pytest.param(
            'heat = { value = -1, unit = "MJ", source = "x", confidence = "x" }', "must be positive", id="sign"
        ),
        pytest.param('heat = { value = 1, unit = "MJ", confidence = "x" }', "lacks 'source'", id="no source"),
    ],
)
def test_a_wrong_set_is_refused_with_its_name(line: str, complaint: str) -> None:
    head = 'id = "x"\nname_en = "x"\nname_zh = "x"\nbasis = "x"\nsource = "x"\nvalid_from = 2020-01-01\n'
    with pytest.raises(ConfigError, match=rf"'x'.*{complaint}|{complaint}.*'x'"):
        parse_factor_sets(f"[[set]]\n{head}[set.factors]\n{line}")


def test_an_unknown_set_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known: cn-national, sd-db37-2019"):
        factor_set("national")
