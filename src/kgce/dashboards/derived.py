"""Queries on the derived series `consumption` and `indicator`, which `kgce analyze` writes beside the readings.

A row that was known once and is no longer has known = 0; nothing is added up without asking for known = 1.
"""

from collections.abc import Mapping
from typing import Final

from kgce.dashboards.influxql import identifier, selected, string

CONSUMPTION: Final = "consumption"
INDICATOR: Final = "indicator"
YEAR: Final = "year"  # the variable of the tag `period`
TOTAL: Final = "total"

_KNOWN: Final = '"known" = 1'
_PLACE: Final = f"{selected('region')} AND {selected('institution')}"
_SET: Final = selected("factor_set")


def amounts(field: str, *, by: str, grid: str, timezone: str, where: Mapping[str, str] | None = None) -> str:
    """Sums of a field over the chosen places, day by day or month by month, a line for each value of a tag.

    Months stand at their first day, so days are grouped either way.
    """
    conditions = " AND ".join(
        ["$timeFilter", _PLACE, _SET, _KNOWN, *_equal({"grid": grid, "item": TOTAL, **(where or {})})]
    )
    return (
        f'SELECT sum({identifier(field)}) FROM "consumption" WHERE {conditions} '  # noqa: S608  # built from quoted parts
        f"GROUP BY time(1d), {identifier(by)} fill(none) tz({string(timezone)})"
    )


def total(field: str, *, grid: str = "month", where: Mapping[str, str] | None = None) -> str:
    """The sum of a field over the chosen places and the whole time range."""
    conditions = " AND ".join(
        ["$timeFilter", _PLACE, _SET, _KNOWN, *_equal({"grid": grid, "item": TOTAL, **(where or {})})]
    )
    return f'SELECT sum({identifier(field)}) FROM "consumption" WHERE {conditions}'  # noqa: S608


def mean(field: str, *, by: str, grid: str = "day") -> str:
    """The mean of a share (coverage, estimated) for each value of a tag, unknown intervals counted as they are."""
    conditions = " AND ".join(["$timeFilter", _PLACE, _SET, *_equal({"grid": grid, "item": TOTAL})])
    return (
        f'SELECT mean({identifier(field)}) AS {identifier(field)} FROM "consumption" WHERE {conditions} '  # noqa: S608
        f"GROUP BY {identifier(by)}"
    )


def shares(field: str, *, timezone: str, by: str = "institution") -> str:
    """A share by day, its mean over the meters and carriers of each place."""
    conditions = " AND ".join(["$timeFilter", _PLACE, _SET, *_equal({"grid": "day", "item": TOTAL})])
    return (
        f'SELECT mean({identifier(field)}) FROM "consumption" WHERE {conditions} '  # noqa: S608
        f"GROUP BY time(1d), {identifier(by)} fill(null) tz({string(timezone)})"
    )


def sums_by(fields: Mapping[str, str], *, by: str, grid: str = "month") -> str:
    """Sums of several fields (column: field) for each value of a tag over the whole time range."""
    conditions = " AND ".join(["$timeFilter", _PLACE, _SET, _KNOWN, *_equal({"grid": grid, "item": TOTAL})])
    chosen = ", ".join(f"sum({identifier(field)}) AS {identifier(column)}" for column, field in fields.items())
    return f'SELECT {chosen} FROM "consumption" WHERE {conditions} GROUP BY {identifier(by)}'  # noqa: S608


def figures(fields: Mapping[str, str], *, by: tuple[str, ...], indicator: str) -> str:
    """Fields (column: field) of the chosen year's indicator, a row for each combination of tags."""
    year = f'"period" =~ /^${{{YEAR}:regex}}$/'
    conditions = " AND ".join([_PLACE, _SET, year, *_equal({"indicator": indicator}), _KNOWN])
    chosen = ", ".join(f"last({identifier(field)}) AS {identifier(column)}" for column, field in fields.items())
    groups = ", ".join(map(identifier, by))
    return f'SELECT {chosen} FROM "indicator" WHERE {conditions} GROUP BY {groups}'  # noqa: S608


def _equal(tags: Mapping[str, str]) -> list[str]:
    return [f"{identifier(name)} = {string(value)}" for name, value in tags.items()]


def tag_values(tag: str, measurement: str, *, outer: tuple[str, ...] = ()) -> str:
    """Values of a tag of a derived series, limited by the choices made further out."""
    limits = " AND ".join(map(selected, outer))
    return f"SHOW TAG VALUES FROM {identifier(measurement)} WITH KEY = {identifier(tag)}" + (
        f" WHERE {limits}" if limits else ""
    )
