"""Amounts of metering points, whatever their kind: chooses the kernel, one point or many."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.counter import counter_amounts
from kgce.analytics.ledger.interval import interval_amounts, interval_ends
from kgce.domain.batch import UNUSABLE, Batch, BoolArray, FloatArray, Int64Array
from kgce.domain.ports import ReadingStore
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Series, Step

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
COUNTER_MARGIN_MS: Final = 40 * DAY_MS  # a meter read by hand once a month still has its neighbours
INTERVAL_MARGIN_MS: Final = 366 * DAY_MS  # a yearly amount that began before


def margins_ms(point: Point, *, wide: bool) -> tuple[int, int]:
    """How far before and after the asked span a point's readings are looked for. [ms]."""
    if point.kind is Kind.INTERVAL:
        return (INTERVAL_MARGIN_MS if point.step in {Step.YEAR, Step.MONTH} else DAY_MS, 0)
    return (COUNTER_MARGIN_MS, COUNTER_MARGIN_MS) if wide else (HOUR_MS, HOUR_MS)


def point_amounts(point: Point, rows: Batch, edges_ms: Int64Array, timezone: str) -> Amounts:
    """(m,) amounts of one point from its own readings; edges (m + 1,) UTC [ms]."""
    if point.kind is Kind.INTERVAL:
        ends = interval_ends(rows.time_ms, point.step or Step.HOUR, timezone)
        return interval_amounts(rows.time_ms, ends, rows.value, rows.quality, edges_ms)
    return counter_amounts(rows.time_ms, rows.value, rows.quality, edges_ms)


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """One amount per point over one span, each (n,).

    amount in the point's unit, NaN = unknown; coverage 0..1; heard: whether any reading lies in or near the span.
    """

    amount: FloatArray
    coverage: FloatArray
    heard: BoolArray


def totals(store: ReadingStore, points: Sequence[Point], *, start_ms: int, end_ms: int, timezone: str) -> Totals:
    """One amount per point over one span."""
    edges = np.array([start_ms, end_ms], np.int64)
    found = Totals(np.full(len(points), np.nan), np.zeros(len(points)), np.zeros(len(points), np.bool_))
    place_of = {point.series.key: place for place, point in enumerate(points)}
    for series, rows in read_neighbourly(store, points, start_ms=start_ms, end_ms=end_ms):
        place = place_of[series.key]
        result = point_amounts(points[place], rows, edges, timezone)
        found.amount[place], found.coverage[place], found.heard[place] = result.amount[0], result.coverage[0], True
    return found


def read_neighbourly(
    store: ReadingStore, points: Sequence[Point], *, start_ms: int, end_ms: int
) -> Iterator[tuple[Series, Batch]]:
    """Each point's readings of a span with the neighbours outside that bound it; points without readings are left out.

    A counter is first read with an hour around the span; only where that holds no neighbour, forty days are searched.
    """
    waiting = list(points)
    for wide in (False, True):
        spans: dict[tuple[int, int], list[Point]] = {}
        for point in waiting:
            spans.setdefault(margins_ms(point, wide=wide), []).append(point)
        waiting = []
        for (before, after), group in spans.items():
            batch = store.read([point.series.key for point in group], start_ms=start_ms - before, end_ms=end_ms + after)
            found = {batch.series[position].key: rows for position, rows in per_series(batch)}
            for point in group:
                rows = found.get(point.series.key)
                if point.kind is Kind.INTERVAL or wide or (rows is not None and _is_bounded(rows, start_ms, end_ms)):
                    if rows is not None:
                        yield point.series, rows
                else:
                    waiting.append(point)


def _is_bounded(rows: Batch, start_ms: int, end_ms: int) -> bool:
    usable = (rows.quality & np.uint8(UNUSABLE)) == 0
    times = rows.time_ms[usable]
    return len(times) > 0 and int(times[0]) <= start_ms and int(times[-1]) >= end_ms


def per_series(batch: Batch) -> list[tuple[int, Batch]]:
    """Split a batch sorted by series into (position in the series table, its rows), as views."""
    if not len(batch):
        return []
    cuts = np.flatnonzero(np.diff(batch.index)) + 1
    bounds = [0, *cuts.tolist(), len(batch)]
    parts = []
    for start, end in itertools.pairwise(bounds):
        rows = slice(start, end)
        part = Batch(batch.series, batch.index[rows], batch.time_ms[rows], batch.value[rows], batch.quality[rows])
        parts.append((int(batch.index[start]), part))
    return parts
