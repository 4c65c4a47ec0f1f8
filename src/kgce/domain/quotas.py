"""Quotas: what a standard allows a class of institutions, and the grade of a figure against it."""

import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any, Final

from kgce.domain.errors import ConfigError

ANY: Final = ""  # a row that holds for every level, zone or kind of heating
MUNICIPAL: Final = "municipal"
# Judged as municipal heating by the standard's own note: DB37/T 2671-2019 Table 2 note 1 (energy_domain.md 3.1).
HEATING_ALIASES: Final = {"municipal_by_area": MUNICIPAL, "own_coal": MUNICIPAL}
HEATINGS: Final = (MUNICIPAL, "air_conditioner", "gas", *HEATING_ALIASES)


class Grade(IntEnum):
    """Where a figure lies; a figure on a limit is within it. Source: DB37/T 2671-2019 Table A.1."""

    NOT_GRADED = 0
    ABOVE_CONSTRAINT = 1  # time-limited rectification
    WITHIN_CONSTRAINT = 2  # yearly improvement towards the reference value
    WITHIN_REFERENCE = 3  # encouraged to reach the guide value
    WITHIN_GUIDE = 4  # a target of its own


@dataclass(frozen=True, slots=True)
class Standard:
    """One edition of a standard; confidence and in_force_note say how far it was checked."""

    id: str
    name_en: str
    name_zh: str
    in_force: date
    in_force_note: str
    confidence: str
    source: str
    missing: tuple[str, ...]

    def is_retrospective(self, year: int) -> bool:
        """True when the year ended before the edition came into force."""
        return date(year, 12, 31) < self.in_force


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of one indicator for one kind of institution, in `unit`; NaN where the standard has no such value."""

    standard: Standard
    indicator: str
    peer_class: str
    level: str
    climate_zone: str
    heating: str
    constraint: float
    reference: float
    guide: float
    unit: str
    confidence: str
    clause: str

    def grade(self, value: float | None) -> Grade:
        """Grade of one figure in the quota's unit; None and NaN have none."""
        if value is None or math.isnan(value):
            return Grade.NOT_GRADED
        limits = ((self.guide, Grade.WITHIN_GUIDE), (self.reference, Grade.WITHIN_REFERENCE))
        for limit, grade in limits:
            if value <= limit:
                return grade
        return Grade.WITHIN_CONSTRAINT if value <= self.constraint else Grade.ABOVE_CONSTRAINT


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides which row holds; empty where it is not stated."""

    peer_class: str
    level: str = ""
    climate_zone: str = ""
    heating: str = ""


class QuotaBook:
    """All rows of all standards, looked up by what an institution is."""

    def __init__(self, quotas: Iterable[Quota]) -> None:
        """Raises ConfigError when two rows hold for the same kind."""
        self._rows: dict[tuple[str, str, str, str, str], Quota] = {}
        for quota in quotas:
            key = (quota.indicator, quota.peer_class, quota.level, quota.climate_zone, quota.heating)
            if key in self._rows:
                raise ConfigError(f"{quota.standard.id} has two rows for {' '.join(filter(None, key))}")
            self._rows[key] = quota

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[Quota]:
        """Every row."""
        return list(self._rows.values())

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that have a quota."""
        return tuple(sorted({quota.peer_class for quota in self._rows.values()}))

    def lookup(self, indicator: str, kind: Kind) -> Quota | None:
        """The row that holds, or None; a row for any level, zone or heating gives way to a narrower one."""
        heating = HEATING_ALIASES.get(kind.heating, kind.heating)
        for level in dict.fromkeys((kind.level, ANY)):
            for zone in dict.fromkeys((kind.climate_zone, ANY)):
                for way in dict.fromkeys((heating, ANY)):
                    found = self._rows.get((indicator, kind.peer_class, level, zone, way))
                    if found is not None:
                        return found
        return None

    def why_none(self, indicator: str, kind: Kind) -> str:
        """Why `lookup` finds nothing, in one sentence."""
        of_class = [quota for quota in self._rows.values() if quota.peer_class == kind.peer_class]
        if not of_class:
            return f"no standard has a quota for class {kind.peer_class!r}; those with one: {', '.join(self.classes)}"
        of_indicator = [quota for quota in of_class if quota.indicator == indicator]
        if not of_indicator:
            return f"{of_class[0].standard.id} has no {indicator} for {kind.peer_class}"
        wanted = {
            "level": (kind.level, sorted({quota.level for quota in of_indicator if quota.level})),
            "climate zone": (kind.climate_zone, sorted({quota.climate_zone for quota in of_indicator} - {ANY})),
            "heating": (kind.heating, sorted({quota.heating for quota in of_indicator if quota.heating})),
        }
        for what, (stated, known) in wanted.items():
            aliased = HEATING_ALIASES.get(stated, stated)
            if known and aliased not in known:
                said = f"{what} {stated!r}" if stated else f"no {what}"
                return f"{said} is stated; {of_indicator[0].standard.id} has {', '.join(known)}"
        return f"{of_indicator[0].standard.id} has no {indicator} for this level, zone and heating"


def parse_standard(text: str) -> list[Quota]:
    """The rows of one standard from TOML text.

    Raises:
        ConfigError: a field lacks, or a row's values are not three descending positive numbers (the middle may be NaN).
    """
    document = tomllib.loads(text)
    try:
        standard = Standard(
            document["id"], document["name_en"], document["name_zh"], document["in_force"],
            document.get("in_force_note", ""), document["confidence"], document["source"], tuple(document["missing"]),
        )  # fmt: skip
        return [_quota(standard, table, row) for table in document["table"] for row in table["rows"]]
    except KeyError as missing:
        raise ConfigError(f"quota file {document.get('id', '?')!r} lacks {missing}") from None


def _quota(standard: Standard, table: Mapping[str, Any], row: Mapping[str, Any]) -> Quota:
    constraint, reference, guide = (float(value) for value in row["values"])
    middle = [] if math.isnan(reference) else [reference]
    stated = [constraint, *middle, guide]
    if not all(high > low > 0 for high, low in itertools.pairwise(stated)):
        raise ConfigError(f"{standard.id} {table['indicator']} {row['class']}: {stated} do not descend")
    heating = row.get("heating", ANY)
    return Quota(
        standard, table["indicator"], row["class"], row.get("level", ANY), row.get("zone", ANY), heating,
        constraint, reference, guide, table["unit"], table["confidence"], table["clause"],
    )  # fmt: skip


@cache
def quota_book() -> QuotaBook:
    """The quotas shipped with kgce."""
    folder = resources.files("kgce.domain").joinpath("data/quotas")
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir(), key=lambda one: one.name)]
    return QuotaBook(quota for text in texts for quota in parse_standard(text))
