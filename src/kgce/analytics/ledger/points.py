"""Amounts of metering points, whatever their kind: chooses the kernel, for all points at once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.changes import Rules
from kgce.analytics.ledger.counter import counter_amounts_on
from kgce.analytics.ledger.interval import interval_amounts_many, interval_ends
from kgce.analytics.ledger.readings import FAR_MS, rows_of
from kgce.domain.batch import Batch, Int64Array
from kgce.domain.changes import ChangeKind, MeterChange
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Step


def point_amounts(
    points: Sequence[Point],
    readings: Batch,
    edges_ms: Int64Array,
    timezone: str,
    changes: Iterable[MeterChange] = (),
) -> Amounts:
    """(n, m) amounts of n points of one time zone over m intervals; a point without readings is missing.

    Args:
        points: whose amounts are asked for.
        readings: of these points (and perhaps others), with the neighbours that bound the edges.
        edges_ms: (m + 1,) ascending. UTC. [ms]
        timezone: IANA name; calendar steps of interval points end at its midnights.
        changes: declared ones, of these points and perhaps others.
    """
    return point_amounts_on(points, readings, [edges_ms], timezone, changes)[0]


def point_amounts_on(
    points: Sequence[Point],
    readings: Batch,
    grids: Sequence[Int64Array],
    timezone: str,
    changes: Iterable[MeterChange] = (),
) -> list[Amounts]:
    """The same over several grids at once; see `point_amounts`."""
    found = [Amounts.missing(len(points), len(edges) - 1) for edges in grids]
    places: dict[Step | None, list[int]] = {}
    for place, point in enumerate(points):
        places.setdefault((point.step or Step.HOUR) if point.kind is Kind.INTERVAL else None, []).append(place)
    declared = list(changes)
    if declared:
        start_ms, end_ms = min(int(edges[0]) for edges in grids), max(int(edges[-1]) for edges in grids)
        declared = near_changes(declared, start_ms=start_ms, end_ms=end_ms)
    for step, chosen in places.items():
        own = [points[place] for place in chosen]
        rows, owner = rows_of(readings, own)
        rows, owner = _in_service(rows, owner, own)
        if step is None:
            parts = counter_amounts_on(
                owner, rows.time_ms, rows.value, rows.quality, grids, len(own), rules=rules_of(own, declared)
            )
        else:
            ends = interval_ends(rows.time_ms, step, timezone)
            parts = [
                interval_amounts_many(owner, rows.time_ms, ends, rows.value, rows.quality, edges, len(own))
                for edges in grids
            ]
        for amounts, part in zip(found, parts, strict=True):
            amounts.put(chosen, part)
    return found


def rules_of(points: Sequence[Point], changes: Iterable[MeterChange]) -> Rules:
    """What is known about these counters beyond their readings."""
    place_of = {point.series.key: place for place, point in enumerate(points)}
    of: dict[int, list[MeterChange]] = {}
    for change in changes:
        if change.key in place_of:
            of.setdefault(place_of[change.key], []).append(change)
    width, most = (
        np.array([np.nan if bound is None else bound for bound in bounds], np.float64)
        for bounds in ([point.role.width for point in points], [point.role.most_per_hour for point in points])
    )
    return Rules(width, most, of)


def near_changes(changes: Iterable[MeterChange], *, start_ms: int, end_ms: int) -> list[MeterChange]:
    """Those that bear on a span: none lies farther away than its readings; of earlier ones the unit remains."""
    kept, units = [], {}
    for change in sorted(changes, key=lambda one: (one.key, one.at_ms)):
        if change.at_ms < start_ms - FAR_MS:
            if change.kind is not ChangeKind.RESET_CONFIRMED:
                units[change.key] = replace(change, kind=ChangeKind.UNIT)
        elif change.at_ms < end_ms + FAR_MS:
            kept.append(change)
    return [unit for unit in units.values() if unit.factor != 1.0] + kept


def _in_service(rows: Batch, owner: np.ndarray, points: Sequence[Point]) -> tuple[Batch, np.ndarray]:
    """Without what a meter says outside its service; the reading at its very end still bounds it."""
    if all(point.role.since_ms is None and point.role.until_ms is None for point in points):
        return rows, owner
    bounds = np.iinfo(np.int64)
    since = np.array([bounds.min if point.role.since_ms is None else point.role.since_ms for point in points])
    until = np.array([bounds.max if point.role.until_ms is None else point.role.until_ms for point in points])
    kept = np.flatnonzero((rows.time_ms >= since[owner]) & (rows.time_ms <= until[owner]))
    return rows.select(kept), owner[kept]
