"""Standing: where every institution stands in a year, with the reasons; what is published is frozen from here.

registry + book.py --assessing.py--> Standing --> leaders, reasons of one unit, publications
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.assessing import Assessment, Limits, Peers, assess
from kgce.analytics.book import Book
from kgce.analytics.evaluating import Stated, YearTotals, evaluate, stated_of, year_totals
from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.analytics.leaders.gates import DEFAULT_RULES, GateRules
from kgce.analytics.leaders.peers import PeerGroups, PeerNames
from kgce.analytics.leaders.reasons import Language, facts_of, reasons
from kgce.domain.batch import FloatArray
from kgce.domain.climate import climate_of
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.quotas import Grade, Kind, Quota, quota_book
from kgce.domain.targets import TargetBook
from kgce.domain.tree import Institution, YearlyAttributes

QUOTA_SET: Final = "sd-db37-2019"  # the factors the quotas were made with: energy_domain.md section 1.1
NOT_STATED: Final = "–"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A year of n institutions; assessments by indicator, groups and their names."""

    year: int
    factor_set: FactorSet
    institutions: tuple[Institution, ...]
    kinds: tuple[Kind, ...]
    groups: PeerGroups
    names: PeerNames
    assessments: Mapping[Indicator, Assessment]
    totals: YearTotals
    stated: Stated
    notes: tuple[str, ...]

    def row_of(self, institution: str) -> int:
        """Row of an institution.

        Raises:
            KeyError: it is not in the year.
        """
        return [one.id for one in self.institutions].index(institution)

    def is_concerned(self, row: int, indicator: Indicator) -> bool:
        """Whether a unit has attributes or a figure in the year at all."""
        figures = self.assessments[indicator].figures
        return bool(self.stated.is_stated[row] or np.isfinite(figures.numerator[row]))

    def why(self, row: int, indicator: Indicator, language: Language = "en") -> list[str]:
        """Why a unit is in or out, a sentence each."""
        found = self.assessments[indicator]
        facts = facts_of(found.gated, found.placed, row, indicator)
        return reasons(int(found.gated.bits[row]), facts, language)

    def quota_of(self, row: int, indicator: Indicator) -> Quota | None:
        """The quota that holds for a unit; None where none does, or the factor set is not the quotas' own."""
        if DEFINITIONS[indicator].weighed and self.factor_set.id != QUOTA_SET:
            return None
        return quota_book().lookup(indicator, self.kinds[row])

    def why_no_quota(self, row: int, indicator: Indicator) -> str:
        """Why none holds."""
        if DEFINITIONS[indicator].weighed and self.factor_set.id != QUOTA_SET:
            return (
                f"quotas are made with factor set {QUOTA_SET}, this figure with {self.factor_set.id}: figures of "
                "different sets are never compared"
            )
        return quota_book().why_none(indicator, self.kinds[row])

    def grade(self, row: int, indicator: Indicator) -> Grade:
        """Grade of a unit's figure."""
        return Grade(int(self.assessments[indicator].grade[row]))


def stand(
    store: ReadingStore,
    registry: Registry,
    *,
    year: int,
    factor_set: FactorSet,
    indicators: Sequence[Indicator] = tuple(Indicator),
    targets: TargetBook | None = None,
    rules: GateRules = DEFAULT_RULES,
    shelf: Shelf | None = None,
) -> Standing:
    """Every institution of a year, assessed.

    Args:
        store: readings.
        registry: institutions and their attributes of the year.
        year: calendar year.
        factor_set: one for all.
        indicators: which.
        targets: what each is held to; None = nobody is held to any.
        rules: where the gates stand.
        shelf: where ledgers are kept.
    """
    book = Book(store, registry, shelf)
    accounts = book.year(year)
    stated = {row.institution: row for row in registry.attributes(year)}
    rows = [stated.get(institution.id) for institution in accounts.institutions]
    kinds = tuple(_kind(one, row) for one, row in zip(accounts.institutions, rows, strict=True))
    peers, names = _codes(kinds)
    limits = {indicator: _quota_limits(kinds, indicator, factor_set) for indicator in indicators}
    notes = []
    if targets is not None:
        for indicator in indicators:
            due, said = due_values(book, registry, accounts.institutions, indicator, factor_set, targets, year)
            held = limits[indicator]
            limits[indicator] = Limits(held.constraint, held.reference, held.guide, due)
            notes += said
    totals, attributes = year_totals(accounts.table, accounts.month_days), stated_of(rows)
    groups, found = assess(totals, attributes, peers, factor_set, indicators=indicators, limits=limits, rules=rules)
    if factor_set.is_retrospective(year):
        notes.append(f"factor set {factor_set.id} is in force since {factor_set.valid_from}: retrospective")
    return Standing(
        year, factor_set, accounts.institutions, kinds, groups, names, found, totals, attributes, tuple(notes)
    )


def _kind(institution: Institution, row: YearlyAttributes | None) -> Kind:
    if row is None:
        return Kind("")
    city = climate_of(institution.region)
    zone = row.climate_zone or (city.zone if city is not None else "")
    return Kind(row.peer_class, row.level, zone, str(row.details.get("heating", "")))


def _codes(kinds: Sequence[Kind]) -> tuple[Peers, PeerNames]:
    columns = (
        [kind.peer_class for kind in kinds],
        [kind.level for kind in kinds],
        [kind.climate_zone for kind in kinds],
    )
    names, codes = [], []
    for column in columns:
        known, code = np.unique(np.array([name or NOT_STATED for name in column], np.str_), return_inverse=True)
        names.append([str(name) for name in known])
        codes.append(code.astype(np.intp))
    return Peers(*codes), PeerNames(*names)


def _quota_limits(kinds: Sequence[Kind], indicator: Indicator, factor_set: FactorSet) -> Limits:
    """Quota values of each unit, NaN where none holds."""
    none = Limits.none(len(kinds))
    if DEFINITIONS[indicator].weighed and factor_set.id != QUOTA_SET:
        return none
    held = {kind: quota_book().lookup(indicator, kind) for kind in set(kinds)}
    found = [held[kind] for kind in kinds]
    constraint, reference, guide = (
        np.array([np.nan if quota is None else getattr(quota, name) for quota in found], np.float64)
        for name in ("constraint", "reference", "guide")
    )
    return Limits(constraint, reference, guide, none.target)


def due_values(  # noqa: PLR0917 - what a target needs, in that order
    book: Book,
    registry: Registry,
    institutions: Sequence[Institution],
    indicator: Indicator,
    factor_set: FactorSet,
    targets: TargetBook,
    year: int,
) -> tuple[FloatArray, list[str]]:
    """(n,) value due in the year, from each unit's own figure of its baseline year; and which targets these are.

    NaN where a unit has no target of the indicator, no figure of the baseline year, or the year is not after it.
    """
    held = [targets.of(indicator, institution=one.id, region=one.region) for one in institutions]
    due = np.full(len(institutions), np.nan)
    for baseline_year in sorted({one.baseline_year for one in held if one is not None and one.baseline_year < year}):
        value = baseline_values(book, registry, indicator, factor_set, baseline_year)
        for row, target in enumerate(held):
            if target is not None and target.baseline_year == baseline_year:
                due[row] = value.get(institutions[row].id, np.nan) * target.share(year)
    used = sorted({target for target in held if target is not None and target.baseline_year < year})
    return due, [
        f"target of {one.subject}: {one.indicator} {-one.drop:.1%} from {one.baseline_year} to {one.target_year}, "
        f"{one.path}" + (f"; {one.source}" if one.source else "")
        for one in used
    ]


def baseline_values(
    book: Book, registry: Registry, indicator: Indicator, factor_set: FactorSet, year: int
) -> dict[str, float]:
    """Every institution's figure of a year, NaN where it has none."""
    accounts = book.year(year)
    stated = {row.institution: row for row in registry.attributes(year)}
    figures = evaluate(
        year_totals(accounts.table, accounts.month_days),
        stated_of([stated.get(institution.id) for institution in accounts.institutions]),
        DEFINITIONS[indicator],
        factor_set,
    )
    return dict(zip([one.id for one in accounts.institutions], figures.value.tolist(), strict=True))
