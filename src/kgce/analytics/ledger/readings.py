"""Readings of a span with the neighbours outside that bound it.

store --here--> Batch by series then time --points.py--> Amounts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from kgce.analytics.ledger.anomalies import DIP_READINGS
from kgce.domain.batch import UNUSABLE, Batch, Int32Array
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Step

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
NEAR_MS: Final = 8 * HOUR_MS  # holds the neighbours of a meter read each hour
FAR_MS: Final = 40 * DAY_MS  # a meter read by hand once a month still has its neighbours
NEIGHBOURS: Final = DIP_READINGS + 1  # so many readings beyond an edge tell a spike from a step
BILL_MS: Final = 366 * DAY_MS  # a yearly amount that began before the span
LONGEST_DAY_MS: Final = 26 * HOUR_MS  # days of 25 hours happen


class Readable(Protocol):
    """What gives readings of a span: a store, or what is held of it (held.py)."""

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms of these series, by series then time."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourly:
    """Readings of a span and its neighbours, by series then time.

    far_before, far_after: series keys whose neighbours were searched for up to forty days outside: a change of a
    reading there bears on this span too.
    """

    batch: Batch
    far_before: frozenset[SeriesKey] = frozenset()
    far_after: frozenset[SeriesKey] = frozenset()


def read_neighbourly(store: Readable, points: Sequence[Point], *, start_ms: int, end_ms: int) -> Neighbourly:
    """Readings of the points in [start, end) and what bounds them outside.

    A counter is read with eight hours around the span; only on the side where these hold too few neighbours, forty
    days are searched. Interval amounts are read back to the farthest start that can reach into the span. What comes
    for one point does not depend on the others asked for.

    Raises:
        StoreUnavailable: no answer.
    """
    parts: list[Batch] = []
    far: list[frozenset[SeriesKey]] = [frozenset(), frozenset()]
    counters = [point for point in points if point.kind is not Kind.INTERVAL]
    if counters:
        parts, far = _counter_parts(store, counters, start_ms, end_ms)
    reach = {point: reach_ms(point) for point in points if point.kind is Kind.INTERVAL}
    for before_ms in sorted(set(reach.values())):
        keys = [point.series.key for point, own in reach.items() if own == before_ms]
        parts.append(store.read(keys, start_ms=start_ms - before_ms, end_ms=end_ms))
    found = [part for part in parts if len(part)]
    batch = found[0] if len(found) == 1 else _sorted(Batch.concat(found))
    return Neighbourly(batch, *far)


def reach_ms(point: Point) -> int:
    """How far before a span an interval amount may begin that reaches into it. [ms]."""
    return BILL_MS if point.step in {Step.YEAR, Step.MONTH} else LONGEST_DAY_MS


def _counter_parts(
    store: Readable, points: Sequence[Point], start_ms: int, end_ms: int
) -> tuple[list[Batch], list[frozenset[SeriesKey]]]:
    near_start, near_end = start_ms - NEAR_MS, end_ms + NEAR_MS
    near = store.read([point.series.key for point in points], start_ms=near_start, end_ms=near_end)
    usable = (near.quality & np.uint8(UNUSABLE)) == 0
    place_of = {series.key: place for place, series in enumerate(near.series)}
    parts, far = [near], []
    for beyond, span in (
        (near.time_ms <= start_ms, (start_ms - FAR_MS, near_start)),
        (near.time_ms >= end_ms, (near_end, end_ms + FAR_MS)),
    ):
        neighbours = np.bincount(near.index[usable & beyond], minlength=len(near.series))
        lacking = [
            point.series.key
            for point in points
            if point.series.key not in place_of or neighbours[place_of[point.series.key]] < NEIGHBOURS
        ]
        far.append(frozenset(lacking))
        if lacking:
            parts.append(store.read(lacking, start_ms=span[0], end_ms=span[1]))
    return parts, far


def _sorted(batch: Batch) -> Batch:
    order = np.lexsort((batch.time_ms, batch.index))
    return batch.select(order)


def rows_of(batch: Batch, points: Sequence[Point]) -> tuple[Batch, Int32Array]:
    """The batch's rows that belong to these points, and the point's place of each row."""
    place_of = {point.series.key: place for place, point in enumerate(points)}
    place = np.array([place_of.get(series.key, -1) for series in batch.series], np.int32)
    owner = place[batch.index] if len(batch) else np.zeros(0, np.int32)
    chosen = np.flatnonzero(owner >= 0)
    return (batch, owner) if len(chosen) == len(batch) else (batch.select(chosen), owner[chosen])
