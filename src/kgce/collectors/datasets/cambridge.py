"""Cambridge: hourly electricity of 40 university buildings, 2018-2019, with floor areas and weather.

Source: Langtry & Choudhary, Cambridge Estates Building Energy Archive, doi:10.5281/zenodo.10955332; weather: Met
Office MIDAS Open, Bedford. Zeros there stand for missing hours: they are not stored. What is odd is told by
cambridge_traps.py.
"""

import time
from pathlib import Path
from typing import Final

import numpy as np

from kgce.collectors.datasets.cambridge_traps import find_traps
from kgce.collectors.datasets.collected import Collected, batch_of
from kgce.collectors.datasets.dataset import Dataset, carrier_series, cells_of, require_files
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import refuse
from kgce.collectors.files.table import Columns, Progress, read_table
from kgce.collectors.files.times import TimeReader
from kgce.collectors.files.weather import weather_series
from kgce.domain.batch import Batch, FloatArray, Int64Array
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "cambridge"
YEARS: Final = (2018, 2019)
REGION: Final = Region("GBCBG", "Cambridge")  # UN/LOCODE
STATION: Final = "bedford"
TIMEZONE: Final = "Europe/London"
PEER_CLASS: Final = "higher_education"
_FILES: Final = (
    "buildings.csv",
    "hourly/cambridge_meters.csv",
    "weather/weather_bedford_uk_2018_2019.csv.gz",
    *(f"hourly/cambridge_electricity_{year}.csv.gz" for year in YEARS),
)
_BUILDING_COLUMNS: Final = Columns(("building_id", "area_m2"), others_allowed=True)
_METER_COLUMNS: Final = Columns(("meter_id", "building_id", "commodity", "year", "unit_judged"), others_allowed=True)
_HOUR_COLUMNS: Final = Columns(("meter_id", "timestamp_utc", "value"))
_WEATHER_FIELDS: Final = {
    "air_temp_c": "outdoor_temperature",
    "rel_humidity_pct": "humidity",
    "global_irradiance_wm2": "irradiance",
}
_WEATHER_COLUMNS: Final = Columns(("timestamp_utc", *_WEATHER_FIELDS))


def load(folder: Path, progress: Progress) -> Dataset:
    """The 40 buildings with their electricity, areas, weather and traps."""
    buildings_csv, meters_csv, weather_csv, *electricity_csvs = require_files(NAME, folder, _FILES)
    areas = {line[0]: float(line[1]) for line in cells_of(buildings_csv, _BUILDING_COLUMNS) if line[1]}
    meter_rows = list(cells_of(meters_csv, _METER_COLUMNS))
    homes = {meter: building for meter, building, commodity, *_ in meter_rows if commodity == "electricity"}
    hours, weather = Collected(), Collected()
    times = TimeReader(None, now_s=time.time())
    for path in electricity_csvs:
        hours.read(path, _HOUR_COLUMNS, times, homes, progress)
    _read_weather(weather_csv, weather, times)
    electricity = hours.columns()
    gas_units = [(year, judged) for _, _, commodity, year, judged in meter_rows if commodity == "gas"]
    ids = sorted(set(homes.values()))
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[Institution(one, _title(one), REGION.code, TIMEZONE) for one in ids],
        attributes=[YearlyAttributes(one, year, PEER_CLASS, area_m2=areas.get(one)) for one in ids for year in YEARS],
        buildings=[Building(one, one, _title(one)) for one in ids],
        points=[
            Point(_electricity(meter, homes[meter]), "electricity", Kind.INTERVAL, Step.HOUR) for meter in electricity
        ],
        batch=Batch.concat(
            [
                *(_batch(_electricity(meter, homes[meter]), *electricity[meter], zeros=False) for meter in electricity),
                *(
                    _batch(weather_series(STATION, name), *found, zeros=True)
                    for name, found in weather.columns().items()
                ),
            ]
        ),
        findings=find_traps(electricity, homes, gas_units),
        refusals=hours.refusals + weather.refusals,
    )


def _title(building: str) -> str:
    return f"Cambridge {building.removeprefix('cam-')}"


def _electricity(meter: str, building: str) -> Series:
    return carrier_series(building, meter, "electricity", Kind.INTERVAL, building, REGION.code)


def _batch(series: Series, time_ms: Int64Array, value: FloatArray, *, zeros: bool) -> Batch:
    kept = np.ones(len(value), np.bool_) if zeros else value != 0.0
    return batch_of(series, time_ms[kept], value[kept])


def _read_weather(path: Path, weather: Collected, times: TimeReader) -> None:
    for line in read_table(path, _WEATHER_COLUMNS):
        time_text, *cells = line.cells
        instant = times.read(time_text)
        if line.fault or isinstance(instant, str):
            reason = line.fault or str(instant)
            weather.refusals.append(refuse(path, line.number, reason, _WEATHER_COLUMNS.all, line.cells))
            continue
        for quantity, cell in zip(_WEATHER_FIELDS.values(), cells, strict=True):
            value = number(cell)
            if isinstance(value, float):
                weather.add(quantity, instant.ms, value)
            elif cell:
                weather.refusals.append(refuse(path, line.number, value, _WEATHER_COLUMNS.all, line.cells))
