"""Amounts of a year, per institution and carrier: the table every yearly indicator is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from kgce.analytics.indicators import CarrierTable
from kgce.analytics.ledger.points import Totals, totals
from kgce.domain.carriers import CARRIERS
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.tree import Institution, Point

ALL_CARRIERS: Final = tuple(CARRIERS)
PLACE_OF: Final = {code: place for place, code in enumerate(ALL_CARRIERS)}


@dataclass(frozen=True, slots=True, eq=False)
class YearTable:
    """Institutions (n) and their yearly amounts by carrier."""

    institutions: tuple[Institution, ...]
    carriers: CarrierTable


def year_span_ms(year: int, timezone: str) -> tuple[int, int]:
    """[start, end) of a calendar year in a zone. UTC. [ms]."""
    zone = ZoneInfo(timezone)
    start, end = (round(datetime(number, 1, 1, tzinfo=zone).timestamp() * 1000) for number in (year, year + 1))
    return start, end


def year_table(store: ReadingStore, registry: Registry, year: int, only: str | None = None) -> YearTable:
    """Amounts of every institution (or one) in its own local year; only points that count."""
    institutions = [registry.institution(only)] if only is not None else registry.institutions()
    row_of = {institution.id: row for row, institution in enumerate(institutions)}
    zones: dict[str, list[Point]] = {}
    for point in registry.points(only):
        if point.counts and point.series.institution in row_of:
            zones.setdefault(institutions[row_of[point.series.institution]].timezone, []).append(point)
    table = _empty(len(institutions))
    for timezone, points in zones.items():
        start_ms, end_ms = year_span_ms(year, timezone)
        _add(table, row_of, points, totals(store, points, start_ms=start_ms, end_ms=end_ms, timezone=timezone))
    return YearTable(tuple(institutions), table)


def heard_table(store: ReadingStore, points: Sequence[Point], *, start_ms: int, end_ms: int) -> CarrierTable:
    """One row that sums a span over the points that were heard in or near it; retired ones are not waited for."""
    found = totals(store, points, start_ms=start_ms, end_ms=end_ms, timezone="UTC")
    heard = [point for point, was_heard in zip(points, found.heard, strict=True) if was_heard]
    table = _empty(1)
    part = Totals(found.amount[found.heard], found.coverage[found.heard], found.heard[found.heard])
    _add(table, {point.series.institution: 0 for point in heard}, heard, part)
    return table


def _empty(rows: int) -> CarrierTable:
    shape = (rows, len(ALL_CARRIERS))
    return CarrierTable(ALL_CARRIERS, np.full(shape, np.nan), np.zeros(shape), np.zeros(shape))


def _add(table: CarrierTable, row_of: dict[str, int], points: Sequence[Point], found: Totals) -> None:
    rows = np.array([row_of[point.series.institution] for point in points], np.intp)
    columns = np.array([PLACE_OF[point.carrier] for point in points], np.intp)
    known = np.isfinite(found.amount)
    held = table.amount[rows[known], columns[known]]
    table.amount[rows[known], columns[known]] = np.where(np.isnan(held), 0.0, held)
    np.add.at(table.amount, (rows[known], columns[known]), found.amount[known])
    np.add.at(table.coverage_sum, (rows, columns), found.coverage)
    np.add.at(table.points, (rows, columns), 1.0)
