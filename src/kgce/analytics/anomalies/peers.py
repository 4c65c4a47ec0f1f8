"""Institutions beside each other: the same figures stated twice, figures a thousand or ten thousand times off."""

import numpy as np

from kgce.analytics.accounts import Account, AccountTable, Part
from kgce.analytics.anomalies.history import Figure, year_jumps
from kgce.analytics.anomalies.identical import identical_months, identical_years
from kgce.analytics.anomalies.slips import slipped_figures
from kgce.analytics.booked import YearAccounts
from kgce.analytics.evaluating import Stated, ratio
from kgce.domain.batch import FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.findings import Finding


def screen_year(
    now: YearAccounts, stated: Stated, peer_class: np.ndarray, before: YearAccounts | None, stated_before: Stated | None
) -> list[Finding]:
    """What a year's institutions say about each other, and about their year before.

    Args:
        now: n institutions.
        stated: (n,) their attributes.
        peer_class: (n,) codes of their classes: those of one class are beside each other.
        before: the year before, the same institutions in the same order; None = there is none.
        stated_before: attributes of that year.
    """
    owners, table = now.table.owners, now.table
    totals = {account: place for place, account in enumerate(table.accounts) if account.part is Part.TOTAL}
    amounts = {account.carrier: _year(table, place) for account, place in totals.items()}
    found = identical_years(
        owners, list(amounts), np.stack(list(amounts.values()), axis=1), year=now.year
    ) if amounts else []  # fmt: skip
    for account, place in totals.items():
        found += identical_months(owners, account.carrier, table.amount[:, place], year=now.year)
    for carrier, amount in amounts.items():
        unit = CARRIERS[carrier].unit
        history = None
        if before is not None and stated_before is not None:
            was = _of(before.table, Account(carrier, Part.TOTAL))
            history = None if was is None else ratio(was, stated_before.area_m2)[:, None]
        found += slipped_figures(
            owners, ratio(amount, stated.area_m2), group=peer_class, unit=f"{unit}/m2", history=history
        )
    if stated_before is not None:
        for figure, one, other in (
            (Figure.AREA, stated_before.area_m2, stated.area_m2),
            (Figure.PEOPLE, stated_before.people, stated.people),
        ):
            found += year_jumps(list(owners), year=now.year, figure=figure, before=one, now=other)
    return found


def _of(table: AccountTable, account: Account) -> FloatArray | None:
    return _year(table, table.accounts.index(account)) if account in table.accounts else None


def _year(table: AccountTable, column: int) -> FloatArray:
    """(n,) the year's amount; NaN unless every month is known: a part of a year is no yearly figure."""
    year: FloatArray = table.amount[:, column].sum(axis=1)
    return year
