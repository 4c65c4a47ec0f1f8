"""Booked: a branch's ledger put on the accounts of its buildings and institutions.

year_ledger.py --amounts of points--> here, with virtual meters --accounts.py--> YearAccounts --book.py--> who asks
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgce.analytics.accounts import AccountTable, Metered, book, bookings, expected_share, gather, net_of_others
from kgce.analytics.branches import Branch
from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.virtual import combine, parse_expression
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.carriers import CARRIERS
from kgce.domain.metering import VirtualMeter
from kgce.domain.quantities import Kind
from kgce.domain.roles import Role
from kgce.domain.tree import Institution, Point, Series


@dataclass(frozen=True, slots=True, eq=False)
class YearAccounts:
    """One year of some institutions, ordered by id: what each booked, and by building (`institution/building`)."""

    year: int
    institutions: tuple[Institution, ...]
    table: AccountTable
    buildings: AccountTable
    month_days: FloatArray  # (12,) length of each month; where clocks change, two are an hour shorter or longer [d]


def accounts_of(ledger: YearLedger, branch: Branch, institutions: Sequence[Institution]) -> YearAccounts:
    """What these institutions of a branch booked in the ledger's year."""
    edges = month_bounds(ledger.year, branch.name.timezone)
    return account(metered_of(ledger, branch, institutions), institutions, year=ledger.year, edges_ms=edges)


def metered_of(
    ledger: YearLedger,
    branch: Branch,
    institutions: Sequence[Institution],
    amounts: Amounts | None = None,
    edges_ms: Int64Array | None = None,
) -> Metered:
    """Points and virtual meters of these institutions, net of what is not their own, by month or as `amounts` are."""
    wanted = {institution.id for institution in institutions}
    points = {point.series.key: point for point in branch.points if point.series.institution in wanted}
    rows = [row for row, key in enumerate(ledger.keys) if key in points]
    edges = month_bounds(ledger.year, branch.name.timezone) if edges_ms is None else edges_ms
    own = tuple(points[ledger.keys[row]] for row in rows)
    virtual = [meter for meter in branch.virtual if meter.institution in wanted]
    held = ledger.month if amounts is None else amounts
    own, months = _with_virtual(own, held.row(np.array(rows, np.intp)), virtual)
    return net_of_others(Metered(own, months, expected_share(own, edges)))


def account(metered: Metered, institutions: Sequence[Institution], *, year: int, edges_ms: Int64Array) -> YearAccounts:
    """Points onto the accounts of their buildings, buildings into institutions."""
    accounts = sorted({booking.account for booking in bookings(metered.points)})
    homes = [f"{point.series.institution}/{point.series.building}" for point in metered.points]
    buildings = sorted(set(homes))
    place_of = {home: place for place, home in enumerate(buildings)}
    by_building = book(metered, buildings, [place_of[home] for home in homes], accounts)
    ids = [institution.id for institution in institutions]
    row_of = {name: row for row, name in enumerate(ids)}
    table = gather([by_building], ids, [[row_of[home.rpartition("/")[0]] for home in buildings]])
    days = np.diff(edges_ms) / 86_400_000
    return YearAccounts(year, tuple(institutions), table, by_building, days)


def _with_virtual(
    points: tuple[Point, ...], months: Amounts, meters: Sequence[VirtualMeter]
) -> tuple[tuple[Point, ...], Amounts]:
    """The points with the virtual meters over them, as further points."""
    if not meters:
        return points, months
    place_of: dict[tuple[str, str], int] = {}
    for row, point in enumerate(points):
        place_of[point.series.institution, point.series.point_id] = row
        place_of.setdefault((point.series.institution, point.id), row)
    rows, made = [], []
    for meter in meters:
        expression = parse_expression(meter.expression)
        if not all((meter.institution, name) in place_of for name in expression.factors):
            continue  # a point was taken away since: `kgce meter` tells it
        own = {name: months.row(place_of[meter.institution, name]) for name in expression.factors}
        rows.append(combine(expression, own.__getitem__))
        made.append(virtual_point(meter))
    if not rows:
        return points, months
    added = Amounts(*(np.stack(column) for column in zip(*(row.columns for row in rows), strict=True)))
    return (*points, *made), Amounts.concat([months, added])


def virtual_point(meter: VirtualMeter) -> Point:
    """A virtual meter as a point among the others."""
    carrier = CARRIERS[meter.carrier]
    series = Series(meter.institution, meter.name, carrier.field(Kind.INTERVAL), carrier.measurement, meter.building)
    role = Role(item=meter.item, use=meter.use)
    return Point(series, meter.carrier, Kind.INTERVAL, counts=meter.counts, role=role)


def month_bounds(year: int, timezone: str) -> Int64Array:
    """(13,) edges of the local months of a year. UTC. [ms]."""
    edges = month_edges_ms(year, timezone)
    return np.array([month[0] for month in edges] + [edges[-1][-1]], np.int64)


def joined(year: int, branches: Sequence[YearAccounts]) -> YearAccounts:
    """The branches' institutions in one table, ordered by id."""
    institutions = sorted(institution for branch in branches for institution in branch.institutions)
    row_of = {institution.id: row for row, institution in enumerate(institutions)}
    homes = sorted(home for branch in branches for home in branch.buildings.owners)
    home_of = {home: row for row, home in enumerate(homes)}
    table = gather(
        [branch.table for branch in branches],
        list(row_of),
        [[row_of[name] for name in branch.table.owners] for branch in branches],
    )
    buildings = gather(
        [branch.buildings for branch in branches],
        homes,
        [[home_of[home] for home in branch.buildings.owners] for branch in branches],
    )
    days = branches[0].month_days if branches else np.zeros(12)
    return YearAccounts(year, tuple(institutions), table, buildings, days)
