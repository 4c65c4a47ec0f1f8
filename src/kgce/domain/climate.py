"""Climate zones of Shandong's cities, with degree days and heating season."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

CITY_DIGITS: Final = 4  # of a GB/T 2260 code
MERGED: Final = {"3712": "3701"}  # Laiwu went into Jinan in 2019
WARMEST_A: Final = 90.0  # CDD26; DB37/5026-2022 Table 3.0.1


@dataclass(frozen=True, slots=True)
class CityClimate:
    """What quotas and models need to know of a city; season: first and last day of heating, month-day."""

    code: str
    name_en: str
    name_zh: str
    zone: str
    hdd18: float
    cdd26: float
    heating_days: int
    season: tuple[str, str]


@cache
def cities() -> Mapping[str, CityClimate]:
    """The cities by their code."""
    text = resources.files("kgce.domain").joinpath("data/climate_zones.toml").read_text(encoding="utf-8")
    found = {
        code: CityClimate(code, **{**fields, "season": tuple(fields["season"])})
        for code, fields in tomllib.loads(text)["city"].items()
    }
    return MappingProxyType(found)


def climate_of(region: str) -> CityClimate | None:
    """Climate of the city a county or city lies in, by its GB/T 2260 code; None outside Shandong."""
    code = region[:CITY_DIGITS]
    return cities().get(MERGED.get(code, code))
