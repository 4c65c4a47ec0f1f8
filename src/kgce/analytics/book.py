"""Book: the ledgers of all years and parts of the tree, brought up to date when somebody asks.

registry + store --year_ledger.py--> Shelf --accounts.py--> YearAccounts: buildings, institutions

A part is one county (and time zone): it is worked out, kept and lost on its own, so that a cluster can share the parts
and a killed run goes on with the next one.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kgce.analytics.accounts import (
    AccountTable,
    Metered,
    book,
    bookings,
    expected_share,
    gather,
    net_of_others,
)
from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.virtual import combine, parse_expression
from kgce.analytics.ledger.year_ledger import News, Work, YearLedger, update
from kgce.domain.batch import Int64Array
from kgce.domain.carriers import CARRIERS
from kgce.domain.changes import MeterChange
from kgce.domain.metering import VirtualMeter
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.quantities import Kind
from kgce.domain.roles import Role
from kgce.domain.tree import Institution, Point, Series

SILENT: Final = "none"  # part of institutions without a region

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, order=True)
class PartName:
    """A county's code, or `none`, and the time zone of its institutions."""

    region: str
    timezone: str

    @classmethod
    def of(cls, institution: Institution) -> "PartName":
        """The part an institution belongs to."""
        return cls(institution.region or SILENT, institution.timezone)

    def at(self, year: int) -> str:
        """Name on the shelf."""
        return f"ledger/{year}/{self.region}@{self.timezone.replace('/', '~')}"


@dataclass(frozen=True, slots=True, eq=False)
class YearAccounts:
    """One year of some institutions, ordered by id: what each booked, and by building (`institution/building`)."""

    year: int
    institutions: tuple[Institution, ...]
    table: AccountTable
    buildings: AccountTable
    month_days: Int64Array  # (12,) days of each month


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What the registry says about one part."""

    name: PartName
    institutions: list[Institution]
    points: list[Point]
    changes: list[MeterChange]
    virtual: list[VirtualMeter]


class Book:
    """Years of ledgers over one store and registry."""

    def __init__(self, store: ReadingStore, registry: Registry, shelf: Shelf | None = None) -> None:
        """Without a shelf everything is worked out each time it is asked for."""
        self._store, self._registry, self._shelf = store, registry, shelf
        self._lock = threading.Lock()

    def bring_up(
        self,
        years: Iterable[int],
        *,
        advance: Advance = lambda _done, _all: None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Work:
        """Work everything new into the years' ledgers and keep them; what was done.

        Raises:
            StoreUnavailable: the store or the shelf does not answer; what was done so far is kept.
        """
        parts, chosen = self._parts(), list(years)
        worked = blocks = 0
        news = _NewsDesk(self._store)
        for place, (year, part) in enumerate((year, part) for year in chosen for part in parts):
            if not go_on():
                break
            _, work = self._updated(part, year, news)
            worked, blocks = worked + work.worked_out, blocks + work.blocks
            advance(place + 1, len(chosen) * len(parts))
        return Work(worked, blocks)

    def forget(self, years: Iterable[int]) -> None:
        """Keep nothing of these years: the next one who asks has them worked out anew."""
        if self._shelf is None:
            return
        for year in years:
            for part in self._parts():
                self._shelf.save(part.name.at(year), YearLedger.empty(year, part.name.timezone).arrays())

    def year(self, year: int, only: str | None = None) -> YearAccounts:
        """A year's accounts of all institutions, or of one, with everything worked in that the store has.

        Raises:
            UnknownInstitution: the one asked for does not exist.
            StoreUnavailable: the store does not answer.
        """
        wanted = None if only is None else self._registry.institution(only)
        news, found = _NewsDesk(self._store), []
        for part in self._parts(wanted):
            ledger, _ = self._updated(part, year, news)
            found.append(_accounts(ledger, part, part.institutions if wanted is None else [wanted]))
        return _joined(year, found)

    def metered(self, year: int, institution: Institution) -> tuple[YearAccounts, Metered]:
        """One institution's accounts, and the months of the points they were booked from, net of others."""
        (part,) = self._parts(institution)
        ledger, _ = self._updated(part, year, _NewsDesk(self._store))
        return _accounts(ledger, part, [institution]), _metered(ledger, part, [institution])

    def ledger(self, year: int, institution: Institution) -> YearLedger:
        """The year's point ledger of the part an institution belongs to."""
        (part,) = self._parts(institution)
        return self._updated(part, year, _NewsDesk(self._store))[0]

    def _parts(self, wanted: Institution | None = None) -> list[_Part]:
        """The parts, or the one of an institution; without a shelf that institution alone."""
        alone = wanted.id if wanted is not None and self._shelf is None else None
        institutions = [wanted] if wanted is not None and alone else self._registry.institutions()
        by_name: dict[PartName, list[Institution]] = {}
        for institution in institutions:
            by_name.setdefault(PartName.of(institution), []).append(institution)
        if wanted is not None:
            by_name = {PartName.of(wanted): by_name[PartName.of(wanted)]}
        home = {institution.id: name for name, found in by_name.items() for institution in found}
        points: dict[PartName, list[Point]] = {name: [] for name in by_name}
        for point in self._registry.points(alone):
            if point.series.institution in home and point.kind in {Kind.COUNTER, Kind.INTERVAL}:
                points[home[point.series.institution]].append(point)
        changes: dict[PartName, list[MeterChange]] = {name: [] for name in by_name}
        for declared in self._registry.changes(alone):
            if declared.change.institution in home:
                changes[home[declared.change.institution]].append(declared.change)
        virtual: dict[PartName, list[VirtualMeter]] = {name: [] for name in by_name}
        for meter in self._registry.virtual_meters(alone):
            if meter.institution in home:
                virtual[home[meter.institution]].append(meter)
        return [_Part(name, by_name[name], points[name], changes[name], virtual[name]) for name in sorted(by_name)]

    def _updated(self, part: _Part, year: int, news: "_NewsDesk") -> tuple[YearLedger, Work]:
        with self._lock:
            held = None if self._shelf is None else self._shelf.load(part.name.at(year))
            before = YearLedger.empty(year, part.name.timezone) if held is None else YearLedger.of_arrays(held)
            ledger, work = update(before, part.points, self._store, news.since(before.cursor), part.changes)
            if self._shelf is not None and (work.worked_out or ledger.cursor != before.cursor or held is None):
                self._shelf.save(part.name.at(year), ledger.arrays())
        return ledger, work


def _accounts(ledger: YearLedger, part: _Part, institutions: Sequence[Institution]) -> YearAccounts:
    edges = _month_bounds(ledger.year, part.name.timezone)
    return account(_metered(ledger, part, institutions), institutions, year=ledger.year, edges_ms=edges)


def _metered(ledger: YearLedger, part: _Part, institutions: Sequence[Institution]) -> Metered:
    """Points and virtual meters of these institutions, net of what is not their own."""
    wanted = {institution.id for institution in institutions}
    points = {point.series.key: point for point in part.points if point.series.institution in wanted}
    rows = [row for row, key in enumerate(ledger.keys) if key in points]
    edges = _month_bounds(ledger.year, part.name.timezone)
    own = tuple(points[ledger.keys[row]] for row in rows)
    virtual = [meter for meter in part.virtual if meter.institution in wanted]
    own, months = _with_virtual(own, ledger.month.row(np.array(rows, np.intp)), virtual)
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
    days = np.round(np.diff(edges_ms) / 86_400_000).astype(np.int64)
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


def _month_bounds(year: int, timezone: str) -> Int64Array:
    edges = month_edges_ms(year, timezone)
    return np.array([month[0] for month in edges] + [edges[-1][-1]], np.int64)


def _joined(year: int, parts: Sequence[YearAccounts]) -> YearAccounts:
    """The parts' institutions in one table, ordered by id."""
    institutions = sorted(institution for part in parts for institution in part.institutions)
    row_of = {institution.id: row for row, institution in enumerate(institutions)}
    homes = sorted(home for part in parts for home in part.buildings.owners)
    home_of = {home: row for row, home in enumerate(homes)}
    table = gather(
        [part.table for part in parts], list(row_of), [[row_of[name] for name in part.table.owners] for part in parts]
    )
    buildings = gather(
        [part.buildings for part in parts], homes, [[home_of[home] for home in part.buildings.owners] for part in parts]
    )
    days = parts[0].month_days if parts else np.zeros(12, np.int64)
    return YearAccounts(year, tuple(institutions), table, buildings, days)


class _NewsDesk:
    """News by cursor; the newest readings are asked for once."""

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._held: dict[int, News] = {}

    def since(self, cursor: int) -> News:
        if cursor not in self._held:
            known: Mapping[int, News] = self._held
            first = next(iter(known.values()), None)
            self._held[cursor] = (
                News.of(self._store, cursor) if first is None else replace(first, touched=self._store.touched(cursor))
            )
        return self._held[cursor]
