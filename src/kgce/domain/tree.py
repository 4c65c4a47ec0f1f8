"""Region > institution > building > device > point, and what an institution is in a given year."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kgce.domain.quantities import Kind
from kgce.domain.roles import UNKNOWN_ROLE, Role

DEFAULT_TIMEZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """An administrative region by its GB/T 2260 code: 37, 3701, 370102; the prefix is the parent."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Institution:
    """An organisation that answers for its consumption."""

    id: str
    name: str
    region: str = ""
    timezone: str = DEFAULT_TIMEZONE  # IANA name; its days and years are the ones that count


@dataclass(frozen=True, slots=True, order=True)
class Building:
    """A building of an institution."""

    id: str
    institution: str
    name: str = ""


@dataclass(frozen=True, slots=True, order=True)
class YearlyAttributes:
    """What an institution was in one year; another year is another record. None = not stated."""

    institution: str
    year: int
    peer_class: str = ""
    level: str = ""
    climate_zone: str = ""
    people: float | None = None  # people using energy
    area_m2: float | None = None
    heated_area_m2: float | None = None
    details: Mapping[str, float | str] = field(default_factory=dict, compare=True, hash=False)  # domain/details.py


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Where readings belong: one quantity of one device, with the device's place in the tree.

    The identity is `key`; measurement, region and building describe it.
    """

    institution: str
    device: str
    quantity: str  # field name, see domain/quantities.py
    measurement: str = field(default="", compare=False)
    building: str = field(default="", compare=False)
    region: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """(institution, device, quantity): what makes two readings readings of one thing."""
        return (self.institution, self.device, self.quantity)

    @property
    def point_id(self) -> str:
        """Name of the point within its institution: `device.quantity`."""
        return f"{self.device}.{self.quantity}"


class Step(StrEnum):
    """Length of the intervals of a Kind.INTERVAL point; calendar steps follow the institution's days."""

    TEN_MINUTES = "10min"
    QUARTER_HOUR = "15min"
    HALF_HOUR = "30min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Point:
    """A metering point: a series that measures a carrier, in the carrier's unit."""

    series: Series
    carrier: str
    kind: Kind
    step: Step | None = None  # set when kind is interval
    counts: bool = True  # False: a sub-meter or a detail already inside another point's total
    role: Role = UNKNOWN_ROLE  # what a person added; devices and imports leave it alone

    @property
    def id(self) -> str:
        """The device's name: what `--point` takes."""
        return self.series.device
