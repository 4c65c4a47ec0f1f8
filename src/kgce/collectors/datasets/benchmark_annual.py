"""Benchmark-annual: yearly energy of 8 981 disclosed properties in Seattle, New York City and Toronto.

Source: City of Seattle 2016 building energy benchmarking, NYC Local Law 84 of calendar year 2014, City of Toronto
2021 broader public sector report; SI-normalised in one table. The undivided site energy is what counts; the carriers
are details inside it. What is odd is told by benchmark_traps.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from kgce.collectors.datasets.benchmark_traps import find_traps
from kgce.collectors.datasets.dataset import Dataset, require_files
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, Progress, read_table
from kgce.collectors.files.times import zone
from kgce.domain.batch import Batch
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "benchmark-annual"
FILE: Final = "annual/benchmark_annual.csv.gz"


class City(NamedTuple):
    """A disclosing city: region by UN/LOCODE, and the zone its calendar years follow."""

    region: Region
    timezone: str


CITIES: Final = {
    "Seattle": City(Region("USSEA", "Seattle"), "America/Los_Angeles"),
    "New York City": City(Region("USNYC", "New York City"), "America/New_York"),
    "Toronto (municipal)": City(Region("CATOR", "Toronto (municipal)"), "America/Toronto"),
}
# Point name = carrier: the published columns whose sum it holds. Only the total and the water count.
TOTAL: Final = "site_energy"
POINTS: Final = {
    TOTAL: ("site_energy_kwh",),
    "electricity": ("electricity_kwh",),
    "gas_energy": ("gas_kwh",),
    "heat": ("district_steam_kwh", "district_hot_water_kwh"),
    "cooling": ("chilled_water_kwh",),
    "water": ("water_m3",),
}
COUNTING: Final = frozenset({TOTAL, "water"})
NOT_LOADED: Final = "other_fuel_kwh"  # a mixture without a carrier
AMOUNTS: Final = (*(column for columns in POINTS.values() for column in columns), NOT_LOADED)
_TEXTS: Final = ("city", "year", "building_id", "name", "use_type", "use_group", "source_flags", "area_m2")
_COLUMNS: Final = Columns((*_TEXTS, *AMOUNTS), others_allowed=True)


@dataclass(frozen=True, slots=True)
class Property:
    """One published row; a blank cell is None, a published zero is 0."""

    id: str
    name: str
    city: str
    year: int
    use_group: str
    flags: tuple[str, ...]
    area_m2: float | None
    published: dict[str, float | None]

    def amount(self, point: str) -> float | None:
        """Sum of the published columns behind a point; None when all are blank."""
        stated = [value for column in POINTS[point] if (value := self.published[column]) is not None]
        return sum(stated) if stated else None

    def kept(self, point: str) -> float | None:
        """The amount worth storing.

        A property that consumed nothing in a year, or no water, did not report; a detail of zero beside a positive
        total is what its owner says.
        """
        amount = self.amount(point)
        is_told = point in COUNTING or (self.amount(TOTAL) or 0.0) <= 0.0
        return None if amount == 0.0 and is_told else amount


def load(folder: Path, progress: Progress) -> Dataset:
    """One institution per property, with its points, area, class and traps."""
    (path,) = require_files(NAME, folder, (FILE,))
    properties: list[Property] = []
    refusals: list[Refusal] = []
    for line in read_table(path, _COLUMNS, progress):
        try:
            properties.append(_property(line))
        except InputError as error:
            refusals.append(refuse(path, line.number, str(error), _COLUMNS.all, line.cells))
    starts_ms = {(one.city, one.year): _year_start_ms(one) for one in properties}
    stored = [
        (_series(one, point), starts_ms[one.city, one.year], amount, 0)
        for one in properties
        for point in POINTS
        if (amount := one.kept(point)) is not None
    ]
    return Dataset(
        name=NAME,
        regions=[city.region for city in CITIES.values()],
        institutions=[
            Institution(one.id, one.name, CITIES[one.city].region.code, CITIES[one.city].timezone) for one in properties
        ],
        attributes=[
            YearlyAttributes(one.id, one.year, one.use_group, area_m2=one.area_m2 or None) for one in properties
        ],
        buildings=[],
        points=list(_points(properties)),
        batch=Batch.from_rows(stored),
        findings=find_traps(properties),
        refusals=refusals,
    )


def _property(line: Line) -> Property:
    """The row as numbers.

    Raises:
        InputError: a cell is not what its column says.
    """
    if line.fault:
        raise InputError(line.fault)
    row = dict(zip(_COLUMNS.all, line.cells, strict=True))
    if row["city"] not in CITIES:
        raise InputError(f"unknown city {row['city']!r}; known: {', '.join(CITIES)}")
    if not (row["building_id"] and row["year"].isdigit()):
        raise InputError("no building_id, or the year is no number")
    return Property(
        id=row["building_id"],
        name=row["name"] or f"{row['use_type']} {row['building_id']}".strip(),
        city=row["city"],
        year=int(row["year"]),
        use_group=row["use_group"],
        flags=tuple(flag for text in row["source_flags"].split(";") if (flag := text.strip())),
        area_m2=_number(row, "area_m2"),
        published={column: _number(row, column) for column in AMOUNTS},
    )


def _number(row: dict[str, str], column: str) -> float | None:
    if not row[column]:
        return None
    value = number(row[column])
    if isinstance(value, str):
        raise InputError(f"{column}: {value}")
    return value


def _points(properties: list[Property]) -> Iterator[Point]:
    """Every property has its total, known or not: a total that is missing must show as missing coverage."""
    for one in properties:
        for point in POINTS:
            if point == TOTAL or one.kept(point) is not None:
                yield Point(_series(one, point), point, Kind.INTERVAL, Step.YEAR, counts=point in COUNTING)


def _series(one: Property, point: str) -> Series:
    carrier = CARRIERS[point]
    return Series(
        one.id,
        point,
        carrier.field(Kind.INTERVAL),
        measurement=carrier.measurement,
        region=CITIES[one.city].region.code,
    )


def _year_start_ms(one: Property) -> int:
    return int(datetime(one.year, 1, 1, tzinfo=zone(CITIES[one.city].timezone)).timestamp() * 1000)
