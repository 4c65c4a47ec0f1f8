"""An indicator for every institution of a year, and for each one without a figure the reason."""

from dataclasses import dataclass

import numpy as np

from kgce.analytics.indicators import DIVISOR, Indicator, numerator, ratio
from kgce.analytics.years import year_table
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.tree import Institution, YearlyAttributes


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """(n,) per institution: value (NaN = none), coverage, class, and the reason it cannot be ranked (None = it can)."""

    institutions: list[Institution]
    classes: list[str]
    value: FloatArray
    coverage: FloatArray
    reasons: list[str | None]

    def only(self, rows: BoolArray) -> "Judged":
        """The chosen institutions."""
        kept = np.flatnonzero(rows).tolist()
        return Judged(
            [self.institutions[row] for row in kept], [self.classes[row] for row in kept],
            self.value[rows], self.coverage[rows], [self.reasons[row] for row in kept],
        )  # fmt: skip


def judge(
    store: ReadingStore,
    registry: Registry,
    *,
    year: int,
    indicator: Indicator,
    factor_set: FactorSet,
    min_coverage: float,
    only: str | None = None,
) -> Judged:
    """The indicator of every institution that has attributes or readings in the year (or of the one asked for)."""
    table = year_table(store, registry, year, only)
    known = {row.institution: row for row in registry.attributes(year)}
    attributes = [known.get(institution.id) for institution in table.institutions]
    sums = numerator(table.carriers, indicator, factor_set)
    value = ratio(sums.total, np.array([_divisor(row, indicator) for row in attributes], np.float64))
    reasons: list[str | None] = []
    for row, stated in enumerate(attributes):
        if stated is None:
            reasons.append(f"no attributes for {year}: kgce import registry")
        elif not sums.has_points[row] or (np.isnan(sums.total[row]) and not sums.unweighable[row]):
            what = "water" if indicator is Indicator.WATER_PER_CAPITA else "energy"
            reasons.append(f"no {what} readings in {year}")
        elif sums.unweighable[row]:
            lacking = [
                code for code in sums.lacks_factor if table.carriers.points[row, table.carriers.carriers.index(code)]
            ]
            reasons.append(f"factor set {factor_set.id} has no factor for {', '.join(lacking)}")
        elif not _divisor(stated, indicator) > 0:
            reasons.append(f"no {DIVISOR[indicator]} stated for {year}")
        elif sums.coverage[row] < min_coverage:
            reasons.append(f"coverage {sums.coverage[row]:.2f} is below {min_coverage:.2f}")
        else:
            reasons.append(None)
    judged = Judged(
        list(table.institutions), [row.peer_class if row else "" for row in attributes], value, sums.coverage, reasons
    )
    concerned = np.array([row is not None for row in attributes], np.bool_) | np.isfinite(sums.total)
    return judged if only is not None else judged.only(concerned)


def _divisor(stated: YearlyAttributes | None, indicator: Indicator) -> float:
    if stated is None:
        return np.nan
    found = stated.area_m2 if indicator is Indicator.ENERGY_PER_AREA else stated.people
    return np.nan if found is None else found
