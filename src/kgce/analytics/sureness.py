"""Sureness: how firmly a unit leads, its score with an interval, and who is large enough to be supervised one by one.

standing.py --Standing--> here --leaders/stability, score, key_units, demonstration--> the columns of a leader list
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.accounts import Account, Part
from kgce.analytics.evaluating import evaluate
from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.analytics.leaders.demonstration import Demonstration, demonstration
from kgce.analytics.leaders.key_units import KeyUnits, key_units
from kgce.analytics.leaders.regression import HowVariable, Scale
from kgce.analytics.leaders.score import scores
from kgce.analytics.leaders.stability import relative_uncertainty, stability
from kgce.analytics.standing import Standing
from kgce.domain.batch import FloatArray
from kgce.domain.climate import climate_of

SEED: Final = 2015  # any number; the same one, so that the same data give the same list
LEADERS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Sureness:
    """(n,) each, NaN where there is none.

    leads_share: share of draws in which a unit is among the leaders of its group; score: 1 to 100 in its class after
    density of people and climate are taken out, low and high its interval; notes: variables left out, by class.
    """

    leads_share: FloatArray
    score: FloatArray
    low: FloatArray
    high: FloatArray
    notes: tuple[str, ...]


def sureness(found: Standing, indicator: Indicator, *, leaders: int = LEADERS, seed: int = SEED) -> Sureness:
    """How sure a list of leaders is.

    Source: energy_domain.md section 11: how-variables only, intervals instead of bare ranks; the uncertainties are
    house values (leaders/stability.py).
    """
    one = found.assessments[indicator]
    uncertainty = relative_uncertainty(one.figures.estimated, one.figures.coverage)
    firm = stability(one.gated.line, np.nan_to_num(uncertainty, nan=1.0), leaders=leaders, seed=seed)
    n = len(found.institutions)
    score, low, high = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    in_line = np.zeros(n, np.bool_)
    in_line[one.gated.line.unit] = True
    notes = []
    for name in sorted({kind.peer_class for kind in found.kinds}):
        rows = np.flatnonzero(in_line & np.array([kind.peer_class == name for kind in found.kinds]))
        if not len(rows):
            continue
        scored = scores(one.figures.value[rows], _how(found, rows), seed=seed, uncertainty=uncertainty[rows])
        score[rows], low[rows], high[rows] = scored.score, scored.low, scored.high
        notes += [f"{name}: {dropped.name} is left out: {dropped.reason}" for dropped in scored.dropped]
    return Sureness(firm.share, score, low, high, tuple(notes))


def _how(found: Standing, rows: np.ndarray) -> list[HowVariable]:
    """How a building is used and the weather it stands in; never what it is equipped with."""
    people, area = found.stated.people[rows], found.stated.area_m2[rows]
    density = np.divide(people, area, out=np.full(len(rows), np.nan), where=area > 0)
    climates = [climate_of(found.institutions[row].region) for row in rows.tolist()]
    days = {
        name: np.array([np.nan if city is None else getattr(city, name) for city in climates])
        for name in ("hdd18", "cdd26")
    }
    return [
        HowVariable("people per m2", density, Scale.LOG),
        *(HowVariable(name, value) for name, value in days.items()),
    ]


def key_units_of(found: Standing) -> KeyUnits:
    """Who reaches a threshold of the key-unit list (unverified: see its confidence)."""
    energy = evaluate(found.totals, found.stated, DEFINITIONS[Indicator.ENERGY_PER_CAPITA], found.factor_set)
    account = Account("electricity", Part.TOTAL)
    electricity = (
        found.totals.amount[:, found.totals.accounts.index(account)]
        if account in found.totals.accounts
        else np.full(len(found.institutions), np.nan)
    )
    return key_units(energy_kgce=energy.numerator, electricity_kwh=electricity, area_m2=found.stated.area_m2)


def demonstration_of(found: Standing) -> Demonstration:
    """The measurable part of each unit's demonstration score.

    Raises:
        KeyError: energy per area, per capita and water per capita were not all assessed.
    """
    wanted = (Indicator.ENERGY_PER_AREA, Indicator.ENERGY_PER_CAPITA, Indicator.WATER_PER_CAPITA)
    return demonstration(*(found.assessments[indicator].placed.points for indicator in wanted))
