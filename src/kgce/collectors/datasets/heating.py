"""Heating-hot-water: hourly heat, gas, temperatures and flow of five hot-water plants in the United States.

Source: Raftery et al. 2024, doi:10.5061/dryad.t4b8gtj8n; a stamp is the beginning of its hour (each plant starts at
local midnight), kW are means over the hour, so one hour of them is as many kWh. What is odd is told by
heating_traps.py.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from kgce.collectors.datasets.dataset import Dataset, require_files
from kgce.collectors.datasets.heating_traps import Hours, Plant, find_traps, sentinels
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Progress, read_table
from kgce.collectors.files.times import TimeReader, zone
from kgce.collectors.files.weather import weather_series
from kgce.domain.batch import Batch, FloatArray, Int64Array, Quality
from kgce.domain.carriers import CARRIERS
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes
from kgce.domain.units import conversion

NAME: Final = "heating-hot-water"
FILES: Final = ("buildings.csv", "hourly/heating_hot_water_hourly.csv.gz")
REGION: Final = Region("US", "United States")
PEER_CLASS: Final = "heating_plant"  # nothing but heating is metered: no peers of a whole office or museum
OUTDOOR: Final = "outdoor_temp_c"
METERS: Final = {"heat_kw": "heat", "gas_kw": "gas_energy"}  # column: carrier


class Gauge(NamedTuple):
    """Where a column's hourly mean belongs, and the factor into its quantity's unit."""

    device: str
    quantity: str
    scale: float = 1.0


GAUGES: Final = {
    "supply_temp_c": Gauge("hot_water", "supply_temperature"),
    "return_temp_c": Gauge("hot_water", "return_temperature"),
    "flow_l_s": Gauge("hot_water", "water_flow", conversion("l/s", "m3/h")[0]),
    "firing_pct": Gauge("boiler", "firing_rate"),
    "primary_supply_temp_c": Gauge("boiler", "supply_temperature"),
    "primary_return_temp_c": Gauge("boiler", "return_temperature"),
}
NOT_LOADED: Final = ("enabled", "operating")  # shares of an hour, no state
VALUES: Final = (*METERS, *GAUGES, OUTDOOR)
_BUILDING_COLUMNS: Final = Columns(
    ("building_id", "primary_use", "area_m2", "timezone", "heating_system"), others_allowed=True
)
_COLUMNS: Final = Columns(("building_id", "timestamp_utc", *VALUES, *NOT_LOADED))


@dataclass(slots=True)
class _Cells:
    """Times and values by plant and column, as they come; a blank cell is missing."""

    time_ms: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    value: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    blanks: dict[tuple[str, str], int] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, key: tuple[str, str], time_ms: int, value: float) -> None:
        self.time_ms.setdefault(key, []).append(time_ms)
        self.value.setdefault(key, []).append(value)

    def hours(self) -> Hours:
        """(time_ms, value) of every column with a value, in time order."""
        found: Hours = {}
        for key, stamps in self.time_ms.items():
            time_ms, value = np.array(stamps, np.int64), np.array(self.value[key], np.float64)
            order = np.argsort(time_ms, kind="stable")
            found[key] = (time_ms[order], value[order])
        return found


def load(folder: Path, progress: Progress) -> Dataset:
    """One institution per plant with its heat, gas, gauges, weather and traps."""
    buildings_csv, hours_csv = require_files(NAME, folder, FILES)
    known = dict(_plants(buildings_csv))
    cells = _Cells()
    _read(hours_csv, cells, known, progress)
    hours = cells.hours()
    plants = {one: known[one] for one in dict.fromkeys(plant for plant, _ in hours)}
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[
            Institution(one.id, f"Heating plant {one.id.removeprefix('hhw-')}, {one.use}", REGION.code, one.timezone)
            for one in plants.values()
        ],
        attributes=[
            YearlyAttributes(one.id, year, PEER_CLASS, area_m2=one.area_m2)
            for one in plants.values()
            for year in _years(hours, one)
        ],
        buildings=[Building(one, one, f"Heating plant {one.removeprefix('hhw-')}") for one in plants],
        points=[
            Point(
                _series(plant, column), METERS[column], Kind.INTERVAL, Step.HOUR, counts=_counts(hours, plant, column)
            )
            for plant, column in hours
            if column in METERS
        ],
        batch=Batch.concat([_batch(key, *columns) for key, columns in hours.items()]),
        findings=find_traps(plants, hours, cells.blanks, NOT_LOADED),
        refusals=cells.refusals,
    )


def _plants(path: Path) -> Iterator[tuple[str, Plant]]:
    for line in read_table(path, _BUILDING_COLUMNS):
        if not line.fault:
            plant, use, area_text, timezone, system = line.cells
            area = number(area_text)
            area_m2 = area if isinstance(area, float) and area > 0 else None
            yield plant, Plant(plant, use.removeprefix("Other/"), area_m2, timezone, system)


def _read(path: Path, cells: _Cells, plants: Mapping[str, Plant], progress: Progress) -> None:
    times = TimeReader(None, now_s=time.time())
    seen: set[tuple[str, int]] = set()
    for line in read_table(path, _COLUMNS, progress):
        plant, time_text, *texts = line.cells
        instant = times.read(time_text)
        values = dict(zip(VALUES, texts, strict=False))
        reason = line.fault or ("" if plant in plants else f"unknown building {plant!r}") or _fault(values)
        if isinstance(instant, str):
            reason = reason or instant
        elif (plant, instant.ms) in seen:
            reason = reason or f"the hour {time_text} of {plant} is there twice: the first counts"
        if reason or isinstance(instant, str):
            cells.refusals.append(refuse(path, line.number, reason, _COLUMNS.all, line.cells))
            continue
        seen.add((plant, instant.ms))
        for column, text in values.items():
            if text:
                cells.add((plant, column), instant.ms, float(text))
            else:
                cells.blanks[plant, column] = cells.blanks.get((plant, column), 0) + 1


def _fault(values: Mapping[str, str]) -> str:
    """Why one of the cells is no number; empty when all are numbers or blank."""
    for column, text in values.items():
        value = number(text) if text else 0.0
        if isinstance(value, str):
            return f"{column}: {value}"
    return ""


def _counts(hours: Hours, plant: str, column: str) -> bool:
    """The heat of a plant whose gas is metered is made of that gas: only the gas counts."""
    return METERS[column] != "heat" or (plant, "gas_kw") not in hours


def _years(hours: Hours, plant: Plant) -> Sequence[int]:
    """Calendar years, in the plant's own zone, that hold readings."""
    stamps = [time_ms for (one, _), (time_ms, _) in hours.items() if one == plant.id]
    ends = [min(int(one[0]) for one in stamps), max(int(one[-1]) for one in stamps)]
    first, last = (datetime.fromtimestamp(end / 1000, UTC).astimezone(zone(plant.timezone)).year for end in ends)
    return range(first, last + 1)


def _series(plant: str, column: str) -> Series:
    """Where a column's values belong; the weather belongs to a station named like the plant."""
    if column == OUTDOOR:
        return weather_series(plant, "outdoor_temperature")
    if column in METERS:
        carrier = CARRIERS[METERS[column]]
        return Series(plant, carrier.code, carrier.field(Kind.INTERVAL), carrier.measurement, plant, REGION.code)
    gauge = GAUGES[column]
    return Series(plant, gauge.device, gauge.quantity, CARRIERS["heat"].measurement, plant, REGION.code)


def _batch(key: tuple[str, str], time_ms: Int64Array, value: FloatArray) -> Batch:
    plant, column = key
    scale = GAUGES[column].scale if column in GAUGES else 1.0
    quality = np.where(sentinels(column, value), Quality.BAD, Quality.GOOD)
    return Batch.of((_series(plant, column),), np.zeros(len(value)), time_ms, value * scale, quality)
