"""A small county with planted figures, in a real DuckDB store and a real SQLite registry.

school-1 uses exactly 1000 kWh, school-2 2000 kWh and 50 m3 of water each day of 2023 and until NOW; both have 10 000 m2 and 1000 people.
office-1 uses 1000 kWh a day too but states no area; hall-1 has no readings at all.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, YearlyAttributes
from kgce.store.open import open_registry, open_store

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2022, 12, 31, tzinfo=SHANGHAI)
NOW = datetime(2024, 6, 15, 12, 1, tzinfo=SHANGHAI)  # figures of the day then end at 12:00
HOUR_MS = 3_600_000
PER_DAY_KWH = {"school-1": 1000.0, "school-2": 2000.0, "office-1": 1000.0}


@dataclass(frozen=True)
class Seeded:
    store: ReadingStore
    registry: Registry


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def series(institution: str, quantity: str = "active_energy_import", device: str = "main") -> Series:
    return Series(institution, device, quantity, "electricity", f"{institution}-b", "370102")


@contextmanager
def county(folder: Path) -> Iterator[Seeded]:
    with closing(open_store(folder)) as store, closing(open_registry(folder)) as registry:
        _register(registry)
        for one in (*(_hourly(name, rate) for name, rate in PER_DAY_KWH.items()), _water()):
            store.append(one)
        yield Seeded(store, registry)


def power(institution: str, power_kw: float, moment: datetime, quality: int = 0) -> Batch:
    return Batch.from_rows([(series(institution, "active_power_total"), ms(moment), power_kw, quality)])


def _register(registry: Registry) -> None:
    names = {"school-1": "第一中学", "school-2": "Second School", "office-1": "County Office", "hall-1": "Empty Hall"}
    registry.save_regions([Region("370102", "历下区")])
    registry.save_institutions([Institution(key, name, "370102") for key, name in names.items()])
    registry.save_buildings([Building(f"{key}-b", key, f"{name} main building") for key, name in names.items()])
    registry.save_attributes(
        YearlyAttributes(key, year, key.split("-")[0], people=1000.0, area_m2=None if key == "office-1" else 10_000.0)
        for key in names
        for year in (2015, 2022, 2023, 2024)
    )
    registry.save_points(Point(series(key), "electricity", Kind.COUNTER) for key in PER_DAY_KWH)
    registry.save_points([Point(_water().series[0], "water", Kind.COUNTER)])
    registry.save_findings(
        "import", [Finding("zeros.as_missing", "school-1", "3 zeros taken for missing", {"rows": 3})]
    )


def _hourly(institution: str, per_day: float) -> Batch:
    hours = (NOW - START) // timedelta(hours=1) + 1
    return _counter(series(institution), np.arange(hours) * per_day / 24)


def _water() -> Batch:
    hours = (NOW - START) // timedelta(hours=1) + 1
    place = Series("school-2", "water", "water_volume", "water", "school-2-b", "370102")
    return _counter(place, np.arange(hours) * 50.0 / 24)


def _counter(place: Series, value: np.ndarray) -> Batch:
    return Batch.of([place], np.zeros(len(value)), ms(START) + np.arange(len(value)) * HOUR_MS, value)
