"""Costing: what an institution's year cost, carrier by carrier, month by month.

readings --point_amounts by the quarter of an hour--> net of others --costs.py--> months of each carrier
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kgce.analytics.accounts import Account, Part, book
from kgce.analytics.booked import metered_of
from kgce.analytics.branches import Branch, branches_of
from kgce.analytics.costs import QUARTER_MS, Cost, cost_of
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.tariffs import Tariff

FINE: Final = 0.9  # how far its quarters of an hour must be measured for a month to be priced by them


@dataclass(frozen=True, slots=True, eq=False)
class CarrierCost:
    """(12,) months of one carrier: amount [carrier's unit], measured 0..1, total and parts [yuan]; NaN = unknown.

    by_quarter: whether each month was priced by the quarter of an hour; tariffs: that were used.
    """

    carrier: str
    amount: FloatArray
    measured: FloatArray
    total: FloatArray
    parts: dict[str, FloatArray]
    by_quarter: tuple[bool, ...]
    tariffs: tuple[str, ...]


def institution_cost(store: ReadingStore, registry: Registry, *, institution: str, year: int) -> list[CarrierCost]:
    """Cost of each carrier that an institution is billed for.

    A month whose quarters of an hour are little known (bills, gaps) is priced as a whole.

    Raises:
        UnknownInstitution: no such institution.
        StoreUnavailable: no answer.
    """
    place = registry.institution(institution)
    tariffs = registry.tariffs(institution=institution, region=place.region)
    (branch,) = branches_of(registry, [place], named=True)
    carriers = sorted({point.carrier for point in branch.points} | {meter.carrier for meter in branch.virtual})
    found = {carrier: _Months(carrier, [one for one in tariffs if one.carrier == carrier]) for carrier in carriers}
    for days in month_edges_ms(year, place.timezone):
        edges = np.arange(int(days[0]), int(days[-1]) + 1, QUARTER_MS, dtype=np.int64)
        amounts, measured = _by_quarter(store, branch, edges, carriers)
        for row, carrier in enumerate(carriers):
            found[carrier].add(amounts[row], measured[row], edges, place.timezone)
    return [months.cost() for months in found.values() if np.isfinite(months.amount).any()]


def _by_quarter(
    store: ReadingStore, branch: Branch, edges: Int64Array, carriers: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """(k, m) amounts of each carrier's total, net of others, and how far each was measured in its own quarter, 0..1."""
    (place,) = branch.institutions
    ordered = sorted(branch.points, key=lambda point: point.series.key)
    read = read_neighbourly(store, ordered, start_ms=int(edges[0]), end_ms=int(edges[-1]))
    amounts = point_amounts(ordered, read.batch, edges, place.timezone, branch.changes)
    ledger = replace(YearLedger.empty(2000, place.timezone), keys=tuple(point.series.key for point in ordered))
    metered = metered_of(ledger, branch, [place], amounts, edges)
    accounts = [Account(carrier, Part.TOTAL) for carrier in carriers]
    table = book(metered, [place.id], [0] * len(metered.points), accounts)
    amount, expected = table.amount[0], table.expected[0]
    share = np.divide(table.coverage[0], expected, out=np.zeros(expected.shape), where=expected > 0)
    size = np.abs(np.nan_to_num(amount))
    guessed = np.divide(np.abs(table.estimated[0]), size, out=np.zeros(size.shape), where=size > 0)
    return amount, share * (1.0 - np.minimum(guessed, 1.0))


class _Months:
    """A carrier's months as they come."""

    def __init__(self, carrier: str, tariffs: Sequence[Tariff]) -> None:
        self._carrier, self._tariffs = carrier, tariffs
        self.amount = np.full(12, np.nan)
        self._coverage, self._total = np.zeros(12), np.full(12, np.nan)
        self._parts: dict[str, FloatArray] = {}
        self._fine: list[bool] = []

    def add(self, amount: FloatArray, measured: FloatArray, edges: Int64Array, timezone: str) -> None:
        """Price the next month."""
        month = len(self._fine)
        fine = bool(measured.mean() >= FINE) and bool(np.isfinite(amount).all())
        self._fine.append(fine)
        self._coverage[month] = measured.mean()
        if not np.isfinite(amount).any():
            return
        used = float(np.nansum(self.amount[:month]))
        self.amount[month] = float(np.nansum(amount))
        found = (
            cost_of(amount, edges, self._tariffs, timezone, used_before=used)
            if fine
            else cost_of(self.amount[month : month + 1], edges[[0, -1]], self._tariffs, timezone, used_before=used)
        )
        self._book(month, found)

    def _book(self, month: int, found: Cost) -> None:
        self._total[month] = found.total.sum()
        for name, values in found.parts.items():
            self._parts.setdefault(name, np.zeros(12))[month] = values.sum()

    def cost(self) -> CarrierCost:
        """All of it."""
        names = tuple(one.id for one in self._tariffs)
        return CarrierCost(
            self._carrier, self.amount, self._coverage, self._total, self._parts, tuple(self._fine), names
        )
