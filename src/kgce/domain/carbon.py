"""CO2: what a kWh, a m3, a kg of a carrier emits, by year where it changes.

fuel: heating value x carbon x oxidation x 44/12; electricity: the grid's factor of the year; heat: a default.
Source: energy_domain.md section 6, carried in data/emission_factors.toml with the confidence of each number.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from kgce.domain.batch import FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError

DEFAULT_GRID: Final = "shandong"
CO2_PER_C: Final = 44 / 12
_GJ_PER_KWH: Final = 0.0036
_GJ_PER_KG_STEAM: Final = 3.763e-3  # low-pressure steam of 3763 MJ/t, DB37/T 2671-2019 Table B.1
_SAME_FUEL: Final = {"gasoline_other": "gasoline", "diesel_other": "diesel"}


class Scope(StrEnum):
    """Where the CO2 arises."""

    DIRECT = "direct"  # burnt on site
    PURCHASED = "purchased"  # at a power or heating plant


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """kg CO2 per unit of a carrier (kWh, m3, kg); year: whose factor it is, None where it does not change."""

    carrier: str
    value: float
    scope: Scope
    source: str
    confidence: str
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """An electricity grid with its factors by year."""

    id: str
    name_en: str
    name_zh: str
    factors: Mapping[int, EmissionFactor]

    def of(self, year: int) -> EmissionFactor | None:
        """The factor of the year, else of the last year before it that has one; None before the first."""
        known = [at for at in sorted(self.factors) if at <= year]
        return self.factors[known[-1]] if known else None


@cache
def _data() -> dict[str, Any]:
    text = resources.files("kgce.domain").joinpath("data/emission_factors.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def grids() -> Mapping[str, Grid]:
    """The grids kgce knows, by id."""
    found = {}
    for entry in _data()["grid"]:
        factors = {
            row["year"]: EmissionFactor(
                "electricity", row["value"], Scope.PURCHASED, f"{entry['name_en']} {row['year']}: {row['source']}",
                row["confidence"], row["year"],
            )
            for row in entry["years"]
        }  # fmt: skip
        found[entry["id"]] = Grid(entry["id"], entry["name_en"], entry["name_zh"], MappingProxyType(factors))
    return MappingProxyType(found)


def grid(grid_id: str) -> Grid:
    """One grid.

    Raises:
        ConfigError: no such grid.
    """
    found = grids().get(grid_id)
    if found is None:
        raise ConfigError(f"no grid {grid_id!r}: choose of {', '.join(grids())}")
    return found


def fuel_t_per_t(carrier: str) -> float:
    """t CO2 per t of a fuel, or per 10 000 m3 of natural gas."""
    row = _data()["fuel"][carrier]
    return float(row["ncv"] * row["carbon"] * row["oxidation"] * CO2_PER_C)


def emission_factor(carrier: str, year: int, grid_id: str = DEFAULT_GRID) -> EmissionFactor | None:
    """What one unit of a carrier emits in a year; None where nobody says.

    Raises:
        ConfigError: no such grid.
    """
    if carrier == "electricity":
        return grid(grid_id).of(year)
    if carrier in {"heat", "steam"}:
        heat = _data()["heat"]
        per_unit = _GJ_PER_KWH if carrier == "heat" else _GJ_PER_KG_STEAM
        return EmissionFactor(
            carrier, heat["value"] * 1000 * per_unit, Scope.PURCHASED, heat["source"], heat["confidence"]
        )
    if carrier == "gas_energy":
        gas = _data()["fuel"]["natural_gas"]
        value = gas["carbon"] * gas["oxidation"] * CO2_PER_C * 1000 * _GJ_PER_KWH
        return EmissionFactor(carrier, value, Scope.DIRECT, gas["source"], gas["confidence"])
    name = _SAME_FUEL.get(carrier, carrier)
    row = _data()["fuel"].get(name)
    if row is None:
        return None
    value = fuel_t_per_t(name) * (0.1 if name == "natural_gas" else 1.0)  # t per 10 000 m3 is 0.1 kg per m3
    return EmissionFactor(carrier, value, Scope.DIRECT, row["source"], row["confidence"])


def emission_weights(carriers: Iterable[str], year: int, grid_id: str = DEFAULT_GRID) -> FloatArray:
    """(k,) kg CO2 per unit of each carrier; 0 for water, NaN where nobody says: used, it makes the sum unknown."""
    found = []
    for carrier in carriers:
        factor = emission_factor(carrier, year, grid_id)
        found.append(0.0 if not CARRIERS[carrier].is_energy else np.nan if factor is None else factor.value)
    return np.array(found, np.float64)
