"""Accounts: what an institution used of each carrier and for what, net of what is not its own.

year_ledger.py --amounts of points--> here --(institution, account, month)--> indicators, regions
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kgce.analytics.ledger.amounts import Amounts
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.roles import SPECIAL_SYSTEMS, TAKEN_OUT, Use
from kgce.domain.tree import Point


class Part(StrEnum):
    """What for: the whole of a carrier, or one use or end-use item inside it."""

    TOTAL = "total"
    HEATING = "heating"
    SPECIAL = "special"
    DATA_CENTRE = "data_centre"
    IT = "it"
    EV_OWN = "ev_own"
    EV_OTHER = "ev_other"
    TENANT = "tenant"
    CONSTRUCTION = "construction"
    PV = "pv"
    ITEM_A = "A"
    ITEM_B = "B"
    ITEM_C = "C"
    ITEM_D = "D"


class Account(NamedTuple):
    """One carrier and what for."""

    carrier: str
    part: Part

    def __str__(self) -> str:
        return f"{self.carrier}.{self.part}"


_NEVER: Final = 1 << 62  # ms; beyond any year
# Heat is bought for heating; a meter that says otherwise has another use (domain/roles.py).
_HEATING_CARRIERS: Final = frozenset({"heat"})


@dataclass(frozen=True, slots=True, eq=False)
class AccountTable:
    """(n, k, m): what n owners (institutions, buildings, regions) booked on k accounts in m months.

    amount: carrier's unit, NaN = nothing known; estimated: the part of it not measured in its month; coverage: sum of
    the points' coverage; expected: how many points there should be, in parts where one serves only part of a month.
    """

    owners: tuple[str, ...]
    accounts: tuple[Account, ...]
    amount: FloatArray
    estimated: FloatArray
    coverage: FloatArray
    expected: FloatArray

    @classmethod
    def empty(cls, owners: Sequence[str], accounts: Sequence[Account], months: int = 12) -> "AccountTable":
        """Nothing booked."""
        shape = (len(owners), len(accounts), months)
        return cls(tuple(owners), tuple(accounts), np.full(shape, np.nan), *(np.zeros(shape) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Booking:
    """One point's amount on one account: +1."""

    row: int
    account: Account


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """Points (n) of one part of the tree and their months; expected: (n, m) share of the month in service."""

    points: tuple[Point, ...]
    months: Amounts
    expected: FloatArray


def expected_share(points: Sequence[Point], month_edges_ms: Int64Array) -> FloatArray:
    """(n, m) share of each month in which a point is in service, 1 unless its role says otherwise."""
    begins, ends = month_edges_ms[:-1], month_edges_ms[1:]
    if all(point.role.since_ms is None and point.role.until_ms is None for point in points):
        return np.ones((len(points), len(begins)))
    roles = [point.role for point in points]
    since = np.array([-_NEVER if role.since_ms is None else role.since_ms for role in roles], np.int64)[:, None]
    until = np.array([_NEVER if role.until_ms is None else role.until_ms for role in roles], np.int64)[:, None]
    served = np.minimum(ends, until) - np.maximum(begins, since)
    share: FloatArray = np.clip(served / (ends - begins), 0.0, 1.0)
    return share


def net_of_others(metered: Metered) -> Metered:
    """The same points without what hangs behind them and is not the unit's own.

    Tenants, building sites and other people's cars are taken out of every meter they hang behind. In a month in which
    theirs is unknown, so is what is left of the meter; known in part, the coverage is the lesser of the two.
    Source: energy_domain.md section 3.1 (S-2671 sections 3.3, 5.1.3).
    """
    place_of = {(point.series.institution, point.series.point_id): row for row, point in enumerate(metered.points)}
    months = metered.months
    amount, coverage, estimated = months.amount.copy(), months.coverage.copy(), months.estimated.copy()
    for row, point in enumerate(metered.points):
        if point.role.use not in TAKEN_OUT:
            continue
        chain = ancestors(metered.points, place_of, row)
        if any(metered.points[place].role.use in TAKEN_OUT for place in chain):
            continue  # inside one that is taken out already
        serves = metered.expected[row] > 0
        for place in chain:
            amount[place, serves] -= months.amount[row, serves]
            coverage[place, serves] = np.minimum(coverage[place, serves], months.coverage[row, serves])
            estimated[place, serves] += months.estimated[row, serves]
    estimated = np.minimum(estimated, np.abs(np.nan_to_num(amount)))
    coverage[np.isnan(amount)] = 0.0
    return Metered(
        metered.points, Amounts(amount, coverage, months.provenance, months.flags, estimated), metered.expected
    )


def ancestors(points: Sequence[Point], place_of: Mapping[tuple[str, str], int], row: int) -> list[int]:
    """Rows of the meters a point hangs behind, the nearest first; a ring ends where it would begin again."""
    chain: list[int] = []
    while True:
        point = points[chain[-1] if chain else row]
        place = place_of.get((point.series.institution, point.role.parent)) if point.role.parent else None
        if place is None or place in chain or place == row:
            return chain
        chain.append(place)


def bookings(points: Sequence[Point]) -> list[Booking]:
    """Which accounts each point is booked on.

    A point that counts is booked on its carrier's total; any point on the account of its use and of its item, unless
    it hangs behind one that is booked there already.
    """
    place_of = {(point.series.institution, point.series.point_id): row for row, point in enumerate(points)}
    found = []
    for row, point in enumerate(points):
        chain = [points[place] for place in ancestors(points, place_of, row)]
        above = {part for other in chain for part in _parts(other)}
        found += [Booking(row, Account(point.carrier, part)) for part in _parts(point) if part not in above]
        if point.counts and point.role.use not in TAKEN_OUT | {Use.PV, Use.IT}:
            found.append(Booking(row, Account(point.carrier, Part.TOTAL)))
    return found


def _parts(point: Point) -> list[Part]:
    """Accounts of a point's use and item."""
    use = point.role.use
    parts = [Part(point.role.item[0])] if point.role.item else []
    if use is Use.OWN:
        return [*parts, Part.HEATING] if point.carrier in _HEATING_CARRIERS else parts
    if use in SPECIAL_SYSTEMS:
        parts.append(Part.SPECIAL)
    return parts if use is Use.SPECIAL else [*parts, Part(use.value)]


def book(metered: Metered, owners: Sequence[str], owner_of: Sequence[int], accounts: Iterable[Account]) -> AccountTable:
    """Amounts of points onto the accounts of their owners, in the order of the points.

    Args:
        metered: net of others, points in the order of their keys: the sums' bits depend on it.
        owners: ids of the rows.
        owner_of: (n,) row of each point's owner.
        accounts: columns; what is booked on none of them is left out.
    """
    columns = {account: place for place, account in enumerate(accounts)}
    booked = [booking for booking in bookings(metered.points) if booking.account in columns]
    rows = np.array([booking.row for booking in booked], np.intp)
    column = np.array([columns[booking.account] for booking in booked], np.intp)
    months = metered.months.row(rows)
    return add_up(
        AccountTable.empty(owners, tuple(columns), months.amount.shape[1]),
        np.array(owner_of, np.intp)[rows],
        column,
        (months.amount, months.estimated, months.coverage, metered.expected[rows]),
    )


def add_up(
    empty: AccountTable,
    owner: npt.NDArray[np.intp],
    column: npt.NDArray[np.intp],
    months: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> AccountTable:
    """Rows of months onto (owner, account) cells, in their order.

    Args:
        empty: the table, with nothing booked.
        owner: (r,) row of the table.
        column: (r,) account.
        months: (r, m) amount, estimated, coverage, expected.
    """
    amount, estimated, coverage, expected = months
    owners, accounts, m = empty.amount.shape
    cell = ((owner * accounts + column) * m)[:, None] + np.arange(m)
    flat, size = cell.ravel(), owners * accounts * m
    known = np.isfinite(amount).ravel()
    all_known = bool(known.all())

    def summed(values: FloatArray) -> FloatArray:
        weights = values.ravel() if all_known else np.where(known, values.ravel(), 0.0)
        return np.bincount(flat, weights, size).astype(np.float64).reshape(empty.amount.shape)

    total = summed(amount)
    heard = np.bincount(flat if all_known else flat[known], minlength=size) > 0
    total[~heard.reshape(total.shape)] = np.nan
    covered = np.bincount(flat, np.minimum(coverage, expected).ravel(), size)
    awaited = np.bincount(flat, expected.ravel(), size)
    shape = empty.amount.shape
    return AccountTable(
        empty.owners, empty.accounts, total, summed(estimated),
        covered.astype(np.float64).reshape(shape), awaited.astype(np.float64).reshape(shape),
    )  # fmt: skip


def gather(tables: Sequence[AccountTable], owners: Sequence[str], owner_of: Sequence[Sequence[int]]) -> AccountTable:
    """Tables summed into their rows' owners, in the order given: institutions into counties, counties into cities."""
    accounts = sorted({account for table in tables for account in table.accounts})
    months = tables[0].amount.shape[2] if tables else 12
    whole = AccountTable.empty(owners, accounts, months)
    place_of = {account: place for place, account in enumerate(accounts)}
    for table, own in zip(tables, owner_of, strict=True):
        columns = np.array([place_of[account] for account in table.accounts], np.intp)
        cell = (np.array(own, np.intp)[:, None], columns[None, :])
        known = np.isfinite(table.amount)
        held = np.isfinite(whole.amount)
        np.logical_or.at(held, cell, known)
        whole.amount[held & np.isnan(whole.amount)] = 0.0
        np.add.at(whole.amount, cell, np.where(known, table.amount, 0.0))
        for mine, theirs in (
            (whole.estimated, table.estimated), (whole.coverage, table.coverage), (whole.expected, table.expected),
        ):  # fmt: skip
            np.add.at(mine, cell, theirs)
    return whole
