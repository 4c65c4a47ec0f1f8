"""Cascading: what the parts of a region used in a baseline year, and how far a region as a whole has come.

A region's figure is the sum of its institutions' numerators over the sum of their divisors, of those that have both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kgce.analytics.book import Book
from kgce.analytics.evaluating import evaluate, stated_of, year_totals
from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.analytics.targets import achieved_drop, progress
from kgce.domain.batch import FloatArray
from kgce.domain.errors import InputError
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry, Shelf
from kgce.domain.targets import INSTITUTION, REGION, Target

COUNTY_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Figures:
    """(n,) numerators and divisors of the institutions of a region in a year, NaN where unknown."""

    names: tuple[str, ...]
    regions: tuple[str, ...]
    numerator: FloatArray
    divisor: FloatArray

    @property
    def known(self) -> np.ndarray:
        """(n,) whether both are there."""
        return np.asarray(np.isfinite(self.numerator) & (self.divisor > 0), np.bool_)

    @property
    def value(self) -> float | None:
        """The region's own figure."""
        known = self.known
        return float(self.numerator[known].sum() / self.divisor[known].sum()) if known.any() else None


@dataclass(frozen=True, slots=True)
class Part:
    """A region below, or an institution, with its numerator of the baseline year."""

    name: str
    subject: str
    weight: float


def region_figures(  # noqa: PLR0917 - whose, what, when
    store: ReadingStore,
    registry: Registry,
    shelf: Shelf | None,
    region: str,
    indicator: Indicator,
    factor_set: FactorSet,
    year: int,
) -> Figures:
    """Institutions of a region (empty = all) in a year.

    Raises:
        StoreUnavailable: the store or the shelf does not answer.
    """
    accounts = Book(store, registry, shelf).year(year)
    rows = {row.institution: row for row in registry.attributes(year)}
    stated = stated_of([rows.get(one.id) for one in accounts.institutions])
    found = evaluate(year_totals(accounts.table, accounts.month_days), stated, DEFINITIONS[indicator], factor_set)
    inside = np.array([one.region.startswith(region) for one in accounts.institutions], np.bool_)
    chosen = [one for one, is_inside in zip(accounts.institutions, inside.tolist(), strict=True) if is_inside]
    return Figures(
        tuple(one.id for one in chosen), tuple(one.region for one in chosen), found.numerator[inside],
        found.divisor[inside],
    )  # fmt: skip


def parts_of(  # noqa: PLR0917 - whose, what, when
    store: ReadingStore,
    registry: Registry,
    shelf: Shelf | None,
    region: str,
    indicator: Indicator,
    factor_set: FactorSet,
    year: int,
) -> list[Part]:
    """What a region's target is shared out over: cities of a province, counties of a city, institutions of a county.

    Raises:
        InputError: nothing of the region has a figure in the year.
        StoreUnavailable: the store or the shelf does not answer.
    """
    figures = region_figures(store, registry, shelf, region, indicator, factor_set, year)
    below = len(region) + 2
    weights: dict[tuple[str, str], float] = {}
    for row in np.flatnonzero(figures.known & (figures.numerator > 0)).tolist():
        is_county = len(region) >= COUNTY_DIGITS
        name = figures.names[row] if is_county else figures.regions[row][:below]
        key = (INSTITUTION if is_county else REGION, name)
        weights[key] = weights.get(key, 0.0) + float(figures.numerator[row])
    if not weights:
        raise InputError(f"nothing in {region or 'the registry'} has a figure of {indicator} in {year}")
    return [Part(name, f"{kind}:{name}", weight) for (kind, name), weight in sorted(weights.items())]


def region_progress(  # noqa: PLR0917 - whose, what, when, towards what
    store: ReadingStore,
    registry: Registry,
    shelf: Shelf | None,
    region: str,
    indicator: Indicator,
    factor_set: FactorSet,
    year: int,
    target: Target,
) -> dict[str, Any]:
    """One indicator of a region beside its baseline year, over the institutions that have a figure in both.

    Raises:
        StoreUnavailable: the store or the shelf does not answer.
    """
    now, then = (
        region_figures(store, registry, shelf, region, indicator, factor_set, at) for at in (year, target.baseline_year)
    )
    both = sorted(set(_known(now)) & set(_known(then)))
    value, baseline = (_of(figures, both) for figures in (now, then))
    done = None if value is None or baseline is None else achieved_drop(baseline=baseline, value=value)
    return {
        "region": region, "indicator": str(indicator), "year": year, "unit": DEFINITIONS[indicator].unit,
        "factor_set": factor_set.id if DEFINITIONS[indicator].weighed else None,
        "value": value, "baseline_year": target.baseline_year, "baseline_value": baseline,
        "achieved_drop": done, "targeted_drop": target.drop,
        "progress": None if done is None else progress(achieved=done, targeted=target.drop),
        "due": None if baseline is None else baseline * target.share(year), "target": target.subject,
        "units": len(both), "of": len(now.names),
    }  # fmt: skip


def _known(figures: Figures) -> list[str]:
    return [figures.names[row] for row in np.flatnonzero(figures.known).tolist()]


def _of(figures: Figures, names: list[str]) -> float | None:
    """The figure over these institutions only: who joined or left must not move it."""
    place_of = {name: row for row, name in enumerate(figures.names)}
    rows = np.array([place_of[name] for name in names], np.intp)
    return float(figures.numerator[rows].sum() / figures.divisor[rows].sum()) if len(rows) else None
