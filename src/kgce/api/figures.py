"""Figures that routes and console share, each kept for a while: ranking, years, today, findings, main meters."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kgce.analytics import figures
from kgce.analytics.figures import RankRow
from kgce.analytics.indicators import Indicator
from kgce.analytics.leaderboard import leaderboard
from kgce.analytics.standing import stand
from kgce.api.held import Held
from kgce.api.power import Device
from kgce.api.today import Today, today
from kgce.domain.factors import chosen_set
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.quantities import Kind
from kgce.domain.targets import book_of


@dataclass(frozen=True, slots=True)
class RankingKey:
    """What a ranking depends on; classes are chosen from the whole afterwards, for ranks are within a class."""

    year: int
    indicator: Indicator
    factor_set: str
    min_coverage: float = figures.MIN_COVERAGE


@dataclass(frozen=True, slots=True)
class LeadersKey:
    """What a leaderboard depends on."""

    year: int
    indicator: Indicator
    factor_set: str
    targets: bool = False


@dataclass(frozen=True, slots=True)
class TodayKey:
    """Whose day, weighed how; None = all that are registered."""

    institutions: tuple[str, ...] | None
    factor_set: str


class Figures:
    """Blocking, safe to call from several threads; what is dear is computed once for all who ask."""

    def __init__(
        self,
        store: ReadingStore,
        registry: Registry,
        *,
        shelf: Shelf | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._registry = registry
        self._shelf = shelf
        self._clock = clock
        self._rankings = Held(self._rank, clock=monotonic)
        self._leaders = Held(self._lead, clock=monotonic, capacity=8)
        self._todays = Held(self._today, clock=monotonic)
        self._years: Held[None, Counter[int]] = Held(self._count_by_year, clock=monotonic)
        self._mains: Held[None, frozenset[Device]] = Held(self._main_meters, clock=monotonic)
        self._names: Held[None, dict[str, str]] = Held(self._institution_names, clock=monotonic)
        self._findings: Held[None, list[Finding]] = Held(lambda _: registry.findings(), clock=monotonic)

    def ranking(self, key: RankingKey) -> tuple[list[RankRow], float]:
        """Rows of all classes and how long ago they were computed. [s].

        Raises:
            ConfigError: no such factor set.
        """
        return self._rankings.get_with_age(key)

    def leaders(self, key: LeadersKey) -> dict[str, Any]:
        """The leaderboard of all classes.

        Raises:
            ConfigError: no such factor set.
        """
        return self._leaders.get(key)

    def today(self, key: TodayKey) -> Today:
        """Amounts since local midnight.

        Raises:
            UnknownInstitution: one of them is not registered.
            ConfigError: no such factor set.
        """
        return self._todays.get(key)

    def years(self) -> list[int]:
        """Years that have attributes, the newest first."""
        return sorted(self._years.get(None), reverse=True)

    def usual_year(self) -> int | None:
        """The finished year with the most institutions, the newest of equals; the running one if there is no other."""
        counts = self._years.get(None)
        running = datetime.fromtimestamp(self._clock(), UTC).year
        finished = [year for year in counts if year < running] or list(counts)
        return max(finished, key=lambda year: (counts[year], year), default=None)

    def mains(self) -> Collection[Device]:
        """Devices whose electricity counter counts: the meters whose power adds up to the whole."""
        return self._mains.get(None)

    def names(self) -> dict[str, str]:
        """Name of every institution, by id."""
        return self._names.get(None)

    def findings(self) -> list[Finding]:
        """All findings, newest origin last."""
        return self._findings.get(None)

    def _rank(self, key: RankingKey) -> list[RankRow]:
        return figures.rank(
            self._store,
            self._registry,
            year=key.year,
            indicator=key.indicator,
            factor_set=chosen_set(self._registry, key.factor_set),
            min_coverage=key.min_coverage,
            shelf=self._shelf,
        )

    def _lead(self, key: LeadersKey) -> dict[str, Any]:
        found = stand(
            self._store,
            self._registry,
            year=key.year,
            factor_set=chosen_set(self._registry, key.factor_set),
            indicators=(key.indicator,),
            targets=book_of(self._registry.targets()) if key.targets else None,
            shelf=self._shelf,
        )
        return leaderboard(found, key.indicator)

    def _today(self, key: TodayKey) -> Today:
        chosen = chosen_set(self._registry, key.factor_set)
        return today(self._store, self._registry, key.institutions, now_s=self._clock(), factor_set=chosen)

    def _count_by_year(self, _: None) -> Counter[int]:
        return Counter(row.year for row in self._registry.attributes())

    def _main_meters(self, _: None) -> frozenset[Device]:
        return frozenset(
            (point.series.institution, point.series.device)
            for point in self._registry.points()
            if point.counts and point.carrier == "electricity" and point.kind is Kind.COUNTER
        )

    def _institution_names(self, _: None) -> dict[str, str]:
        return {one.id: one.name for one in self._registry.institutions()}
