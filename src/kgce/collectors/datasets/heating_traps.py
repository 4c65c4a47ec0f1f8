"""Traps of the hourly hot-water plants, found in the numbers themselves; feeds heating.py with findings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from kgce.collectors.datasets.dataset import hour_text
from kgce.domain.batch import BoolArray, FloatArray, Int64Array
from kgce.domain.findings import Finding

SENTINEL_C: Final = (0.0 - 32.0) * 5 / 9  # 0 degF: what the source's loggers write without a sensor
_ROUNDED_C: Final = 0.03  # published with one or two decimals
DISTRICT: Final = "District"

Hours = dict[tuple[str, str], tuple[Int64Array, FloatArray]]  # (plant, column): (time_ms, value)


class Plant(NamedTuple):
    """A hot-water plant as its publisher describes it."""

    id: str
    use: str
    area_m2: float | None
    timezone: str
    system: str  # Condensing, Non-condensing, Boiler, District HW


def find_traps(
    plants: Mapping[str, Plant], hours: Hours, blanks: Mapping[tuple[str, str], int], not_loaded: Sequence[str]
) -> list[Finding]:
    """Every trap; blanks counts the empty cells of a plant's column."""
    findings: list[Finding] = []
    for (plant, column), (time_ms, value) in hours.items():
        findings += _sentinels(plant, column, time_ms[sentinels(column, value)])
    for one in plants.values():
        findings += [*_blanks(one.id, hours, blanks), *_fuel(one, hours)]
    told = ", ".join(not_loaded)
    return [
        *findings,
        Finding(
            "column.not_loaded",
            "heating-hot-water",
            f"{told}: shares of an hour, not states of a device; not loaded",
            {"columns": list(not_loaded)},
        ),
    ]


def sentinels(column: str, value: FloatArray) -> BoolArray:
    """(n,) which values stand for a missing sensor: water cannot flow at 0 degF, the air outside can be that cold."""
    is_water = column.endswith("_temp_c") and column != "outdoor_temp_c"
    return (np.abs(value - SENTINEL_C) < _ROUNDED_C) & is_water


def _sentinels(plant: str, column: str, at_ms: Int64Array) -> Iterator[Finding]:
    if len(at_ms):
        first, last = hour_text(int(at_ms[0])), hour_text(int(at_ms[-1]))
        yield Finding(
            "temperature.sentinel",
            plant,
            f"{plant}: {column} is {SENTINEL_C:.1f} C (0 F) in {len(at_ms)} hours, the first at {first}: no sensor; "
            "stored as bad",
            {"column": column, "hours": len(at_ms), "first": first, "last": last},
        )


def _blanks(plant: str, hours: Hours, blanks: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """A column that is blank throughout is not metered; one with values has missing hours."""
    missing = {column: blanks[one, column] for one, column in hours if one == plant and blanks.get((one, column))}
    if missing:
        told = ", ".join(f"{column} {count}" for column, count in missing.items())
        yield Finding("blank.as_missing", plant, f"{plant}: blank hours are missing ({told})", {"hours": missing})


def _fuel(plant: Plant, hours: Hours) -> Iterator[Finding]:
    has_gas, has_heat = ((plant.id, column) in hours for column in ("gas_kw", "heat_kw"))
    if has_gas and has_heat:
        message = f"{plant.id}: heat is made of the gas that is metered too: only the gas counts"
        yield Finding("heat.inside_gas", plant.id, message, {"system": plant.system})
    elif has_heat and not plant.system.startswith(DISTRICT):
        message = f"{plant.id}: the fuel of its boilers is not metered: the heat they make counts, which is less"
        yield Finding("fuel.unmetered", plant.id, message, {"system": plant.system})
