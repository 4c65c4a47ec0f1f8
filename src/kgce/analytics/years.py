"""Amounts of a span, per institution and carrier: the table every yearly indicator is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.book import Book
from kgce.analytics.evaluating import YearTotals, year_totals
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.changes import MeterChange
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.tree import DEFAULT_TIMEZONE, Institution, Point

ALL_CARRIERS: Final = tuple(CARRIERS)
PLACE_OF: Final = {code: place for place, code in enumerate(ALL_CARRIERS)}


@dataclass(frozen=True, slots=True, eq=False)
class YearTable:
    """Institutions (n) and their year on each account."""

    institutions: tuple[Institution, ...]
    totals: YearTotals


@dataclass(frozen=True, slots=True, eq=False)
class CarrierTable:
    """Amounts of n institutions by k carriers in one span.

    carriers: k codes; amount: (n, k) in each carrier's unit, NaN = no amount known; coverage_sum: (n, k) sum of the
    coverage of the counting points; points: (n, k) how many counting points there are.
    """

    carriers: tuple[str, ...]
    amount: FloatArray
    coverage_sum: FloatArray
    points: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Totals:
    """One amount per point over one span, each (n,); heard: whether any reading lies in or near the span."""

    points: Sequence[Point]
    amount: FloatArray
    coverage: FloatArray
    heard: BoolArray


def year_table(
    store: ReadingStore, registry: Registry, year: int, only: str | None = None, shelf: Shelf | None = None
) -> YearTable:
    """Amounts of every institution (or one) in its own local year, months added up.

    Raises:
        UnknownInstitution: the one asked for does not exist.
    """
    accounts = Book(store, registry, shelf).year(year, only)
    return YearTable(accounts.institutions, year_totals(accounts.table, accounts.month_days))


def heard_table(
    store: ReadingStore, registry: Registry, *, institution: str | None, start_ms: int, end_ms: int
) -> CarrierTable:
    """One row that sums a span over the counting points heard in or near it; retired ones are not waited for.

    Raises:
        UnknownInstitution: the one asked for does not exist.
    """
    institutions = registry.institutions() if institution is None else [registry.institution(institution)]
    points = [point for point in registry.points(institution) if point.counts]
    changes = [declared.change for declared in registry.changes(institution)]
    table = _empty(1)
    for timezone, group in _by_timezone(points, _timezones(institutions)).items():
        found = _totals(store, group, changes, start_ms=start_ms, end_ms=end_ms, timezone=timezone)
        heard = [point for point, was_heard in zip(group, found.heard, strict=True) if was_heard]
        part = _Totals(heard, found.amount[found.heard], found.coverage[found.heard], found.heard[found.heard])
        _add(table, dict.fromkeys((point.series.institution for point in heard), 0), part)
    return table


def _timezones(institutions: Sequence[Institution]) -> dict[str, str]:
    return {institution.id: institution.timezone for institution in institutions}


def _by_timezone(points: Sequence[Point], timezones: Mapping[str, str]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(timezones.get(point.series.institution, DEFAULT_TIMEZONE), []).append(point)
    return groups


def _totals(
    store: ReadingStore,
    points: Sequence[Point],
    changes: Sequence[MeterChange],
    *,
    start_ms: int,
    end_ms: int,
    timezone: str,
) -> _Totals:
    readings = read_neighbourly(store, points, start_ms=start_ms, end_ms=end_ms).batch
    amounts = point_amounts(points, readings, np.array([start_ms, end_ms], np.int64), timezone, changes)
    speaking = {readings.series[place].key for place in np.unique(readings.index).tolist()}
    heard = np.array([point.series.key in speaking for point in points], np.bool_)
    return _Totals(points, amounts.amount[:, 0], amounts.coverage[:, 0], heard)


def _empty(rows: int) -> CarrierTable:
    shape = (rows, len(ALL_CARRIERS))
    return CarrierTable(ALL_CARRIERS, np.full(shape, np.nan), np.zeros(shape), np.zeros(shape))


def _add(table: CarrierTable, row_of: Mapping[str, int], found: _Totals) -> None:
    rows = np.array([row_of[point.series.institution] for point in found.points], np.intp)
    columns = np.array([PLACE_OF[point.carrier] for point in found.points], np.intp)
    known = np.isfinite(found.amount)
    held = table.amount[rows[known], columns[known]]
    table.amount[rows[known], columns[known]] = np.where(np.isnan(held), 0.0, held)
    np.add.at(table.amount, (rows[known], columns[known]), found.amount[known])
    np.add.at(table.coverage_sum, (rows, columns), found.coverage)
    np.add.at(table.points, (rows, columns), 1.0)
