"""Evaluating: an indicator of every institution of a year, as arrays; nothing here is a loop over institutions.

book.py --AccountTable--> YearTotals --with Stated attributes--> Evaluated --> judging.py, leaders
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kgce.analytics.accounts import Account, AccountTable, Part
from kgce.analytics.indicators import Definition, Divisor, Indicator, weight
from kgce.domain.batch import BoolArray, FloatArray, UInt8Array
from kgce.domain.details import people_of, water_people_of
from kgce.domain.factors import FactorSet
from kgce.domain.tree import YearlyAttributes

OWNERS_AT_ONCE: Final = 1024
_ITEMS: Final = tuple(Account("electricity", part) for part in (Part.ITEM_A, Part.ITEM_B, Part.ITEM_C))
_IT: Final = Account("electricity", Part.IT)


@dataclass(frozen=True, slots=True, eq=False)
class YearTotals:
    """(n, k) a year of n institutions on k accounts.

    amount: carrier's unit, NaN = nothing known; estimated: the part of it that was not measured; coverage, expected:
    sums over the points, by the days of the months; months: bit m is set when month m has a known amount.
    """

    accounts: tuple[Account, ...]
    amount: FloatArray
    estimated: FloatArray
    coverage: FloatArray
    expected: FloatArray
    months: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """(n,) what institutions said about a year; NaN = not stated; is_stated: whether there is a record at all."""

    people: FloatArray
    water_people: FloatArray
    area_m2: FloatArray
    special_area_m2: FloatArray
    heated_area_m2: FloatArray
    is_stated: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """(n,) one indicator: value = numerator / divisor, NaN = none; coverage and estimated 0..1.

    months: known months of what is counted; has_points: whether there is anything to count at all; unweighable: a
    carrier in use has no factor; unknown_part: something to be taken out is not known.
    """

    value: FloatArray
    numerator: FloatArray
    divisor: FloatArray
    coverage: FloatArray
    estimated: FloatArray
    months: UInt8Array
    has_points: BoolArray
    unweighable: BoolArray
    unknown_part: BoolArray


def year_totals(table: AccountTable, month_days: FloatArray) -> YearTotals:
    """Months added up; a month without an amount adds nothing and lowers the coverage."""
    n, k, m = table.amount.shape
    days: FloatArray = month_days / max(float(month_days.sum()), 1.0)
    amount, estimated, coverage, expected = (np.empty((n, k)) for _ in range(4))
    months = np.empty((n, k), np.uint16)
    bits = (1 << np.arange(m)).astype(np.float64)
    ones = np.ones(m)
    for first in range(0, n, OWNERS_AT_ONCE):  # small pieces stay in a core's cache
        rows = slice(first, first + OWNERS_AT_ONCE)
        known = np.isfinite(table.amount[rows])
        amount[rows] = (table.amount[rows] if known.all() else np.where(known, table.amount[rows], 0.0)).sum(axis=2)
        months[rows] = known @ bits
        np.matmul(table.estimated[rows], ones, out=estimated[rows])
        np.matmul(table.coverage[rows], days, out=coverage[rows])
        np.matmul(table.expected[rows], days, out=expected[rows])
    amount[months == 0] = np.nan
    return YearTotals(table.accounts, amount, estimated, coverage, expected, months)


def evaluate(totals: YearTotals, stated: Stated, definition: Definition, factor_set: FactorSet) -> Evaluated:
    """One indicator of all of them.

    Source: E = sum of e_i p_i, DB37/T 2671-2019 section 6.1 equation 1; the rest is the definition's clause.
    """
    shares = np.array([definition.share(account) for account in totals.accounts], np.int64)
    weights = np.array([weight(account, definition, factor_set) for account in totals.accounts], np.float64)
    columns = np.flatnonzero(shares)
    found = _sum(totals, columns, weights[columns])
    if definition.indicator is Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA:
        found = _items_where_metered(totals, found)
    divisor = _divisor(totals, stated, definition.divisor)
    return Evaluated(
        ratio(found.numerator, divisor), found.numerator, divisor, found.coverage, found.estimated, found.months,
        found.has_points, found.unweighable, found.unknown_part,
    )  # fmt: skip


def ratio(total: FloatArray, divisor: FloatArray) -> FloatArray:
    """(n,) total / divisor; NaN where either is unknown or the divisor is not positive."""
    quotient: FloatArray = np.divide(total, divisor, out=np.full(len(total), np.nan), where=divisor > 0)
    return quotient


class _Sum(NamedTuple):
    numerator: FloatArray
    coverage: FloatArray
    estimated: FloatArray
    months: UInt8Array
    has_points: BoolArray
    unweighable: BoolArray
    unknown_part: BoolArray


def _sum(totals: YearTotals, columns: npt.NDArray[np.intp], weights: FloatArray) -> _Sum:
    amount, expected = totals.amount[:, columns], totals.expected[:, columns]
    in_use, known = expected > 0, np.isfinite(amount)
    lacking, taken_out = np.isnan(weights), weights < 0
    unweighable = np.asarray((in_use & lacking).any(axis=1))
    unknown = np.asarray((in_use & ~known & taken_out).any(axis=1))
    per_unit = np.where(lacking, 0.0, weights)
    total = np.where(known, amount, 0.0) @ per_unit
    guessed = totals.estimated[:, columns] @ np.abs(per_unit)
    adding = known & ~taken_out
    total = np.where(adding.any(axis=1) & ~unweighable & ~unknown, total, np.nan)
    counting = expected.sum(axis=1)
    coverage = np.divide(
        totals.coverage[:, columns].sum(axis=1), counting, out=np.zeros(len(counting)), where=counting > 0
    )
    share = np.divide(guessed, np.abs(total), out=np.zeros(len(total)), where=np.abs(np.nan_to_num(total)) > 0)
    added = columns[~taken_out]
    months = np.bitwise_count(np.bitwise_or.reduce(totals.months[:, added], axis=1)) if len(added) else None
    has_points = np.asarray((in_use & ~taken_out).any(axis=1))
    shown = np.zeros(len(total), np.uint8) if months is None else months.astype(np.uint8)
    return _Sum(total, coverage, np.minimum(share, 1.0), shown, has_points, unweighable, unknown)


def _items_where_metered(totals: YearTotals, total: _Sum) -> _Sum:
    """Lighting, air conditioning and power added up, for those who meter all three."""
    places = [totals.accounts.index(item) for item in _ITEMS if item in totals.accounts]
    if len(places) < len(_ITEMS):
        return total
    metered = (totals.expected[:, places] > 0).all(axis=1)
    items = _sum(totals, np.array(places, np.intp), np.ones(len(places)))
    return _Sum(
        np.where(metered, items.numerator, total.numerator),
        np.where(metered, items.coverage, total.coverage),
        np.where(metered, items.estimated, total.estimated),
        np.where(metered, items.months, total.months),
        np.where(metered, items.has_points, total.has_points),
        np.where(metered, items.unweighable, total.unweighable),
        np.where(metered, items.unknown_part, total.unknown_part),
    )


def _divisor(totals: YearTotals, stated: Stated, divisor: Divisor) -> FloatArray:
    if divisor is Divisor.IT_ELECTRICITY and _IT in totals.accounts:
        return totals.amount[:, totals.accounts.index(_IT)]
    return divisor_of(stated, divisor)


def divisor_of(stated: Stated, divisor: Divisor) -> FloatArray:
    """(n,) what was stated of a divisor; NaN where it is metered and not stated."""
    match divisor:
        case Divisor.AREA:
            return stated.area_m2
        case Divisor.NET_AREA:
            return stated.area_m2 - np.nan_to_num(stated.special_area_m2)
        case Divisor.HEATED_AREA:
            return stated.heated_area_m2
        case Divisor.PEOPLE:
            return stated.people
        case Divisor.WATER_PEOPLE:
            return stated.water_people
        case Divisor.IT_ELECTRICITY:
            return np.full(len(stated.people), np.nan)


def stated_of(rows: Sequence[YearlyAttributes | None]) -> Stated:
    """Columns of yearly attributes (None = no record), in the order of the rows.

    People that are not stated follow from the details where the class's standard says how (domain/details.py); people
    using water are the people where nothing else is stated.
    """
    columns = np.full((len(_STATED), len(rows)), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            columns[:, place] = _numbers(row)
    found = dict(zip(_STATED, columns, strict=True))
    return Stated(**found, is_stated=np.array([row is not None for row in rows], np.bool_))


_STATED: Final = ("people", "water_people", "area_m2", "special_area_m2", "heated_area_m2")


def _numbers(row: YearlyAttributes) -> list[float]:
    details = row.details
    people = row.people if row.people is not None or not details else people_of(row.peer_class, details)
    using_water: float | str | None = details.get("water_people")
    if using_water is None:
        using_water = water_people_of(row.peer_class, details) if details else None
    if using_water is None:
        using_water = people
    found = (people, using_water, row.area_m2, details.get("special_area_m2"), row.heated_area_m2)
    return [np.nan if value is None else float(value) for value in found]
