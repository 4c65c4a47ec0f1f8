"""Regression score: 1 to 100 in a class after how a building is used is taken out, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.leaders.regression import DIGITS, Dropped, HowVariable, fit_how
from kgce.domain.batch import FloatArray, UInt8Array

DRAWS: Final = 200
TAIL: Final = 0.05  # the interval holds the middle 90 % of the draws
BLOCK: Final = 2_000_000  # numbers held at once while drawing


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """(n,) each, NaN for a unit that was not fitted: no value, or a kept variable unknown.

    score: 1..100, 100 = best; low, high: interval of the score; ratio: actual / predicted, below 1 = uses less than
    its like. kept: names of the variables the prediction rests on; dropped: the others, with the reason.
    """

    score: FloatArray
    low: FloatArray
    high: FloatArray
    ratio: FloatArray
    kept: tuple[str, ...]
    dropped: tuple[Dropped, ...]


def scores(
    value: FloatArray,
    variables: Sequence[HowVariable],
    *,
    seed: int,
    uncertainty: FloatArray | None = None,
    draws: int = DRAWS,
) -> Scores:
    """Score the units of one class, in the manner of ENERGY STAR.

    The score is the share of the class with a higher ratio, read from the empirical distribution with mid-ranks (a
    unit is half above its equals). ENERGY STAR fits a two-parameter gamma distribution to a sample, because it must
    score buildings that are not in it; here the class is there as a whole, so its own distribution needs no assumed
    shape and cannot fit badly in the tails, where the leaders are.

    The interval: in every draw residuals are resampled, the regression is refitted, and each unit is scored again
    among the refitted residuals of the resampled class, its own value moved by its stated uncertainty. Without one
    the interval shows only how little so many units tell: it does not widen with the noise in the values, since the
    spread that scores are read from grows alike.

    Args:
        value: (n,) intensity of the units of one class; positive, NaN = none.
        variables: how-variables, (n,) each.
        seed: of the draws; the same seed gives the same interval.
        uncertainty: (n,) relative standard uncertainty of each value; None = 0.
        draws: how many.

    Raises:
        ValueError: the uncertainty of a unit with a score is not finite.
    Source: energy_domain.md section 11: actual / predicted on a 1-100 scale; show intervals, not bare ranks.
    """
    fit = fit_how(value, variables)
    score, low, high, ratio = (np.full(len(value), np.nan) for _ in range(4))
    if len(fit.unit):
        order = np.argsort(fit.residual, kind="stable")  # in this order a search ends near where the one before it did
        unit, residual, basis = fit.unit[order], fit.residual[order], fit.basis[order]
        spread_of = np.zeros(len(unit)) if uncertainty is None else uncertainty[unit]
        if not np.isfinite(spread_of).all():
            raise ValueError("the uncertainty of every unit with a score must be finite")
        drawn = _draw(residual, basis, spread_of, seed=seed, draws=draws)
        own, tail = _score(residual, residual), int(TAIL * (draws - 1))
        score[unit], ratio[unit] = own, np.exp(residual)
        low[unit], high[unit] = np.minimum(own, drawn[:, tail]), np.maximum(own, drawn[:, -1 - tail])
    return Scores(score, low, high, ratio, fit.kept, fit.dropped)


def _score(asked: FloatArray, among: FloatArray) -> UInt8Array:
    """(m,) 1..100: the share of the class above, by mid-ranks; among: (m,) residuals of the class, ascending."""
    middle = np.searchsorted(among, asked) + np.searchsorted(among, asked, "right")
    found: UInt8Array = np.clip(np.ceil(100 - 50 * middle / len(among)), 1, 100).astype(np.uint8)
    return found


def _draw(residual: FloatArray, basis: FloatArray, uncertainty: FloatArray, *, seed: int, draws: int) -> UInt8Array:
    """(m, draws) scores of each unit over the draws, ascending; the units come by residual."""
    random = np.random.default_rng(seed)
    units = len(residual)
    found = np.empty((draws, units), np.uint8)
    at_once = max(1, BLOCK // units)
    for first in range(0, draws, at_once):
        width = min(at_once, draws - first)
        drawn = residual[random.integers(0, units, (width, units))]
        moved = (drawn @ basis) @ basis.T  # what the refitted prediction moves by
        asked = residual - moved + uncertainty * random.standard_normal((width, units))
        among = np.sort(np.round(drawn - moved, DIGITS), axis=1)
        for row in range(width):
            found[first + row] = _score(np.round(asked[row], DIGITS), among[row])
    return np.sort(found.T, axis=1)
