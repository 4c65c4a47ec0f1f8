"""Amounts of metering points, whatever their kind: chooses the kernel, for all points at once."""

from collections.abc import Sequence

from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.counter import counter_amounts_many
from kgce.analytics.ledger.interval import interval_amounts_many, interval_ends
from kgce.analytics.ledger.readings import rows_of
from kgce.domain.batch import Batch, Int64Array
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Step


def point_amounts(points: Sequence[Point], readings: Batch, edges_ms: Int64Array, timezone: str) -> Amounts:
    """(n, m) amounts of n points of one time zone over m intervals; a point without readings is missing.

    Args:
        points: whose amounts are asked for.
        readings: of these points (and perhaps others), with the neighbours that bound the edges.
        edges_ms: (m + 1,) ascending. UTC. [ms]
        timezone: IANA name; calendar steps of interval points end at its midnights.
    """
    found = Amounts.missing(len(points), len(edges_ms) - 1)
    places: dict[Step | None, list[int]] = {}
    for place, point in enumerate(points):
        places.setdefault((point.step or Step.HOUR) if point.kind is Kind.INTERVAL else None, []).append(place)
    for step, chosen in places.items():
        rows, owner = rows_of(readings, [points[place] for place in chosen])
        if step is None:
            part = counter_amounts_many(owner, rows.time_ms, rows.value, rows.quality, edges_ms, len(chosen))
        else:
            ends = interval_ends(rows.time_ms, step, timezone)
            part = interval_amounts_many(owner, rows.time_ms, ends, rows.value, rows.quality, edges_ms, len(chosen))
        found.put(chosen, part)
    return found
