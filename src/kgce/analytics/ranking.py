"""Ranks within peer groups."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """(n,) rank, 0 where not ranked; percentile 0..100, NaN where not ranked or alone."""

    rank: Int64Array
    percentile: FloatArray


def rank_within(group: npt.NDArray[np.intp], value: FloatArray, rankable: BoolArray) -> Ranks:
    """Competition ranks (1, 2, 2, 4) within each group; the lowest value leads.

    Args:
        group: (n,) peer group of each unit, 0-based.
        value: (n,) what is ranked; finite where rankable.
        rankable: (n,) who takes part.

    Returns:
        Percentile is the share of the other ranked units of the group that use strictly more. [%]
    """
    order = np.flatnonzero(rankable)
    order = order[np.lexsort((value[order], group[order]))]
    rank, percentile = np.zeros(len(value), np.int64), np.full(len(value), np.nan)
    if not len(order):
        return Ranks(rank, percentile)
    peers, values = group[order], value[order]
    position = np.arange(len(order))
    new_group = np.append(True, peers[1:] != peers[:-1])
    new_value = new_group | np.append(True, values[1:] != values[:-1])
    first_of_group = np.maximum.accumulate(np.where(new_group, position, 0))
    first_of_tie = np.maximum.accumulate(np.where(new_value, position, 0))
    size = np.bincount(peers)[peers]
    tie = np.bincount(np.cumsum(new_value) - 1)[np.cumsum(new_value) - 1]
    rank[order] = first_of_tie - first_of_group + 1
    worse = size - (first_of_tie - first_of_group) - tie
    percentile[order] = np.divide(100.0 * worse, size - 1, out=np.full(len(order), np.nan), where=size > 1)
    return Ranks(rank, percentile)
