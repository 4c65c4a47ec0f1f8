"""Explain: one figure taken apart down to its meters, so that anybody can add it up again.

book.py --accounts and points of one institution--> here --terms that re-add to the figure--> cli, api
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kgce.analytics.accounts import Account, Metered, Part, ancestors, bookings
from kgce.analytics.book import Book
from kgce.analytics.evaluating import YearTotals, evaluate, stated_of, year_totals
from kgce.analytics.indicators import DEFINITIONS, Definition, Indicator, factor_set_of, weight
from kgce.analytics.judging import reason_of
from kgce.domain.carriers import CARRIERS
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.roles import TAKEN_OUT
from kgce.domain.tree import YearlyAttributes


@dataclass(frozen=True, slots=True)
class MeterShare:
    """What one meter gave to a term: its months, net of what hangs behind it and is not the unit's own. [unit]."""

    point: str
    amount: float | None
    months: tuple[float | None, ...]
    coverage_ratio: float
    taken_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One account in the numerator: amount x factor = weighed; meters add up to the amount."""

    account: str
    amount: float | None
    unit: str
    factor: float | None
    factor_source: str
    weighed: float | None
    coverage_ratio: float
    estimated_ratio: float
    meters: tuple[MeterShare, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure and everything it was made from; value = sum of the terms' weighed / divisor."""

    institution: str
    name: str
    year: int
    indicator: Indicator
    value: float | None
    unit: str
    reason: str | None
    clause: str
    version: str
    factor_set: str | None
    factor_set_source: str | None
    retrospective: bool
    numerator: float | None
    divisor: float | None
    divisor_is: str
    coverage_ratio: float
    estimated_ratio: float
    months: int
    terms: tuple[Term, ...]

    def document(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


def explain(
    store: ReadingStore,
    registry: Registry,
    *,
    institution: str,
    indicator: Indicator,
    year: int,
    factor_set: FactorSet,
    shelf: Shelf | None = None,
) -> Explanation:
    """The derivation of one figure.

    Raises:
        UnknownInstitution: no such institution.
    """
    found = registry.institution(institution)
    definition = DEFINITIONS[indicator]
    stated = _attributes(registry, institution, year)
    accounts, metered = Book(store, registry, shelf).metered(year, found)
    totals = year_totals(accounts.table, accounts.month_days)
    figure = evaluate(totals, stated_of([stated]), definition, factor_set)
    numbers = {name: _number(getattr(figure, name)[0]) for name in ("value", "numerator", "divisor")}
    set_id = factor_set_of(indicator, factor_set)
    return Explanation(
        institution=institution,
        name=found.name,
        year=year,
        indicator=indicator,
        unit=definition.unit,
        reason=reason_of(totals, figure, definition, factor_set, year=year, is_stated=stated is not None),
        clause=definition.clause,
        version=definition.version,
        factor_set=set_id,
        factor_set_source=factor_set.source if set_id else None,
        retrospective=bool(set_id) and factor_set.is_retrospective(year),
        divisor_is=str(definition.divisor),
        coverage_ratio=float(figure.coverage[0]),
        estimated_ratio=float(figure.estimated[0]),
        months=int(figure.months[0]),
        terms=_terms(totals, metered, definition, factor_set),
        **numbers,
    )


def _attributes(registry: Registry, institution: str, year: int) -> YearlyAttributes | None:
    return next((row for row in registry.attributes(year) if row.institution == institution), None)


def _terms(totals: YearTotals, metered: Metered, definition: Definition, factor_set: FactorSet) -> tuple[Term, ...]:
    shares = counted_accounts(totals, definition)
    by_account: dict[Account, list[int]] = {}
    for booking in bookings(metered.points):
        by_account.setdefault(booking.account, []).append(booking.row)
    found = []
    for place, account in enumerate(totals.accounts):
        if account not in shares or not totals.expected[0, place] > 0:
            continue
        per_unit = weight(account, definition, factor_set) if shares[account] is None else float(shares[account] or 0)
        amount = _number(totals.amount[0, place])
        factor = factor_set.factors.get(account.carrier) if definition.weighed else None
        expected = float(totals.expected[0, place])
        found.append(
            Term(
                str(account), amount, CARRIERS[account.carrier].unit, _number(per_unit),
                "" if factor is None else f"{factor.value:g} kgce/{factor.unit}: {factor.source} ({factor.confidence})",
                None if amount is None or np.isnan(per_unit) else amount * per_unit,
                float(totals.coverage[0, place]) / expected,
                0.0 if not amount else min(float(totals.estimated[0, place]) / abs(amount), 1.0),
                _meters(metered, by_account.get(account, ())),
            )
        )  # fmt: skip
    return tuple(found)


def counted_accounts(totals: YearTotals, definition: Definition) -> Mapping[Account, float | None]:
    """Accounts in the numerator of the first institution; None = weighed as defined, a number = that weight instead."""
    if definition.indicator is Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA:
        items = [Account("electricity", part) for part in (Part.ITEM_A, Part.ITEM_B, Part.ITEM_C)]
        places = [totals.accounts.index(item) for item in items if item in totals.accounts]
        if len(places) == len(items) and (totals.expected[0, places] > 0).all():
            return dict.fromkeys(items, 1.0)
    return {account: None for account in totals.accounts if definition.share(account)}


def _meters(metered: Metered, rows: Sequence[int]) -> tuple[MeterShare, ...]:
    place_of = {(point.series.institution, point.series.point_id): row for row, point in enumerate(metered.points)}
    behind: dict[int, list[str]] = {}
    for row, point in enumerate(metered.points):
        if point.role.use in TAKEN_OUT:
            for above in ancestors(metered.points, place_of, row):
                behind.setdefault(above, []).append(point.series.point_id)
    return tuple(
        MeterShare(
            metered.points[row].series.point_id,
            _number(np.nansum(metered.months.amount[row])) if np.isfinite(metered.months.amount[row]).any() else None,
            tuple(_number(month) for month in metered.months.amount[row].tolist()),
            float(metered.months.coverage[row].mean()),
            tuple(behind.get(row, ())),
        )
        for row in rows
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
