"""Indicators of institutions for one year: kgce by a factor set, per area, per capita, water per capita."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.factors import FactorSet


class Indicator(StrEnum):
    """What institutions are compared by; less is better for each."""

    ENERGY_PER_AREA = "energy_per_area"
    ENERGY_PER_CAPITA = "energy_per_capita"
    WATER_PER_CAPITA = "water_per_capita"


UNIT: Final = {
    Indicator.ENERGY_PER_AREA: "kgce/m2",
    Indicator.ENERGY_PER_CAPITA: "kgce/p",
    Indicator.WATER_PER_CAPITA: "m3/p",
}
DIVISOR: Final = {
    Indicator.ENERGY_PER_AREA: "floor area",
    Indicator.ENERGY_PER_CAPITA: "number of people",
    Indicator.WATER_PER_CAPITA: "number of people",
}


@dataclass(frozen=True, slots=True, eq=False)
class CarrierTable:
    """Amounts of n institutions by k carriers.

    carriers: k codes; amount: (n, k) in each carrier's unit, NaN = no amount known; coverage_sum: (n, k) sum of the
    coverage of the counting points; points: (n, k) how many counting points there are.
    """

    carriers: tuple[str, ...]
    amount: FloatArray
    coverage_sum: FloatArray
    points: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Numerator:
    """(n,) what is divided: total, its coverage, and the places where it cannot be formed."""

    total: FloatArray
    coverage: FloatArray
    has_points: BoolArray
    lacks_factor: tuple[str, ...]  # carriers present anywhere without a factor
    unweighable: BoolArray  # institutions that use one of them


def carriers_of(indicator: Indicator, carriers: Sequence[str]) -> BoolArray:
    """(k,) which carriers an indicator sums.

    Source: energy_domain.md section 2 (S-EVAL section 6): vehicle fuel is left out per area and kept in per capita;
    water is reported separately.
    """
    if indicator is Indicator.WATER_PER_CAPITA:
        return np.array([code == "water" for code in carriers], np.bool_)
    with_vehicles = indicator is Indicator.ENERGY_PER_CAPITA
    return np.array(
        [CARRIERS[code].is_energy and (with_vehicles or not CARRIERS[code].is_vehicle_fuel) for code in carriers],
        np.bool_,
    )


def weights(indicator: Indicator, carriers: Sequence[str], factor_set: FactorSet) -> FloatArray:
    """(k,) what one unit of each carrier weighs: kgce, or 1 for water; NaN where the set has no factor."""
    if indicator is Indicator.WATER_PER_CAPITA:
        return np.ones(len(carriers))
    found = (factor_set.factors.get(code) for code in carriers)
    return np.array([np.nan if factor is None else factor.per_canonical for factor in found], np.float64)


def numerator(table: CarrierTable, indicator: Indicator, factor_set: FactorSet) -> Numerator:
    """Sum of amounts x factor over the indicator's carriers.

    Returns:
        total (n,) [kgce or m3], NaN where nothing is known or a factor lacks; coverage (n,) mean over counting points.
    Source: E = sum of e_i p_i, DB37/T 2671-2019 section 6.1 equation 1.
    """
    chosen = carriers_of(indicator, table.carriers)
    weight = weights(indicator, table.carriers, factor_set)
    points = table.points[:, chosen]
    known = np.isfinite(table.amount[:, chosen])
    lacking = np.isnan(weight[chosen])
    unweighable = np.asarray((points[:, lacking] > 0).any(axis=1), np.bool_)
    per_unit = np.where(lacking, 0.0, weight[chosen])
    total = np.where(known, table.amount[:, chosen], 0.0) @ per_unit
    total = np.where(known.any(axis=1) & ~unweighable, total, np.nan)
    counting = points.sum(axis=1)
    coverage = np.divide(
        table.coverage_sum[:, chosen].sum(axis=1), counting, out=np.zeros(len(counting)), where=counting > 0
    )
    names = [code for code, inside in zip(table.carriers, chosen, strict=True) if inside]
    lacks = tuple(code for code, lack in zip(names, lacking, strict=True) if lack)
    return Numerator(total, coverage, counting > 0, lacks, unweighable)


def ratio(total: FloatArray, divisor: FloatArray) -> FloatArray:
    """(n,) total / divisor; NaN where either is unknown or the divisor is not positive."""
    quotient: FloatArray = np.divide(total, divisor, out=np.full(len(total), np.nan), where=divisor > 0)
    return quotient
