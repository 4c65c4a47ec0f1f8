"""An indicator for every institution of a year, and for each one without a figure the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgce.analytics.indicators import DIVISOR, CarrierTable, Indicator, Numerator, numerator, ratio
from kgce.analytics.years import YearTable
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.factors import FactorSet
from kgce.domain.tree import Institution, YearlyAttributes


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """(n,) per institution: value (NaN = none), coverage, class, and the reason it cannot be ranked (None = it can).

    is_concerned: whether it has attributes or a figure in the year at all.
    """

    institutions: list[Institution]
    classes: list[str]
    value: FloatArray
    coverage: FloatArray
    reasons: list[str | None]
    is_concerned: BoolArray

    def only(self, rows: BoolArray) -> "Judged":
        """The chosen institutions."""
        kept = np.flatnonzero(rows).tolist()
        return Judged(
            [self.institutions[row] for row in kept], [self.classes[row] for row in kept],
            self.value[rows], self.coverage[rows], [self.reasons[row] for row in kept], self.is_concerned[rows],
        )  # fmt: skip


def judge(
    table: YearTable,
    attributes: Sequence[YearlyAttributes],
    *,
    year: int,
    indicator: Indicator,
    factor_set: FactorSet,
    min_coverage: float,
) -> Judged:
    """The indicator of every institution of the table, from the attributes of the same year."""
    known = {row.institution: row for row in attributes}
    stated = [known.get(institution.id) for institution in table.institutions]
    sums = numerator(table.carriers, indicator, factor_set)
    divisor = np.array([_divisor(row, indicator) for row in stated], np.float64)
    judging = _Judging(table.carriers, sums, divisor, year, indicator, factor_set.id, min_coverage)
    return Judged(
        list(table.institutions),
        [row.peer_class if row else "" for row in stated],
        ratio(sums.total, divisor),
        sums.coverage,
        [judging.reason(row, is_stated=attributes is not None) for row, attributes in enumerate(stated)],
        np.array([row is not None for row in stated], np.bool_) | np.isfinite(sums.total),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judging:
    """What is known when the reasons are given."""

    carriers: CarrierTable
    sums: Numerator
    divisor: FloatArray
    year: int
    indicator: Indicator
    set_id: str
    min_coverage: float

    def reason(self, row: int, *, is_stated: bool) -> str | None:
        """Why this institution cannot be ranked, the first cause first; None = it can."""
        sums = self.sums
        if not is_stated:
            return f"no attributes for {self.year}: kgce import registry"
        if not sums.has_points[row] or (np.isnan(sums.total[row]) and not sums.unweighable[row]):
            what = "water" if self.indicator is Indicator.WATER_PER_CAPITA else "energy"
            return f"no {what} readings in {self.year}"
        if sums.unweighable[row]:
            places = {code: place for place, code in enumerate(self.carriers.carriers)}
            lacking = [code for code in sums.lacks_factor if self.carriers.points[row, places[code]]]
            return f"factor set {self.set_id} has no factor for {', '.join(lacking)}"
        if not self.divisor[row] > 0:
            return f"no {DIVISOR[self.indicator]} stated for {self.year}"
        if sums.coverage[row] < self.min_coverage:
            return f"coverage {sums.coverage[row]:.2f} is below {self.min_coverage:.2f}"
        return None


def _divisor(stated: YearlyAttributes | None, indicator: Indicator) -> float:
    if stated is None:
        return np.nan
    found = stated.area_m2 if indicator is Indicator.ENERGY_PER_AREA else stated.people
    return np.nan if found is None else found
