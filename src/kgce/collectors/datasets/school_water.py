"""School-water: daily water of 34 schools in Attica, 2019-2022, with their pupils.

Source: EYDAP (Athens water company) through HydroForecast; m3 per local day of Europe/Athens. A day whose amount
cannot be is stored as BAD, a meter that never moved as SUSPECT; neither becomes an amount. What is odd is told by
school_water_traps.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from kgce.collectors.datasets.dataset import Dataset, require_files
from kgce.collectors.datasets.school_water_traps import DAY, Days, Repeat, School, find_traps
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, Progress, read_table
from kgce.collectors.files.times import OLDEST_YEAR, zone
from kgce.domain.batch import Batch, Quality
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "school-water"
FILES: Final = ("water/attica_schools_daily_meters.csv", "water/attica_schools_daily.csv.gz")
REGION: Final = Region("GRATH", "Athens")  # UN/LOCODE
TIMEZONE: Final = "Europe/Athens"
PEER_CLASS: Final = "school"
METER: Final = "water"
_METER_COLUMNS: Final = Columns(("meter_id", "municipality", "pupils", "duplicate_dates"), others_allowed=True)
_DAY_COLUMNS: Final = Columns(("meter_id", "date", "m3"))


@dataclass(slots=True)
class _Readings:
    """Amounts by school and day number, as they come; of a repeated date the last counts."""

    amounts: dict[str, dict[int, float]] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, school: str, day: date, amount: float) -> None:
        known, place = self.amounts.setdefault(school, {}), day.toordinal()
        if place in known:
            self.repeats.append(Repeat(school, day, known[place], amount))
        known[place] = amount

    def days(self) -> dict[str, Days]:
        """(day, m3) of every school, in the order of days."""
        return {
            school: Days(
                np.array([date.fromordinal(place).isoformat() for place in sorted(known)], DAY),
                np.array([known[place] for place in sorted(known)], np.float64),
            )
            for school, known in self.amounts.items()
        }


class _Row(NamedTuple):
    school: str
    day: date
    amount: float


def load(folder: Path, progress: Progress) -> Dataset:
    """One institution per school with its water meter, pupils and traps."""
    meters_csv, days_csv = require_files(NAME, folder, FILES)
    readings = _Readings()
    schools = dict(_schools(meters_csv, readings))
    for line in read_table(days_csv, _DAY_COLUMNS, progress):
        try:
            readings.add(*_row(line, schools))
        except InputError as error:
            readings.refusals.append(refuse(days_csv, line.number, str(error), _DAY_COLUMNS.all, line.cells))
    days = readings.days()
    years = sorted({year for one in days.values() for year in one.years()})
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[Institution(one.id, one.name, REGION.code, TIMEZONE) for one in schools.values()],
        attributes=[
            YearlyAttributes(one.id, year, PEER_CLASS, people=one.pupils) for one in schools.values() for year in years
        ],
        buildings=[],
        points=[Point(_series(school), "water", Kind.INTERVAL, Step.DAY) for school in schools],
        batch=Batch.concat([_batch(_series(school), one) for school, one in days.items()]),
        findings=find_traps(schools, days, readings.repeats),
        refusals=readings.refusals,
    )


def _schools(path: Path, readings: _Readings) -> Iterator[tuple[str, School]]:
    for line in read_table(path, _METER_COLUMNS):
        try:
            school = _school(line)
        except InputError as error:
            readings.refusals.append(refuse(path, line.number, str(error), _METER_COLUMNS.all, line.cells))
        else:
            yield school.id, school


def _school(line: Line) -> School:
    """The row of a meter; no pupils at all means that nobody counted them.

    Raises:
        InputError: a cell is not what its column says.
    """
    if line.fault:
        raise InputError(line.fault)
    meter, municipality, pupils_text, repeated_text = line.cells
    pupils, repeated = number(pupils_text or "0"), number(repeated_text or "0")
    if not meter:
        raise InputError("no meter_id")
    if isinstance(pupils, str) or pupils < 0:
        raise InputError(f"pupils: {pupils if isinstance(pupils, str) else 'negative'}")
    if isinstance(repeated, str):
        raise InputError(f"duplicate_dates: {repeated}")
    name = f"Attica school {meter.removeprefix('att-')}"
    return School(meter, f"{name}, {municipality}" if municipality else name, pupils or None, int(repeated))


def _row(line: Line, schools: Mapping[str, School]) -> _Row:
    """One day of one school.

    Raises:
        InputError: a cell is not what its column says.
    """
    if line.fault:
        raise InputError(line.fault)
    school, day_text, amount_text = line.cells
    if school not in schools:
        raise InputError(f"unknown meter {school!r}")
    try:
        day = date.fromisoformat(day_text)
    except ValueError:
        raise InputError(f"date {day_text!r} is not ISO 8601, such as 2022-01-31") from None
    if not OLDEST_YEAR <= day.year <= datetime.now(UTC).year:
        raise InputError(f"date {day_text!r} is before {OLDEST_YEAR} or in a year to come")
    amount = number(amount_text)
    if isinstance(amount, str):
        raise InputError(amount)
    return _Row(school, day, amount)


def _series(school: str) -> Series:
    carrier = CARRIERS["water"]
    return Series(school, METER, carrier.field(Kind.INTERVAL), carrier.measurement, region=REGION.code)


def _batch(series: Series, days: Days) -> Batch:
    athens = zone(TIMEZONE)
    starts_ms = [
        int(datetime(day.year, day.month, day.day, tzinfo=athens).timestamp() * 1000) for day in days.day.tolist()
    ]
    usual = Quality.GOOD if days.amount.any() else Quality.SUSPECT
    quality = np.where(days.amount < 0.0, Quality.BAD, usual)
    return Batch.of((series,), np.zeros(len(starts_ms)), starts_ms, days.amount, quality)
