"""Figures from what is stored: the composition that the command line and the API share.

registry + store --years.py, ledger/--> tables --indicators.py, ranking.py--> rows
"""

from dataclasses import dataclass

import numpy as np

from kgce.analytics.grid import Grid, edges_ms
from kgce.analytics.indicators import UNIT, Indicator, factor_set_of
from kgce.analytics.judging import Judged, judge
from kgce.analytics.ledger.amounts import Provenance, flag_names
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.profile import BILLED, own_profile_points, spread_bills
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.analytics.ranking import rank_within
from kgce.analytics.targets import achieved_drop, progress
from kgce.analytics.years import heard_table, year_table
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import UnknownPoint
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.quantities import Kind
from kgce.domain.targets import PROVINCE_PLAN, Target, book_of
from kgce.domain.tree import Point

MIN_COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One interval of a point's ledger; amount None = nothing known."""

    start_ms: int
    end_ms: int
    amount: float | None
    unit: str
    provenance: str
    coverage_ratio: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RankRow:
    """One institution's place; rank None and a reason where it has none."""

    rank: int | None
    institution: str
    name: str
    peer_class: str
    value: float | None
    unit: str
    factor_set: str | None
    coverage_ratio: float
    percentile: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of one institution and year, beside its baseline and target."""

    institution: str
    year: int
    indicator: Indicator
    value: float | None
    unit: str
    factor_set: str | None
    coverage_ratio: float
    reason: str | None
    baseline_year: int
    baseline_value: float | None
    target_value: float | None
    progress_ratio: float | None


@dataclass(frozen=True, slots=True)
class CarrierAmount:
    """What was used of one carrier; kgce None for water, unknown amounts and carriers without a factor."""

    carrier: str
    amount: float | None
    unit: str
    kgce: float | None
    coverage_ratio: float


def ledger(
    store: ReadingStore, registry: Registry, *, institution: str, point: str, start_ms: int, end_ms: int, grid: Grid
) -> list[LedgerRow]:
    """Amounts of one point over the whole grid intervals that intersect [start, end).

    Raises:
        UnknownInstitution: no such institution.
        UnknownPoint: no such point, or several; the message lists them.
    """
    timezone = registry.institution(institution).timezone
    found = find_point(registry, institution, point)
    edges = edges_ms(start_ms, end_ms, grid, timezone)
    readings = read_neighbourly(store, [found], start_ms=int(edges[0]), end_ms=int(edges[-1])).batch
    changes = [declared.change for declared in registry.changes(institution)]
    amounts = point_amounts([found], readings, edges, timezone, changes).row(0)
    if found.kind is Kind.INTERVAL and found.step in BILLED:
        own = own_profile_points(found, registry.points(institution))
        seen = read_neighbourly(store, own, start_ms=int(edges[0]), end_ms=int(edges[-1])).batch if own else None
        if seen is not None:
            profile = point_amounts(own, seen, edges, timezone, changes).amount.sum(axis=0)
            amounts = spread_bills(amounts, readings, found.step, timezone, edges_ms=edges, profile=profile)
    unit = CARRIERS[found.carrier].unit
    return [
        LedgerRow(
            int(edges[place]), int(edges[place + 1]), _number(amounts.amount[place]), unit,
            Provenance(int(amounts.provenance[place])).name.lower(), float(amounts.coverage[place]),
            flag_names(int(amounts.flags[place])),
        )
        for place in range(len(edges) - 1)
    ]  # fmt: skip


def find_point(registry: Registry, institution: str, name: str) -> Point:
    """A point by its device's name or by `device.quantity`.

    Raises:
        UnknownPoint: no such point, or several; the message lists them.
    """
    points = registry.points(institution)
    found = [point for point in points if name in {point.id, point.series.point_id}]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(point.series.point_id for point in found)
        raise UnknownPoint(f"{institution} has several points {name!r}: {names}; name one of them")
    devices = [point.id for point in points]
    choices = {point.id if devices.count(point.id) == 1 else point.series.point_id for point in points}
    known = ", ".join(sorted(choices)) or "none yet"
    raise UnknownPoint(f"{institution} has no point {name!r}; known: {known}")


def rank(
    store: ReadingStore,
    registry: Registry,
    *,
    year: int,
    indicator: Indicator,
    factor_set: FactorSet,
    peer_class: str | None = None,
    min_coverage: float = MIN_COVERAGE,
    shelf: Shelf | None = None,
) -> list[RankRow]:
    """Institutions of a year ranked within their class; those that cannot be ranked come last, with the reason."""
    judged = judge(
        year_table(store, registry, year, shelf=shelf),
        registry.attributes(year),
        year=year,
        indicator=indicator,
        factor_set=factor_set,
        min_coverage=min_coverage,
    )
    in_class = np.array([peer_class in {None, name} for name in judged.classes], np.bool_)
    judged = judged.only(judged.is_concerned & in_class)
    names, group = np.unique(np.array(judged.classes, np.str_), return_inverse=True)
    rankable = np.array([reason is None for reason in judged.reasons], np.bool_)
    ranks = rank_within(group, judged.value, rankable)
    order = sorted(
        range(len(rankable)),
        key=lambda row: (not rankable[row], str(names[group[row]]), ranks.rank[row], judged.institutions[row].id),
    )
    shown_set = factor_set_of(indicator, factor_set)
    return [
        RankRow(
            int(ranks.rank[row]) if rankable[row] else None, judged.institutions[row].id, judged.institutions[row].name,
            judged.classes[row], _number(judged.value[row]), UNIT[indicator], shown_set, float(judged.coverage[row]),
            _number(ranks.percentile[row]), judged.reasons[row],
        )
        for row in order
    ]  # fmt: skip


def indicators(
    store: ReadingStore,
    registry: Registry,
    *,
    institution: str,
    year: int,
    factor_set: FactorSet,
    shelf: Shelf | None = None,
) -> list[IndicatorRow]:
    """All indicators of one institution in one year, with baseline, the value due by the target year, and progress.

    The target is the one that holds for the institution, or the province's plan where nobody set any.

    Raises:
        UnknownInstitution: no such institution.
    """
    place, book = registry.institution(institution), book_of(registry.targets())
    held = {one: book.of(one, institution=institution, region=place.region) for one in Indicator}
    years = {year, *(_baseline_year(target) for target in held.values())}
    tables = {at: (year_table(store, registry, at, institution, shelf), registry.attributes(at)) for at in years}
    rows = []
    for indicator, target in held.items():
        now, then = (
            judge(*tables[at], year=at, indicator=indicator, factor_set=factor_set, min_coverage=0.0)
            for at in (year, _baseline_year(target))
        )
        rows.append(_indicator_row(now, then, year=year, target=target, indicator=indicator, factor_set=factor_set))
    return rows


def _baseline_year(target: Target | None) -> int:
    return PROVINCE_PLAN[0].baseline_year if target is None else target.baseline_year


def _indicator_row(
    now: Judged, then: Judged, *, year: int, target: Target | None, indicator: Indicator, factor_set: FactorSet
) -> IndicatorRow:
    value, baseline = _number(now.value[0]), _number(then.value[0])
    targeted, baseline_year = None if target is None else target.drop, _baseline_year(target)
    done = None
    if value is not None and baseline is not None and baseline > 0 and targeted:
        done = progress(achieved=achieved_drop(baseline=baseline, value=value), targeted=targeted)
    return IndicatorRow(
        now.institutions[0].id, year, indicator, value, UNIT[indicator],
        factor_set_of(indicator, factor_set), float(now.coverage[0]), now.reasons[0],
        baseline_year, baseline, None if baseline is None or not targeted else baseline * (1 - targeted), done,
    )  # fmt: skip


def carrier_amounts(
    store: ReadingStore,
    registry: Registry,
    *,
    institution: str | None,
    start_ms: int,
    end_ms: int,
    factor_set: FactorSet,
) -> list[CarrierAmount]:
    """What was used of each carrier in [start, end), summed over the points that count (of one institution).

    A point that was not heard of within forty days of the span takes no part; one that was counts in the coverage.

    Raises:
        UnknownInstitution: the one asked for does not exist.
    """
    table = heard_table(store, registry, institution=institution, start_ms=start_ms, end_ms=end_ms)
    rows = []
    for place in np.flatnonzero(table.points[0] > 0):
        code = table.carriers[place]
        used, factor = _number(table.amount[0, place]), factor_set.factors.get(code)
        kgce = None if used is None or factor is None else used * factor.per_canonical
        share = float(table.coverage_sum[0, place] / table.points[0, place])
        rows.append(CarrierAmount(code, used, CARRIERS[code].unit, kgce, share))
    return rows


def notes(year: int, factor_set: FactorSet) -> list[str]:
    """What a reader of a year's figures under a set must be told."""
    if factor_set.is_retrospective(year):
        return [f"retrospective: {factor_set.id} is in force since {factor_set.valid_from}, after {year}"]
    return []


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
