"""Screening: which points and institutions are worth a detector's look, and what the detectors say of them.

year_ledger.py, accounts.py --days, months--> here --rows that may be odd--> detectors --> findings

A province has millions of points: a detector sees only rows that a cheap look over all of them could not clear.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from kgce.analytics.accounts import Account, AccountTable, Part
from kgce.analytics.anomalies.coverage import MAX_GAP_DAYS, MIN_COVERAGE, long_gaps, low_coverage
from kgce.analytics.anomalies.dates import DateArray
from kgce.analytics.anomalies.history import MONTH_LIMIT, unlike_history
from kgce.analytics.anomalies.leaps import leaps
from kgce.analytics.anomalies.robust import ROUNDING
from kgce.analytics.anomalies.steps import MIN_RATIO, WINDOW_DAYS, step_changes
from kgce.analytics.anomalies.stuck import MAX_STILL_DAYS, stuck_meter
from kgce.analytics.ledger.amounts import Provenance
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point

_HALF: Final = 0.5  # a block of days must be half known to have a median


def screen_points(ledger: YearLedger, points: Sequence[Point], *, until: np.datetime64) -> list[Finding]:
    """Gaps, standstills, steps and leaps of the days of points that have been heard at all.

    Args:
        ledger: a year of n points.
        points: (n,) in the ledger's order.
        until: local day that is not over: it and later ones are left out.
    """
    day = np.arange(np.datetime64(f"{ledger.year}-01-01"), min(np.datetime64(f"{ledger.year + 1}-01-01"), until))
    amount = ledger.day.amount[:, : len(day)]
    known = np.isfinite(amount)
    heard = known.any(axis=1)
    if not len(day) or not heard.any():
        return []
    found = _gaps(points, day, amount, known, np.flatnonzero(heard & (known.sum(axis=1) < len(day) - MAX_GAP_DAYS)))
    is_measured = ledger.day.provenance[:, : len(day)] == Provenance.MEASURED
    amount = np.where(is_measured, amount, np.nan)  # a day's part of a bill or a gap says nothing of the day
    still = np.flatnonzero((amount == 0).sum(axis=1) > MAX_STILL_DAYS)
    found += _stuck(points, day, amount, still[[points[row].kind is Kind.COUNTER for row in still.tolist()]])
    for row in np.flatnonzero(_may_step(amount)).tolist():
        found += _told(points[row], step_changes("", day, amount[row], unit=CARRIERS[points[row].carrier].unit))
    counters = np.array([point.kind is Kind.COUNTER for point in points], np.bool_)
    for row, one in leaps(day, np.where(counters[:, None], amount, np.nan)):
        found += _told(points[row], [one])
    return found


def _gaps(
    points: Sequence[Point], day: DateArray, amount: FloatArray, known: BoolArray, rows: np.ndarray
) -> list[Finding]:
    """Days without an amount between the first and the last known one, and after it; before it nobody had a meter."""
    found = []
    for row in rows.tolist():
        first = int(known[row].argmax())
        found += _told(points[row], long_gaps("", day[first:], amount[row, first:]))
    return found


def _stuck(points: Sequence[Point], day: DateArray, amount: FloatArray, rows: np.ndarray) -> list[Finding]:
    """Standstills, each beside the other meters of the same carrier at the institution."""
    of_site: dict[tuple[str, str], list[int]] = {}
    for row, point in enumerate(points):
        of_site.setdefault((point.series.institution, point.carrier), []).append(row)
    found = []
    for row in rows.tolist():
        point = points[row]
        others = [one for one in of_site[point.series.institution, point.carrier] if one != row]
        moved = (np.nan_to_num(amount[others]) != 0).any(axis=0) if others else None
        found += _told(point, stuck_meter("", day, amount[row], peers_moved=moved))
    return found


def _may_step(amount: FloatArray) -> BoolArray:
    """(n,) whether medians of four weeks differ from the next ones by so much that a step is possible."""
    blocks = amount.shape[1] // WINDOW_DAYS
    if blocks < 2:  # noqa: PLR2004 - nothing before or nothing after
        return np.zeros(len(amount), np.bool_)
    shaped = amount[:, : blocks * WINDOW_DAYS].reshape(len(amount), blocks, WINDOW_DAYS)
    enough = np.isfinite(shaped).mean(axis=2) >= _HALF
    middle = np.median(np.where(np.isfinite(shaped), shaped, 0.0), axis=2)
    change = np.abs(np.diff(middle, axis=1)) > MIN_RATIO * _HALF * np.abs(middle[:, :-1])
    both = enough[:, 1:] & enough[:, :-1]
    return np.asarray((change & both).any(axis=1) & (middle != 0).any(axis=1), np.bool_)


def _told(point: Point, findings: Sequence[Finding]) -> list[Finding]:
    """Findings on a meter as findings on its institution."""
    name = point.series.point_id
    return [
        Finding(one.id, point.series.institution, f"{name}: {one.message}", {"point": name, **one.evidence})
        for one in findings
    ]


def _booked(institution: str, carrier: str, findings: Sequence[Finding]) -> list[Finding]:
    """Findings on an account as findings on its institution."""
    return [
        Finding(one.id, institution, f"{carrier}: {one.message}", {"carrier": carrier, **one.evidence})
        for one in findings
    ]


def screen_accounts(
    table: AccountTable, *, year: int, until: np.datetime64, earlier: Sequence[AccountTable] = ()
) -> list[Finding]:
    """Months of institutions that are too little measured, or unlike the same months of earlier years.

    Args:
        table: (n, k, 12) the year.
        year: of it.
        until: local day that is not over: its month and later ones are left out.
        earlier: tables of earlier years, the oldest first; who is not in them has no history.
    """
    month = np.arange(f"{year}-01", f"{year + 1}-01", dtype="datetime64[M]")
    month = month[month < until.astype("datetime64[M]")]
    found = []
    for account in _totals(table.accounts):
        column = table.accounts.index(account)
        unit = CARRIERS[account.carrier].unit
        expected = table.expected[:, column, : len(month)]
        coverage = np.divide(
            table.coverage[:, column, : len(month)], expected, out=np.full(expected.shape, np.nan), where=expected > 0
        )
        coverage[np.cumsum(coverage > 0, axis=1) == 0] = np.nan  # before its first reading nobody had a meter
        for row in np.flatnonzero((coverage < MIN_COVERAGE - ROUNDING).any(axis=1)).tolist():
            found += _booked(table.owners[row], account.carrier, low_coverage("", month, coverage[row]))
        found += _unlike(table, account, len(month), earlier, year=year, unit=unit)
    return found


def _unlike(
    table: AccountTable, account: Account, months: int, earlier: Sequence[AccountTable], *, year: int, unit: str
) -> list[Finding]:
    """Rows whose months lie off the median of their own earlier ones, each judged by its own noise."""
    before = [_months_of(one, account, table.owners) for one in earlier if account in one.accounts]
    if not before:
        return []
    now = _months_of(table, account, table.owners)
    now[:, months:] = np.nan
    history = np.stack(before)
    known = np.isfinite(history).any(axis=0)
    usual = np.full(now.shape, np.nan)
    usual[known] = np.nanmedian(history[:, known], axis=0)
    off = np.abs(now - usual) > MONTH_LIMIT * np.abs(usual)
    found = []
    for row in np.flatnonzero(off.any(axis=1)).tolist():
        rows = np.vstack([history[:, row], now[row]])
        told = unlike_history("", rows, year=year, unit=unit)
        found += _booked(table.owners[row], account.carrier, told)
    return found


def _months_of(table: AccountTable, account: Account, owners: Sequence[str]) -> FloatArray:
    """(n, 12) months of an account in the order of these owners; one too little measured is unknown."""
    place_of = {owner: place for place, owner in enumerate(table.owners)}
    places = np.array([place_of.get(owner, -1) for owner in owners], np.intp)
    column = table.accounts.index(account)
    whole = table.coverage[:, column] >= MIN_COVERAGE * table.expected[:, column]
    months: FloatArray = np.where(whole, table.amount[:, column], np.nan)[places]
    months[places < 0] = np.nan
    return months


def _totals(accounts: Iterable[Account]) -> list[Account]:
    return [account for account in accounts if account.part is Part.TOTAL]
