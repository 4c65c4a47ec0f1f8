"""Block: the amounts of some points in one local month, by day and as a whole; the piece that is worked out anew.

store --readings.py--> one month's readings and their neighbours --points.py--> Block --year_ledger.py--> files

A point's block depends on nothing but its readings in and near the month, its role and its declared changes. So it has
the same bits whenever, and beside whomever, it is worked out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np

from kgce.analytics.grid import Grid, edges_ms, year_span_ms
from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.points import point_amounts_on
from kgce.analytics.ledger.readings import FAR_MS, NEAR_MS, Readable, reach_ms, read_neighbourly
from kgce.domain.batch import BoolArray, Int64Array, UInt8Array
from kgce.domain.changes import MeterChange
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point

MONTHS: Final = 12
POINTS_AT_ONCE: Final = 2000  # 15-minute readings of a month of so many points are 6 million rows, 130 MB


class Looked(IntFlag):
    """How far outside its month a block's readings were searched."""

    NEAR = 0
    FAR_BEFORE = 1
    FAR_AFTER = 2


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some points (n) in one month of d days: day (n, d), month (n, 1), looked (n,)."""

    day: Amounts
    month: Amounts
    looked: UInt8Array


def month_edges_ms(year: int, timezone: str) -> list[Int64Array]:
    """(d + 1,) edges of the local days of each month of a year. UTC. [ms]."""
    bounds = edges_ms(*year_span_ms(year, timezone), Grid.MONTH, timezone)
    return [
        edges_ms(int(bounds[month]), int(bounds[month + 1]), Grid.DAY, timezone) for month in range(len(bounds) - 1)
    ]


def work_out(
    store: Readable,
    points: Sequence[Point],
    day_edges_ms: Int64Array,
    timezone: str,
    changes: Iterable[MeterChange] = (),
) -> Block:
    """The block of these points of one time zone.

    Raises:
        StoreUnavailable: no answer.
    """
    declared = list(changes)
    parts = [
        _part(store, points[first : first + POINTS_AT_ONCE], day_edges_ms, timezone, declared)
        for first in range(0, len(points), POINTS_AT_ONCE)
    ]
    return Block(
        Amounts.concat([part.day for part in parts]),
        Amounts.concat([part.month for part in parts]),
        np.concatenate([part.looked for part in parts]) if parts else np.zeros(0, np.uint8),
    )


def _part(
    store: Readable,
    points: Sequence[Point],
    day_edges_ms: Int64Array,
    timezone: str,
    changes: Sequence[MeterChange],
) -> Block:
    read = read_neighbourly(store, points, start_ms=int(day_edges_ms[0]), end_ms=int(day_edges_ms[-1]))
    grids = [day_edges_ms, day_edges_ms[[0, -1]]]
    day, month = point_amounts_on(points, read.batch, grids, timezone, changes)
    looked = [
        Looked.FAR_BEFORE * (point.series.key in read.far_before)
        | Looked.FAR_AFTER * (point.series.key in read.far_after)
        for point in points
    ]
    return Block(day, month, np.array(looked, np.uint8))


def bears_on(
    points: Sequence[Point], looked: UInt8Array, edges: Sequence[Int64Array], row: Int64Array, span_ms: Int64Array
) -> BoolArray:
    """Which blocks changed readings bear on.

    Args:
        points: (n,) whose blocks they are.
        looked: (n, months) how far each block's readings were searched.
        edges: day edges of each month. UTC. [ms]
        row: (m,) whose reading changed.
        span_ms: (m, 2) in which [start, end) readings of that point changed. UTC. [ms]

    Returns:
        (n, months)
    """
    begins = np.array([month[0] for month in edges], np.int64)
    ends = np.array([month[-1] for month in edges], np.int64)
    is_interval = np.array([point.kind is Kind.INTERVAL for point in points], np.bool_)
    own_reach = np.array([reach_ms(point) if point.kind is Kind.INTERVAL else 0 for point in points], np.int64)
    far_before = np.where((looked & np.uint8(Looked.FAR_BEFORE)) > 0, FAR_MS, NEAR_MS)
    far_after = np.where((looked & np.uint8(Looked.FAR_AFTER)) > 0, FAR_MS, NEAR_MS)
    before = np.where(is_interval[:, None], own_reach[:, None], far_before)
    after = np.where(is_interval[:, None], 0, far_after)
    hit = (span_ms[:, :1] < (ends + after)[row]) & (span_ms[:, 1:] > (begins - before)[row])
    found = np.zeros((len(points), len(edges)), np.bool_)
    np.logical_or.at(found, row, hit)
    return found
