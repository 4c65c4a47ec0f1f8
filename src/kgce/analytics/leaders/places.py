"""Places: rank, ratio to the same-type average, and the points that ratio earns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.leaders.lineup import IndexArray, Lineup, mean
from kgce.domain.batch import FloatArray, Int64Array

# Source: energy_domain.md section 4.1 (S-EVAL): own / average of the same type, each step with its upper limit.
STEPS: Final = (0.9, 1.0, 1.1, 1.2)
POINTS: Final = (7, 6, 5, 4, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """(n,) each: rank, 0 where not in the line; percentile [%], NaN where not in the line or alone.

    ratio: own value / average of its group; points: 7, 6, 5, 4 or 0; both NaN where there is no value or no average.
    average: (g,) what the ratio is taken to, in the value's unit.
    """

    rank: Int64Array
    percentile: FloatArray
    ratio: FloatArray
    points: FloatArray
    average: FloatArray


def places(line: Lineup, value: FloatArray, group: IndexArray, *, average: FloatArray | None = None) -> Places:
    """Competition ranks (1, 2, 2, 4) within each group, the lowest first; ratio and points of every unit with a value.

    Args:
        line: those that passed the data gates.
        value: (n,) of all units, NaN = none.
        group: (n,) 0-based group of each unit.
        average: (g,) the published average of each group, such as last year's; None = the mean of the line.

    Returns:
        Percentile is the share of the other units in the line of the group that use strictly more. [%]
    Source: energy_domain.md section 4.1; ranks as in kgce.analytics.ranking, without sorting again.
    """
    same_type = mean(line) if average is None else average
    own_ratio: FloatArray = np.divide(
        value, same_type[group], out=np.full(len(value), np.nan), where=same_type[group] > 0
    )
    rank, percentile = np.zeros(len(value), np.int64), np.full(len(value), np.nan)
    if len(line.unit):
        ahead, tied, size = _standing(line)
        rank[line.unit] = ahead + 1
        percentile[line.unit] = np.divide(
            100.0 * (size - ahead - tied), size - 1, out=np.full(len(size), np.nan), where=size > 1
        )
    return Places(rank, percentile, own_ratio, step_points(own_ratio), same_type)


def step_points(own_ratio: FloatArray) -> FloatArray:
    """Points of ratios to the average: up to 0.9 7, up to 1.0 6, up to 1.1 5, up to 1.2 4, above 0; NaN stays NaN.

    Source: energy_domain.md section 4.1 (S-EVAL, S-SCORE).
    """
    points = np.array(POINTS, np.float64)[np.searchsorted(STEPS, own_ratio)]
    return np.where(np.isnan(own_ratio), np.nan, points)


def _standing(line: Lineup) -> tuple[IndexArray, IndexArray, IndexArray]:
    """(m,) how many of the group stand ahead, how many share the place, how many there are."""
    first_of_group, size = np.repeat(line.start[:-1], line.size), np.repeat(line.size, line.size)
    begins = np.append(True, line.value[1:] != line.value[:-1])
    begins[line.start[:-1][line.size > 0]] = True
    first_of_tie = np.flatnonzero(begins)
    tied = np.diff(np.append(first_of_tie, len(line.value)))
    return np.repeat(first_of_tie, tied) - first_of_group, np.repeat(tied, tied), size
