"""Deriving: what buildings used and where institutions stand, as rows for a store that others draw from.

book.py --AccountTable--> consumption;  standing.py --Standing--> indicator;  cli/publishing.py writes both
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from kgce.analytics.accounts import AccountTable
from kgce.analytics.grid import Grid, year_span_ms
from kgce.analytics.indicators import Indicator
from kgce.analytics.standing import Standing
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.carbon import emission_weights
from kgce.domain.carriers import CARRIERS
from kgce.domain.derived import Derived
from kgce.domain.factors import FactorSet

CONSUMPTION: Final = "consumption"
INDICATOR: Final = "indicator"


def consumption(
    table: AccountTable,
    edges_ms: Int64Array,
    region_of: Mapping[str, str],
    grid: Grid,
    factor_set: FactorSet,
    *,
    year: int,
) -> Derived:
    """A row for every building, account and interval in which a meter should have counted.

    Tags region, institution, building, carrier, item (account: total, heating, A ...), grid, factor_set. Fields:
    amount [carrier's unit], kgce and kgco2 (Shandong's grid), absent where unknown; coverage and estimated, 0..1;
    known, 1 or 0: a row that was known once and is no longer keeps its old amount in the store, so that whoever adds
    up asks for known = 1.
    """
    owner, account, interval = np.nonzero(table.expected > 0)
    homes = [name.rpartition("/") for name in table.owners]
    per_unit = np.array([_kgce_per_unit(one.carrier, factor_set) for one in table.accounts], np.float64)
    carbon = emission_weights([one.carrier for one in table.accounts], year)
    cells = (owner, account, interval)
    amount = table.amount[cells]
    return Derived(
        CONSUMPTION,
        {
            "region": [region_of[homes[row][0]] for row in owner.tolist()],
            "institution": [homes[row][0] for row in owner.tolist()],
            "building": [homes[row][2] for row in owner.tolist()],
            "carrier": [table.accounts[column].carrier for column in account.tolist()],
            "item": [str(table.accounts[column].part) for column in account.tolist()],
            "grid": [str(grid)] * len(owner),
            "factor_set": [factor_set.id] * len(owner),
        },
        {
            "amount": amount,
            "kgce": amount * per_unit[account],
            "kgco2": amount * carbon[account],
            "coverage": table.coverage[cells] / table.expected[cells],
            "estimated": _share(table.estimated[cells], amount),
            "known": np.isfinite(amount).astype(np.float64),
        },
        edges_ms[interval],
    )


def _kgce_per_unit(carrier: str, factor_set: FactorSet) -> float:
    factor = factor_set.factors.get(carrier)
    if factor is None or not CARRIERS[carrier].is_energy:
        return np.nan
    return factor.per_canonical


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Part of the whole, 0 where there is nothing, never above 1."""
    size = np.abs(np.nan_to_num(whole))
    share: FloatArray = np.divide(np.abs(part), size, out=np.zeros(len(size)), where=size > 0)
    return np.minimum(share, 1.0)


def indicator_rows(found: Standing, indicator: Indicator) -> Derived:
    """A row for every institution that has attributes or a figure in the year; its time is the start of the year.

    Tags region, institution, class, level, zone, indicator, period (the year), factor_set. Fields: value [unit of the
    indicator], numerator, coverage, estimated, rank, percentile, ratio (to the group's mean), grade (1 above the
    constraint value to 4 within the guide value), target, quota_constraint, quota_reference, quota_guide, known; what
    does not hold is absent.
    """
    one = found.assessments[indicator]
    rows = np.flatnonzero(found.stated.is_stated | np.isfinite(one.figures.numerator))
    chosen = [found.institutions[row] for row in rows.tolist()]
    kinds = [found.kinds[row] for row in rows.tolist()]
    columns = {
        "value": one.figures.value,
        "numerator": one.figures.numerator,
        "coverage": one.figures.coverage,
        "estimated": one.figures.estimated,
        "rank": _where(one.placed.rank > 0, one.placed.rank),
        "percentile": one.placed.percentile,
        "ratio": one.placed.ratio,
        "grade": _where(one.grade > 0, one.grade),
        "target": one.limits.target,
        "quota_constraint": one.limits.constraint,
        "quota_reference": one.limits.reference,
        "quota_guide": one.limits.guide,
        "known": np.isfinite(one.figures.value).astype(np.float64),
    }
    starts = {zone: year_span_ms(found.year, zone)[0] for zone in {institution.timezone for institution in chosen}}
    return Derived(
        INDICATOR,
        {
            "region": [institution.region for institution in chosen],
            "institution": [institution.id for institution in chosen],
            "class": [kind.peer_class for kind in kinds],
            "level": [kind.level for kind in kinds],
            "zone": [kind.climate_zone for kind in kinds],
            "indicator": [str(indicator)] * len(rows),
            "period": [str(found.year)] * len(rows),
            "factor_set": [found.factor_set.id] * len(rows),
        },
        {name: values[rows] for name, values in columns.items()},
        np.array([starts[institution.timezone] for institution in chosen], np.int64),
    )


def _where(known: np.ndarray, values: np.ndarray) -> FloatArray:
    found: FloatArray = np.where(known, values, np.nan).astype(np.float64)
    return found
