"""Book: the ledgers of all years and branches of the tree, brought up to date when somebody asks.

registry + store --year_ledger.py--> Shelf --accounts.py--> YearAccounts: buildings, institutions

A branch is one county (and time zone): it is worked out, kept and lost on its own, so that a cluster can share them out
and a killed run goes on with the next one.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from kgce.analytics.accounts import (
    AccountTable,
    Metered,
)
from kgce.analytics.balance import balance_findings
from kgce.analytics.booked import YearAccounts, account, accounts_of, joined, metered_of, month_bounds
from kgce.analytics.branches import Branch, BranchName, branches_of, members
from kgce.analytics.grid import Grid
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.year_ledger import News, Work, YearLedger, update
from kgce.analytics.resets import reset_findings
from kgce.domain.batch import Int64Array
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.tree import Institution

MANY_MARKS: Final = 10_000  # seen in vain: from here on a ledger is written again, so that they are not asked for again
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """What an update did, and what the meters of the year say about each other."""

    work: Work = field(default_factory=lambda: Work(0, 0))
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: "BroughtUp") -> "BroughtUp":
        return BroughtUp(self.work + other.work, self.findings + other.findings)


class Book:
    """Years of ledgers over one store and registry."""

    def __init__(self, store: ReadingStore, registry: Registry, shelf: Shelf | None = None) -> None:
        """Without a shelf everything is worked out each time it is asked for."""
        self._store, self._registry, self._shelf = store, registry, shelf
        self._lock = threading.Lock()

    def bring_up(self, year: int, *, advance: Advance = lambda _done, _all: None) -> "BroughtUp":
        """Work everything new into the year's ledgers, branch by branch, and keep each; what was done and found.

        Raises:
            StoreUnavailable: the store or the shelf does not answer; what was done so far is kept.
        """
        branches, news, done = self._branches(), _NewsDesk(self._store), BroughtUp()
        for place, branch in enumerate(branches):
            done += self._brought_up(branch, year, news)
            advance(place + 1, len(branches))
        return done

    def names(self) -> list[BranchName]:
        """The branches there are, in order."""
        return [branch.name for branch in self._branches()]

    def bring_up_branch(self, year: int, name: BranchName) -> "BroughtUp":
        """Work everything new into one branch of a year and keep it: what a cluster's worker does.

        Raises:
            StoreUnavailable: the store or the shelf does not answer.
        """
        branches = branches_of(self._registry, members(self._registry, name), named=True)
        return sum((self._brought_up(branch, year, _NewsDesk(self._store)) for branch in branches), BroughtUp())

    def _brought_up(self, branch: Branch, year: int, news: "_NewsDesk") -> "BroughtUp":
        ledger, work = self._updated(branch, year, news)
        points = {point.series.key: point for point in branch.points}
        ordered = [points[key] for key in ledger.keys]
        found = balance_findings(ordered, ledger.month, year=year)
        found += reset_findings(ledger, ordered, branch.changes, month_edges_ms(year, ledger.timezone))
        return BroughtUp(work, tuple(found))

    def forget(self, years: Iterable[int]) -> None:
        """Keep nothing of these years: the next one who asks has them worked out anew."""
        if self._shelf is None:
            return
        for year in years:
            for branch in self._branches():
                self._shelf.save(branch.name.at(year), YearLedger.empty(year, branch.name.timezone).arrays())

    def year(self, year: int, only: str | None = None) -> YearAccounts:
        """A year's accounts of all institutions, or of one, with everything worked in that the store has.

        Raises:
            UnknownInstitution: the one asked for does not exist.
            StoreUnavailable: the store does not answer.
        """
        wanted = None if only is None else self._registry.institution(only)
        news, found = _NewsDesk(self._store), []
        for branch in self._branches(wanted):
            ledger, _ = self._updated(branch, year, news)
            found.append(accounts_of(ledger, branch, branch.institutions if wanted is None else [wanted]))
        return joined(year, found)

    def metered(self, year: int, institution: Institution) -> tuple[YearAccounts, Metered]:
        """One institution's accounts, and the months of the points they were booked from, net of others."""
        (branch,) = self._branches(institution)
        ledger, _ = self._updated(branch, year, _NewsDesk(self._store))
        return accounts_of(ledger, branch, [institution]), metered_of(ledger, branch, [institution])

    def ledger(self, year: int, institution: Institution) -> YearLedger:
        """The year's point ledger of the branch an institution belongs to."""
        (branch,) = self._branches(institution)
        return self._updated(branch, year, _NewsDesk(self._store))[0]

    def kept(self, year: int, name: BranchName) -> tuple[Branch, YearLedger] | None:
        """One branch with its ledger of a year as it lies on the shelf; None where it was never worked out."""
        held = None if self._shelf is None else self._shelf.load(name.at(year))
        if held is None:
            return None
        (branch,) = branches_of(self._registry, members(self._registry, name), named=True)
        return branch, YearLedger.of_arrays(held)

    def branch(self, year: int, name: BranchName) -> tuple[Branch, YearLedger]:
        """One branch with its ledger of a year.

        Raises:
            StoreUnavailable: the store or the shelf does not answer.
        """
        (branch,) = branches_of(self._registry, members(self._registry, name), named=True)
        return branch, self._updated(branch, year, _NewsDesk(self._store))[0]

    def by_building(self, year: int, name: BranchName, grid: Grid) -> tuple[AccountTable, Int64Array]:
        """What the buildings of a branch booked in each day or month of a year; edges of those. UTC. [ms].

        Raises:
            ValueError: the grid is neither of them.
            StoreUnavailable: the store or the shelf does not answer.
        """
        if grid not in {Grid.DAY, Grid.MONTH}:
            raise ValueError(f"ledgers are kept by day and month, not by {grid}")
        branch, ledger = self.branch(year, name)
        months = month_edges_ms(year, name.timezone)
        edges = np.unique(np.concatenate(months)) if grid is Grid.DAY else month_bounds(year, name.timezone)
        amounts = ledger.day if grid is Grid.DAY else ledger.month
        metered = metered_of(ledger, branch, branch.institutions, amounts, edges)
        found = account(metered, branch.institutions, year=year, edges_ms=edges)
        return found.buildings, edges

    def _branches(self, wanted: Institution | None = None) -> list[Branch]:
        """All branches, or the one of an institution; without a shelf that institution alone."""
        if wanted is None:
            return branches_of(self._registry, self._registry.institutions())
        alone = self._shelf is None
        return branches_of(
            self._registry, [wanted] if alone else members(self._registry, BranchName.of(wanted)), named=True
        )

    def _updated(self, branch: Branch, year: int, news: "_NewsDesk") -> tuple[YearLedger, Work]:
        with self._lock:
            held = None if self._shelf is None else self._shelf.load(branch.name.at(year))
            before = YearLedger.empty(year, branch.name.timezone) if held is None else YearLedger.of_arrays(held)
            told = news.since(before.cursor)
            ledger, work = update(before, branch.points, self._store, told, branch.changes)
            if self._shelf is not None and (work.worked_out or len(told.touched) > MANY_MARKS or held is None):
                self._shelf.save(branch.name.at(year), ledger.arrays())
        return ledger, work


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
