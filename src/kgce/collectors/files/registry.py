"""Registry from a file: one row per institution and year; lines of table.py in, institutions and attributes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, read_table
from kgce.collectors.files.times import zone
from kgce.domain.details import NUMBERS, TEXTS, checked
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.findings import Finding
from kgce.domain.tree import DEFAULT_TIMEZONE, Institution, Region, YearlyAttributes

COLUMNS: Final = Columns(
    (
        "institution", "name", "region", "class", "level", "climate_zone",
        "year", "people", "area_m2", "heated_area_m2",
    ),
    ("timezone", *NUMBERS, *TEXTS),
)  # fmt: skip
_NEEDED: Final = ("institution", "name", "region", "class")
_NUMBERS: Final = ("people", "area_m2", "heated_area_m2")
_YEARS: Final = range(1980, 2101)


@dataclass(frozen=True, slots=True)
class RegistryFile:
    """What a registry file holds; rows counts those read, kept or refused."""

    regions: list[Region]
    institutions: list[Institution]
    attributes: list[YearlyAttributes]
    refusals: list[Refusal]
    rows: int
    findings: list[Finding] = field(default_factory=list)


def read_registry(path: Path, *, tz: str | None = None) -> RegistryFile:
    """Institutions with yearly attributes of a CSV, CSV.gz or Parquet file; bad rows are refused, good ones kept.

    `tz` is the zone of institutions without a `timezone` cell, else Asia/Shanghai.

    Raises:
        InputError: the file cannot be read at all, or its header does not fit.
        ConfigError: tz is no IANA zone.
    """
    rows = _Rows(zone(tz).key if tz is not None else DEFAULT_TIMEZONE)
    refusals, count = [], 0
    for line in read_table(path, COLUMNS):
        count += 1
        reason = line.fault
        if not reason:
            try:
                rows.take(dict(zip(COLUMNS.all, line.cells, strict=True)), line.number)
            except (InputError, ConfigError) as error:
                reason = str(error)
        if reason:
            refusals.append(refuse(path, line.number, reason, COLUMNS.all, line.cells))
    institutions = [institution for institution, _ in rows.institutions.values()]
    regions = sorted({Region(institution.region, institution.region) for institution in institutions})
    return RegistryFile(regions, institutions, rows.attributes, refusals, count, rows.findings)


class _Rows:
    """Good rows so far; each new one must agree with them."""

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._years: dict[tuple[str, int | None], int] = {}
        self.institutions: dict[str, tuple[Institution, int]] = {}
        self.attributes: list[YearlyAttributes] = []
        self.findings: list[Finding] = []

    def take(self, row: Mapping[str, str], line: int) -> None:
        """Keep one row.

        Raises:
            InputError: a cell is bad, or the row contradicts or repeats an earlier one.
            ConfigError: its time zone does not exist.
        """
        for column in _NEEDED:
            if not row[column]:
                raise InputError(f"no {column}")
        numbers = {column: _positive(column, row[column]) for column in _NUMBERS}
        year = _year(row["year"])
        if year is None and any(row[column] for column in (*_NUMBERS, *NUMBERS, *TEXTS)):
            raise InputError("people and areas belong to a year; fill in the year")
        timezone = zone(row["timezone"]).key if row["timezone"] else self._timezone
        institution = Institution(row["institution"], row["name"], row["region"], timezone)
        self._agree(institution)
        first = self._years.get((institution.id, year))
        if first is not None:
            raise InputError(f"duplicate of line {first}: institution {institution.id!r}, year {year or 'empty'}")
        self._years[institution.id, year] = line
        self.institutions.setdefault(institution.id, (institution, line))
        if year is None:
            self._tell_yearless(institution.id, row["class"], line)
            return
        self.attributes.append(
            YearlyAttributes(
                institution.id,
                year,
                row["class"],
                row["level"],
                row["climate_zone"],
                numbers["people"],
                numbers["area_m2"],
                numbers["heated_area_m2"],
                {name: checked(name, row[name]) for name in (*NUMBERS, *TEXTS) if row[name]},
            )
        )

    def _agree(self, institution: Institution) -> None:
        held = self.institutions.get(institution.id)
        if held is None or held[0] == institution:
            return
        first, line = held
        for what in ("name", "region", "timezone"):
            if getattr(first, what) != getattr(institution, what):
                raise InputError(f"{what} {getattr(institution, what)!r}, but {getattr(first, what)!r} on line {line}")

    def _tell_yearless(self, institution: str, peer_class: str, line: int) -> None:
        """Class, level and zone are kept by year: without one they would be lost in silence."""
        message = f"line {line} has no year: the institution is kept, its class {peer_class!r} is not"
        self.findings.append(Finding("registry.no_year", institution, message, {"line": line, "class": peer_class}))


def _positive(column: str, text: str) -> float | None:
    if not text:
        return None
    value = number(text)
    if isinstance(value, str) or value <= 0:
        raise InputError(f"{column} {text!r} is not a number above zero; leave it empty when it is not known")
    return value


def _year(text: str) -> int | None:
    if not text:
        return None
    if not (len(text) == 4 and text.isascii() and text.isdigit() and int(text) in _YEARS):  # noqa: PLR2004  YYYY
        raise InputError(f"year {text!r} is not a year from {_YEARS.start} to {_YEARS.stop - 1}")
    return int(text)
