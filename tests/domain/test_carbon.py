"""CO2 factors beside the table they come from: energy_domain.md section 6."""

import numpy as np
import pytest

from kgce.domain.carbon import emission_factor, emission_weights, fuel_t_per_t, grid, grids
from kgce.domain.errors import ConfigError


@pytest.mark.parametrize(
    ("carrier", "t_per_t"),
    [
        ("raw_coal", 2.0715),  # bituminous
        ("fuel_oil", 3.0472),
        ("gasoline", 3.0425),
        ("diesel", 3.1451),
        ("lpg", 2.9538),
        ("natural_gas", 21.6219),  # per 10 000 m3
    ],
)
def test_fuels_emit_what_the_guides_table_says(carrier: str, t_per_t: float) -> None:
    assert fuel_t_per_t(carrier) == pytest.approx(t_per_t, abs=5e-4)


def test_natural_gas_is_2_1622_kg_per_m3_and_the_same_by_energy() -> None:
    """389.31 GJ per 10 000 m3 are 10.814 kWh per m3 (38.931 MJ / 3.6)."""
    by_volume, by_energy = (emission_factor(name, 2019) for name in ("natural_gas", "gas_energy"))
    assert by_volume is not None
    assert by_energy is not None
    assert by_volume.value == pytest.approx(2.1622, abs=5e-5)
    assert by_energy.value * 38.931 / 3.6 == pytest.approx(by_volume.value)


@pytest.mark.parametrize(
    ("where", "year", "value", "of"),
    [
        ("shandong", 2021, 0.6838, 2021),
        ("shandong", 2022, 0.6410, 2022),
        ("shandong", 2024, 0.6410, 2022),
        ("shandong", 2019, 0.742, 2018),
        ("national", 2022, 0.5703, 2022),
        ("north-china", 2015, 0.8843, 2012),
    ],
)
def test_electricity_has_the_factor_of_its_year_or_the_last_before(
    where: str, year: int, value: float, of: int
) -> None:
    factor = grid(where).of(year)
    assert factor is not None
    assert (factor.value, factor.year) == (value, of)


def test_before_the_first_year_nobody_knows() -> None:
    assert grid("national").of(2014) is None
    assert np.isnan(emission_weights(["electricity"], 2014, "national")).all()


def test_heat_is_a_default_that_is_called_unverified() -> None:
    """0.11 t CO2 per GJ: 0.396 kg per kWh; steam of 3763 MJ/t: 0.41393 kg per kg."""
    heat, steam = emission_factor("heat", 2019), emission_factor("steam", 2019)
    assert heat is not None
    assert steam is not None
    assert (heat.value, heat.confidence) == (pytest.approx(0.396), "unverified")
    assert steam.value == pytest.approx(0.41393)


def test_water_emits_nothing_here_and_what_nobody_says_is_unknown() -> None:
    weights = emission_weights(["water", "cooling", "diesel_other"], 2019)
    assert weights[0] == 0.0
    assert np.isnan(weights[1])
    assert weights[2] == pytest.approx(3.1451, abs=5e-4)


def test_an_unknown_grid_is_refused_with_those_there_are() -> None:
    assert set(grids()) == {"shandong", "national", "north-china"}
    with pytest.raises(ConfigError, match="no grid 'east': choose of shandong, national, north-china"):
        emission_factor("electricity", 2019, "east")
