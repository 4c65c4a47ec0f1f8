"""A simulated county: who its institutions are, and the history their live meters continue.

sites/county.toml (live) + sites/county_archive.toml (history only) --> county() --> registry_rows(), history()
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import Batch, FloatArray, Int64Array
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, YearlyAttributes
from kgce.simulators.building import SimulatedBuilding
from kgce.simulators.devices.pulse_meter import GAS, WATER, shown_volume_m3
from kgce.simulators.devices.sdm630 import shown_energy_kwh
from kgce.simulators.models import Model
from kgce.simulators.site_config import load_site
from kgce.simulators.timeline import DAY_MS, EPOCH_MS, FIRST_YEAR, LAST_YEAR, day_index, midnight_ms

LIVE_SITE: Final = "county"
ARCHIVE_SITE: Final = "county_archive"
# 370199 is not assigned in GB/T 2260, so the county cannot be mistaken for a real one.
REGIONS: Final = (Region("37", "山东省"), Region("3701", "济南市"), Region("370199", "示范县"))
LEVEL: Final = "county"
CLIMATE_ZONE: Final = "cold"  # Jinan's zone in GB 50176


@dataclass(frozen=True, slots=True)
class RegistryRows:
    """What a registry must know about the county."""

    regions: list[Region]
    institutions: list[Institution]
    attributes: list[YearlyAttributes]
    buildings: list[Building]


def county(seed: int | None = None) -> list[SimulatedBuilding]:
    """The county's institutions, one building each, the live ones first; the site's own seed unless one is given."""
    live, archive = load_site(LIVE_SITE), load_site(ARCHIVE_SITE)
    chosen = live.site.seed if seed is None else seed
    return [SimulatedBuilding(config, seed=chosen) for config in (*live.buildings, *archive.buildings)]


def registry_rows(buildings: Iterable[SimulatedBuilding], *, last_year: int) -> RegistryRows:
    """Institutions with their attributes of 2015 to last_year (included)."""
    rows = RegistryRows(list(REGIONS), [], [], [])
    for simulated in buildings:
        config = simulated.config
        rows.institutions.append(Institution(config.institution, config.name, config.region))
        rows.buildings.append(Building(config.building, config.institution, f"{config.name}主楼"))
        rows.attributes.extend(
            YearlyAttributes(
                config.institution,
                year,
                peer_class=config.use.value,
                level=LEVEL,
                climate_zone=CLIMATE_ZONE,
                people=simulated.people(year),
                area_m2=config.area_m2,
                heated_area_m2=config.heated_area_m2 or None,
            )
            for year in range(FIRST_YEAR, last_year + 1)
        )
    return rows


def history(simulated: SimulatedBuilding, *, start_ms: int, end_ms: int) -> tuple[list[Point], Batch]:
    """Counters at every local midnight with start_ms <= time < end_ms, as the meters show them.

    The meters' own resolution (a 32-bit float, whole pulses) is kept, so a live reading never falls below its history.

    Raises:
        ValueError: the range begins before 2015 or ends after 2049, local time.
    """
    if start_ms < EPOCH_MS or end_ms > int(midnight_ms(np.array(day_index(LAST_YEAR + 1, 1, 1)))):
        raise ValueError(f"the simulated county lives from {FIRST_YEAR} to {LAST_YEAR}; ask for a range inside")
    first, end = -(-(start_ms - EPOCH_MS) // DAY_MS), -(-(end_ms - EPOCH_MS) // DAY_MS)
    return counters_at(simulated, midnight_ms(np.arange(first, max(first, end), dtype=np.int64)))


def counters_at(simulated: SimulatedBuilding, time_ms: Int64Array) -> tuple[list[Point], Batch]:
    """What the building's meters show at the given times, (n,) ascending UTC milliseconds."""
    points, columns = [], []
    for point, value in _counters(simulated, time_ms):
        points.append(point)
        columns.append(value)
    index = np.repeat(np.arange(len(points)), len(time_ms))
    values = np.concatenate(columns) if columns else np.zeros(0)
    return points, Batch.of([point.series for point in points], index, np.tile(time_ms, len(points)), values)


def _counters(simulated: SimulatedBuilding, time_ms: Int64Array) -> list[tuple[Point, FloatArray]]:
    config = simulated.config
    found = []
    for device in config.of_model(Model.SDM630):
        point = _point(simulated, device.id, "electricity", "active_energy_import", "electricity")
        found.append((point, shown_energy_kwh(simulated.electricity.total(time_ms))))
    pulses = (
        (Model.WATER_METER, WATER, simulated.water),
        (Model.GAS_METER, GAS, simulated.gas),
    )
    for model, kind, counting in pulses:
        for device in config.of_model(model):
            point = _point(simulated, device.id, kind.measurement, kind.volume, kind.carrier)
            found.append((point, shown_volume_m3(kind, counting.total(time_ms))))
    return found


def _point(simulated: SimulatedBuilding, device: str, measurement: str, quantity: str, carrier: str) -> Point:
    config = simulated.config
    series = Series(config.institution, device, quantity, measurement, config.building, config.region)
    return Point(series, carrier, Kind.COUNTER)
