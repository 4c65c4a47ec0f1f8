"""Outlook: where every institution's indicator will end in a year beside what is due, and who will miss its target.

book.py --months--> forecast.py --expected, low, high--> here, with targets --Outlook--> kgce targets forecast, findings
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from kgce.analytics.accounts import AccountTable
from kgce.analytics.book import Book
from kgce.analytics.booked import YearAccounts
from kgce.analytics.evaluating import divisor_of, ratio, stated_of
from kgce.analytics.forecast import Forecast, forecast_year
from kgce.analytics.indicators import DEFINITIONS, Definition, Indicator, weight
from kgce.analytics.standing import due_values
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.factors import FactorSet
from kgce.domain.findings import Finding
from kgce.domain.ports import Registry
from kgce.domain.targets import Target, TargetBook
from kgce.domain.tree import Institution

YEARS_BACK: Final = 5  # of own history that the seasonal profile is taken from
LEAST: Final = 0.9  # coverage below which a month is not known well enough to be forecast from


class Course(StrEnum):
    """Where an indicator is heading."""

    UNKNOWN = "unknown"  # no target, no baseline, no history or no figure
    ON_TRACK = "on_track"
    MAY_MISS = "may_miss"  # the expectation is above what is due
    WILL_MISS = "will_miss"  # even the lower end of the interval is


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """(n,) each: one indicator of n institutions in a year, in the indicator's unit; NaN = unknown.

    forecast: of the numerator; expected, low, high: of the indicator; due: what the target asks for in that year.
    """

    year: int
    indicator: Indicator
    institutions: tuple[Institution, ...]
    targets: tuple[Target | None, ...]
    forecast: Forecast
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    due: FloatArray

    @property
    def courses(self) -> list[Course]:
        """Where each is heading."""
        low = np.where(np.isnan(self.low), self.expected, self.low)
        will, may = self.low > self.due, self.expected > self.due
        known = np.isfinite(low) & np.isfinite(self.due)
        return [
            Course.UNKNOWN if not known[row]
            else Course.WILL_MISS if will[row] else Course.MAY_MISS if may[row] else Course.ON_TRACK
            for row in range(len(self.institutions))
        ]  # fmt: skip

    def findings(self) -> list[Finding]:
        """`target.will_miss` and `target.may_miss`, each with what it is made from."""
        unit, found = DEFINITIONS[self.indicator].unit, []
        for row, course in enumerate(self.courses):
            target = self.targets[row]
            if course not in {Course.WILL_MISS, Course.MAY_MISS} or target is None:
                continue
            words = "will miss" if course is Course.WILL_MISS else "may miss"
            found.append(
                Finding(
                    f"target.{course}", self.institutions[row].id,
                    f"{self.indicator} of {self.year} {words} its target: {self.expected[row]:.4g} {unit} is expected, "
                    f"{self.due[row]:.4g} is due; look where use went up: kgce explain",
                    {
                        "indicator": str(self.indicator), "year": self.year, "expected": float(self.expected[row]),
                        "low": _number(self.low[row]), "high": _number(self.high[row]), "due": float(self.due[row]),
                        "unit": unit, "months": int(self.forecast.months[row]), "years": int(self.forecast.years[row]),
                        "target": target.subject, "drop": target.drop,
                    },
                )
            )  # fmt: skip
        return found


def outlook(
    book: Book,
    registry: Registry,
    *,
    year: int,
    indicator: Indicator,
    factor_set: FactorSet,
    targets: TargetBook,
    months: int = 12,
) -> Outlook:
    """Where the year will end for everybody.

    Args:
        book: the ledgers.
        registry: attributes of the year; where it has none yet, those of the year before hold.
        year: which.
        indicator: which.
        factor_set: one for all years.
        targets: what each is held to.
        months: that are over; later ones are not looked at.

    Raises:
        StoreUnavailable: the store or the shelf does not answer.
    """
    accounts, definition = book.year(year), DEFINITIONS[indicator]
    names = [one.id for one in accounts.institutions]
    now = numerator_months(accounts.table, definition, factor_set)
    now[:, months:] = np.nan
    earlier = [_aligned(book.year(before), names, definition, factor_set) for before in range(year - YEARS_BACK, year)]
    found = forecast_year(now, np.stack(earlier))
    divisor = _divisor(registry, accounts, definition, year)
    due, _ = due_values(book, registry, accounts.institutions, indicator, factor_set, targets, year)
    held = tuple(targets.of(indicator, institution=one.id, region=one.region) for one in accounts.institutions)
    return Outlook(
        year, indicator, accounts.institutions, held, found,
        ratio(found.expected, divisor), ratio(found.low, divisor), ratio(found.high, divisor), due,
    )  # fmt: skip


def numerator_months(table: AccountTable, definition: Definition, factor_set: FactorSet) -> FloatArray:
    """(n, 12) what is counted, month by month; NaN where a meter in use is not known well enough."""
    total = np.zeros((len(table.owners), table.amount.shape[2]))
    anything: BoolArray = np.zeros(total.shape, np.bool_)
    for column, account in enumerate(table.accounts):
        if not definition.share(account):
            continue
        in_use = table.expected[:, column] > 0
        known = table.coverage[:, column] >= LEAST * table.expected[:, column]
        counted = np.where(known, table.amount[:, column], np.nan) * weight(account, definition, factor_set)
        total += np.where(in_use, counted, 0.0)
        anything |= in_use
    total[~anything] = np.nan
    return total


def _aligned(accounts: YearAccounts, names: Sequence[str], definition: Definition, factor_set: FactorSet) -> FloatArray:
    """Months of another year in the order of these institutions."""
    place_of = {one.id: row for row, one in enumerate(accounts.institutions)}
    months = np.vstack([numerator_months(accounts.table, definition, factor_set), np.full((1, 12), np.nan)])
    return months[[place_of.get(name, -1) for name in names]]


def _divisor(registry: Registry, accounts: YearAccounts, definition: Definition, year: int) -> FloatArray:
    """(n,) of the year, else of the year before: figures of the running year are often stated at its end."""
    found = np.full(len(accounts.institutions), np.nan)
    for at in (year, year - 1):
        rows = {row.institution: row for row in registry.attributes(at)}
        stated = stated_of([rows.get(one.id) for one in accounts.institutions])
        found = np.where(np.isfinite(found), found, divisor_of(stated, definition.divisor))
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
