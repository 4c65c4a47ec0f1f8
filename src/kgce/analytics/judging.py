"""An indicator for every institution of a year, and for each one without a figure the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.evaluating import Evaluated, YearTotals, evaluate, stated_of
from kgce.analytics.indicators import DEFINITIONS, Definition, Indicator, weight
from kgce.analytics.years import YearTable
from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.factors import FactorSet
from kgce.domain.tree import Institution, YearlyAttributes

WHAT: Final = {
    Indicator.ENERGY_PER_AREA: "energy",
    Indicator.ENERGY_PER_CAPITA: "energy",
    Indicator.WATER_PER_CAPITA: "water",
    Indicator.NON_HEATING_PER_AREA: "energy",
    Indicator.HEATING_PER_HEATED_AREA: "heating",
    Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA: "electricity",
    Indicator.EUE: "data centre",
}


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
    definition = DEFINITIONS[indicator]
    found = evaluate(table.totals, stated_of(stated), definition, factor_set)
    judging = _Judging(table.totals, found, definition, year, factor_set, min_coverage)
    return Judged(
        list(table.institutions),
        [row.peer_class if row else "" for row in stated],
        found.value,
        found.coverage,
        [judging.reason(row, is_stated=attributes is not None) for row, attributes in enumerate(stated)],
        np.array([row is not None for row in stated], np.bool_) | np.isfinite(found.numerator),
    )


def reason_of(
    totals: YearTotals,
    found: Evaluated,
    definition: Definition,
    factor_set: FactorSet,
    *,
    year: int,
    is_stated: bool,
) -> str | None:
    """Why the first institution of these has no figure; None = it has one."""
    return _Judging(totals, found, definition, year, factor_set, 0.0).reason(0, is_stated=is_stated)


@dataclass(frozen=True, slots=True, eq=False)
class _Judging:
    """What is known when the reasons are given."""

    totals: YearTotals
    found: Evaluated
    definition: Definition
    year: int
    factor_set: FactorSet
    min_coverage: float

    def reason(self, row: int, *, is_stated: bool) -> str | None:
        """Why this institution cannot be ranked, the first cause first; None = it can."""
        return next(self._causes(row, is_stated=is_stated), None)

    def _causes(self, row: int, *, is_stated: bool) -> Iterator[str]:
        found, year = self.found, self.year
        if not is_stated:
            yield f"no attributes for {year}: kgce import registry"
        if found.unweighable[row]:
            yield f"factor set {self.factor_set.id} has no factor for {', '.join(self._lacking(row))}"
        if found.unknown_part[row]:
            yield f"what is to be taken out is not known for {year}"
        if not found.has_points[row] or np.isnan(found.numerator[row]):
            yield f"no {WHAT[self.definition.indicator]} readings in {year}"
        if not found.divisor[row] > 0:
            yield f"no {self.definition.divisor.removesuffix(' using water')} stated for {year}"
        if found.coverage[row] < self.min_coverage:
            yield f"coverage {found.coverage[row]:.2f} is below {self.min_coverage:.2f}"

    def _lacking(self, row: int) -> list[str]:
        """Carriers in use that the set cannot weigh."""
        return sorted(
            {
                account.carrier
                for place, account in enumerate(self.totals.accounts)
                if self.totals.expected[row, place] > 0 and np.isnan(weight(account, self.definition, self.factor_set))
            }
        )
