"""Stability: how often a leader is still one when the values move by what is not known of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.leaders.lineup import Lineup
from kgce.domain.batch import BoolArray, FloatArray

DRAWS: Final = 1000
MONTHS: Final = 12
REACH: Final = 4.0  # noise is cut at four standard deviations: who cannot come that near need not be drawn

# House values, no standard's: how wrong each part of a year's amount may be, as a relative standard uncertainty.
METERED: Final = 0.01  # about a class 1 meter's limit of error
ESTIMATED: Final = 0.20
MISSING: Final = 0.30


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """(n,) each. leads: among the k lowest of its group now, ties with the last one included.

    share: 0..1 of the draws in which it is; NaN for a unit that is not in the line.
    """

    leads: BoolArray
    share: FloatArray


def relative_uncertainty(estimated_ratio: FloatArray, coverage: FloatArray) -> FloatArray:
    """(n,) relative standard uncertainty of a year's amount; NaN where either is unknown.

    The parts are taken as independent: sqrt(metered^2 + (estimated x share estimated)^2 + (missing x share missing)^2).

    Args:
        estimated_ratio: (n,) share of the amount that is estimated, 0..1.
        coverage: (n,) 0..1.
    Source: house values, to be replaced once estimates can be compared with what was metered later.
    """
    estimated, missing = ESTIMATED * estimated_ratio, MISSING * (1 - coverage)
    together: FloatArray = np.sqrt(METERED**2 + estimated**2 + missing**2)
    return together


def stability(
    line: Lineup,
    uncertainty: FloatArray,
    *,
    leaders: int,
    seed: int,
    monthly: FloatArray | None = None,
    draws: int = DRAWS,
) -> Stability:
    """Share of draws in which each unit is among the leaders of its group.

    In every draw each value is multiplied by exp(uncertainty x normal noise). With monthly amounts, the year is also
    put together anew from twelve of its months with repetition, the same months for every unit, so that a season
    moves all alike and only what one unit does unlike the others tells.

    Args:
        line: who can lead, with positive values.
        uncertainty: (n,) relative standard uncertainty of each value; finite for those in the line.
        leaders: k, how many lead in each group.
        seed: of the draws; a group's shares hang on it and on the group alone.
        monthly: (n, 12) amounts of the year's months; finite for those in the line, their sum positive.
        draws: how many.

    Raises:
        ValueError: an uncertainty or a month of a unit in the line is not finite, or k is below 1.
    """
    n = len(uncertainty)
    spread_of = uncertainty[line.unit]
    shape = None if monthly is None else monthly[line.unit] / monthly[line.unit].sum(axis=1, keepdims=True)
    if leaders < 1 or not np.isfinite(spread_of).all() or (shape is not None and not np.isfinite(shape).all()):
        raise ValueError("at least one leader; uncertainties and months of units in the line must be finite")
    drawn_months = np.random.default_rng(seed).multinomial(MONTHS, np.full(MONTHS, 1 / MONTHS), draws)
    leads, share = np.zeros(n, np.bool_), np.full(n, np.nan)
    for group in np.flatnonzero(line.size).tolist():
        inside = slice(int(line.start[group]), int(line.start[group + 1]))
        value, unit = line.value[inside], line.unit[inside]
        moved = np.ones((1, 1)) if shape is None else shape[inside] @ drawn_months.T
        leads[unit] = value <= value[min(leaders, len(value)) - 1]
        share[unit] = _shares(value, spread_of[inside], moved, leaders=leaders, seed=(seed, group), draws=draws)
    return Stability(leads, share)


def _shares(
    value: FloatArray, uncertainty: FloatArray, moved: FloatArray, *, leaders: int, seed: tuple[int, int], draws: int
) -> FloatArray:
    """(m,) of one group; moved: (m, draws) factors by months, or a single 1."""
    if len(value) <= leaders:
        return np.ones(len(value))
    reach = np.exp(REACH * uncertainty)
    last = np.partition(value * moved.max(axis=1) * reach, leaders - 1)[leaders - 1]
    near = np.flatnonzero(value * moved.min(axis=1) / reach <= last)
    noise = np.random.default_rng(seed).standard_normal((len(near), draws))
    factor = np.exp(uncertainty[near, np.newaxis] * np.clip(noise, -REACH, REACH))
    found = value[near, np.newaxis] * factor * (moved if len(moved) == 1 else moved[near])
    lowest = np.partition(found, leaders - 1, axis=0)[leaders - 1]
    share = np.zeros(len(value))
    share[near] = (found <= lowest).mean(axis=1)
    return share
