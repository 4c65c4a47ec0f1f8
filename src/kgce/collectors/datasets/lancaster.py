"""Lancaster: electricity, gas, heat and water of 26 university buildings in 2023, with floor areas.

Source: Lancaster University / Net0i (EPSRC EP/T025964/1). Six meters are published every 10 minutes, the others as
hourly sums of the 10-minute values that were there; blanks are missing. What a meter hands over after a silence is
spread over that silence (spread.py); what is odd is told by lancaster_traps.py.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from kgce.collectors.datasets.collected import Collected, batch_of
from kgce.collectors.datasets.dataset import Dataset, carrier_series, cells_of, require_files
from kgce.collectors.datasets.lancaster_traps import Logged, catch_ups_of, find_traps, has_foreign_start
from kgce.collectors.datasets.spread import respread
from kgce.collectors.files.numbers import number
from kgce.collectors.files.table import Columns, Progress
from kgce.collectors.files.times import TimeReader
from kgce.domain.batch import Batch, FloatArray, Int64Array, Quality
from kgce.domain.carriers import CARRIERS
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "lancaster"
YEAR: Final = 2023
REGION: Final = Region("GBLAN", "Lancaster")  # UN/LOCODE
TIMEZONE: Final = "Europe/London"
CARRIER_OF: Final = {"electricity": "electricity", "gas": "natural_gas", "heat": "heat", "water": "water"}
REGISTER: Final = "register"
LAST_READING_MS: Final = 3_000_000  # of an hour's register rows: they hold its sixth reading
_FILES: Final = (
    "buildings.csv",
    "hourly/lancaster_meters.csv",
    "raw_interval/lancaster_2023_10min_raw.csv.gz",
    "hourly/lancaster_2023_hourly.csv.gz",
)
_BUILDING_COLUMNS: Final = Columns(("building_id", "name", "primary_use", "area_m2"), others_allowed=True)
_METER_COLUMNS: Final = Columns(("meter_id", "building_id", "commodity", "unit", "series_kind"), others_allowed=True)
_RAW_COLUMNS: Final = Columns(("meter_id", "timestamp_utc", "value"))
_HOUR_COLUMNS: Final = Columns(("meter_id", "timestamp_utc", "value", "n"))
STEP_MS: Final = {Step.TEN_MINUTES: 600_000, Step.HOUR: 3_600_000}


def load(folder: Path, progress: Progress) -> Dataset:
    """The 26 buildings with their meters, areas and traps."""
    buildings_csv, meters_csv, raw_csv, hours_csv = require_files(NAME, folder, _FILES)
    meter_rows = list(cells_of(meters_csv, _METER_COLUMNS))
    known = {row[0] for row in meter_rows}
    raw, hours = Collected(), Collected()
    times = TimeReader(None, now_s=time.time())
    raw.read(raw_csv, _RAW_COLUMNS, times, known, progress, blank_is_missing=True)
    hours.read(hours_csv, _HOUR_COLUMNS, times, known, progress, blank_is_missing=True)
    meters = _meters(meter_rows, raw, hours)
    homes = {meter.institution for meter in meters}
    buildings = [row for row in cells_of(buildings_csv, _BUILDING_COLUMNS) if row[0] in homes]
    points = {meter.id: _point(meter) for meter in meters if meter.is_amount or meter.series_kind == REGISTER}
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[Institution(one, name, REGION.code, TIMEZONE) for one, name, *_ in buildings],
        attributes=[YearlyAttributes(one, YEAR, use, area_m2=_area(area)) for one, _, use, area in buildings],
        buildings=[Building(one, one, name) for one, name, *_ in buildings],
        points=list(points.values()),
        batch=Batch.concat(
            [_batch(meter, points[meter.id].series) for meter in meters if meter.id in points and len(meter.value)]
        ),
        findings=find_traps(meters),
        refusals=raw.refusals + hours.refusals,
    )


def _meters(rows: Sequence[Sequence[str]], raw: Collected, hours: Collected) -> list[Logged]:
    """Every listed meter, by its finest series, in the unit of its carrier."""
    fine, coarse = raw.columns(), hours.columns()
    nothing: tuple[Int64Array, FloatArray] = (np.empty(0, np.int64), np.empty(0, np.float64))
    meters = []
    for meter, building, commodity, unit, series_kind in rows:
        step = Step.TEN_MINUTES if meter in fine else Step.HOUR
        time_ms, value = fine.get(meter) or coarse.get(meter) or nothing
        factor = CARRIERS[CARRIER_OF[commodity]].to_canonical(unit)
        meters.append(Logged(meter, building, commodity, series_kind, STEP_MS[step], time_ms, value * factor))
    return meters


def _point(meter: Logged) -> Point:
    carrier = CARRIER_OF[meter.commodity]
    is_register = meter.series_kind == REGISTER
    kind = Kind.COUNTER if is_register else Kind.INTERVAL
    series = carrier_series(meter.institution, meter.id, carrier, kind, meter.institution, REGION.code)
    step = Step.TEN_MINUTES if meter.step_ms == STEP_MS[Step.TEN_MINUTES] else Step.HOUR
    return Point(series, carrier, kind, None if is_register else step)


def _batch(meter: Logged, series: Series) -> Batch:
    """What is stored: the late amounts spread over their gaps; a first reading that is a register's, suspect."""
    if meter.series_kind == REGISTER:
        return batch_of(series, meter.time_ms + LAST_READING_MS, meter.value)
    quality = np.zeros(len(meter.value), np.uint8)
    if has_foreign_start(meter):
        quality[0] = Quality.SUSPECT
    places = [late.place for late in catch_ups_of(meter)]
    return batch_of(series, *respread(meter.time_ms, meter.value, quality, places, meter.step_ms))


def _area(text: str) -> float | None:
    area = number(text)
    return area if isinstance(area, float) and area > 0 else None
