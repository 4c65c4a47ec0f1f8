"""Regions: what counties, cities and the province used, each the sum of what lies below it, with its coverage.

book.py --institutions' accounts--> here --> totals of any region, institution or building
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.accounts import AccountTable, gather
from kgce.analytics.booked import YearAccounts
from kgce.analytics.evaluating import year_totals
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import InputError
from kgce.domain.factors import FactorSet

COUNTY, CITY, PROVINCE = 6, 4, 2  # digits of a GB/T 2260 code
LEVELS: Final = (COUNTY, CITY, PROVINCE)
OTHER: Final = "other"  # institutions whose region is no such code


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """One account of a region, an institution or a building in a year; kgce None without a factor or an amount."""

    account: str
    amount: float | None
    unit: str
    kgce: float | None
    coverage_ratio: float
    estimated_ratio: float
    months: tuple[float | None, ...]
    points: float


def region_tables(accounts: YearAccounts) -> dict[int, AccountTable]:
    """Tables of counties, cities and the province, by digits of their codes.

    A county is the sum of its institutions in the order of their ids, a city of its counties, the province of its
    cities: the same order each time, so the same bits.
    """
    codes = [_county(institution.region) for institution in accounts.institutions]
    found: dict[int, AccountTable] = {}
    below, owners = accounts.table, codes
    for digits in LEVELS:
        names = sorted({code if code == OTHER else code[:digits] for code in owners})
        place_of = {name: place for place, name in enumerate(names)}
        rows = [place_of[code if code == OTHER else code[:digits]] for code in owners]
        found[digits] = gather([below], names, [rows])
        below, owners = found[digits], names
    return found


def totals_of(accounts: YearAccounts, name: str, factor_set: FactorSet) -> list[AccountTotal]:
    """What a region, an institution or a building (`institution/building`) used, account by account.

    Raises:
        InputError: nothing has that name.
    """
    for table in (accounts.table, accounts.buildings, *region_tables(accounts).values()):
        if name in table.owners:
            return _rows(table, table.owners.index(name), accounts.month_days, factor_set)
    regions = sorted({_county(one.region)[:PROVINCE] for one in accounts.institutions} - {OTHER[:PROVINCE]})
    raise InputError(
        f"nothing is called {name!r} in {accounts.year}: give a region such as {', '.join(regions) or 'other'}, an "
        "institution, or institution/building"
    )


def _county(region: str) -> str:
    return region if region.isdigit() and len(region) in LEVELS else OTHER


def _rows(table: AccountTable, row: int, month_days: np.ndarray, factor_set: FactorSet) -> list[AccountTotal]:
    one = AccountTable(
        (table.owners[row],), table.accounts,
        table.amount[row : row + 1], table.estimated[row : row + 1],
        table.coverage[row : row + 1], table.expected[row : row + 1],
    )  # fmt: skip
    year = year_totals(one, month_days)
    rows = []
    for place, account in enumerate(table.accounts):
        expected = float(year.expected[0, place])
        if not expected > 0:
            continue
        amount, factor = _number(year.amount[0, place]), factor_set.factors.get(account.carrier)
        rows.append(
            AccountTotal(
                str(account), amount, CARRIERS[account.carrier].unit,
                None if amount is None or factor is None else amount * factor.per_canonical,
                float(year.coverage[0, place]) / expected,
                0.0 if not amount else min(float(year.estimated[0, place]) / abs(amount), 1.0),
                tuple(_number(month) for month in one.amount[0, place].tolist()),
                round(expected, 6),
            )
        )  # fmt: skip
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
