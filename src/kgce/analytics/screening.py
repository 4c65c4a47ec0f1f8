"""Screening a year: every detector over a branch of the tree, and over all institutions beside each other.

book.py --Branch, YearLedger, accounts--> anomalies/ --> findings, saved by cli/screening.py
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from kgce.analytics.anomalies.nights import screen_nights
from kgce.analytics.anomalies.peers import screen_year
from kgce.analytics.anomalies.screen import screen_accounts, screen_points
from kgce.analytics.book import Book
from kgce.analytics.booked import YearAccounts, accounts_of
from kgce.analytics.branches import Branch
from kgce.analytics.evaluating import Stated, stated_of
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore, Registry

YEARS_BACK: Final = 3  # of own history that a month is held against


def screen_branch(book: Book, branch: Branch, ledger: YearLedger, *, newest_ms: int) -> list[Finding]:
    """Meters and accounts of a branch: gaps, standstills, steps, leaps, little measured and unusual months.

    Args:
        book: where the ledgers of earlier years are; those that are kept are looked at.
        branch: what the registry says of it.
        ledger: its year.
        newest_ms: newest reading of the whole store: its day is not over. UTC. [ms]

    """
    name, year = branch.name, ledger.year
    until = np.datetime64(datetime.fromtimestamp(newest_ms / 1000, ZoneInfo(name.timezone)).date())
    points = {point.series.key: point for point in branch.points}
    found = screen_points(ledger, [points[key] for key in ledger.keys], until=until)
    earlier = []
    for before in range(year - YEARS_BACK, year):
        kept = book.kept(before, name)
        if kept is not None and len(kept[1].keys):
            earlier.append(accounts_of(kept[1], kept[0], kept[0].institutions).table)
    table = accounts_of(ledger, branch, branch.institutions).table
    return found + screen_accounts(table, year=year, until=until, earlier=earlier)


def screen_peers(book: Book, registry: Registry, year: int) -> list[Finding]:
    """Institutions of a year beside each other and beside their year before.

    Raises:
        StoreUnavailable: the store or the shelf does not answer.
    """
    now = book.year(year)
    if not now.institutions:
        return []
    before = book.year(year - 1)
    classes = {row.institution: row.peer_class for row in registry.attributes(year)}
    names = [classes.get(one.id, "") for one in now.institutions]
    codes = np.unique(np.array(names, np.str_), return_inverse=True)[1].astype(np.intp)
    return screen_year(now, _stated(registry, now), codes, before, _stated(registry, before))


def _stated(registry: Registry, accounts: YearAccounts) -> Stated:
    rows = {row.institution: row for row in registry.attributes(accounts.year)}
    return stated_of([rows.get(one.id) for one in accounts.institutions])


def screen_hours(store: ReadingStore, registry: Registry, branch: Branch, year: int) -> list[Finding]:
    """Nights and weekends of a branch's institutions.

    Raises:
        StoreUnavailable: no answer.
    """
    classes = {row.institution: row.peer_class for row in registry.attributes(year)}
    found = []
    for institution in branch.institutions:
        points = [point for point in branch.points if point.series.institution == institution.id]
        changes = [change for change in branch.changes if change.institution == institution.id]
        peer_class = classes.get(institution.id, "")
        found += screen_nights(store, institution, points, changes, year=year, peer_class=peer_class)
    return found
