"""Bounding readings: between which readings each interval of a ledger lies, as evidence for a person."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from kgce.analytics.figures import LedgerRow, find_point
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.domain.batch import UNUSABLE
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.quantities import Kind


def bounding_readings(
    store: ReadingStore, registry: Registry, *, institution: str, point: str, rows: Sequence[LedgerRow]
) -> list[dict[str, Any]]:
    """For each row a sentence, and the readings it was made from: last before or at each edge, first after it.

    Raises:
        UnknownInstitution: no such institution.
        UnknownPoint: no such point, or several.
    """
    if not rows:
        return []
    zone = ZoneInfo(registry.institution(institution).timezone)
    found = find_point(registry, institution, point)
    readings = read_neighbourly(store, [found], start_ms=rows[0].start_ms, end_ms=rows[-1].end_ms).batch
    good = ((readings.quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(readings.value)
    time_ms, value = readings.time_ms[good], readings.value[good]
    changes = [one.change for one in registry.changes(institution) if one.change.key == found.series.key]
    told = []
    for row in rows:
        inside = slice(*np.searchsorted(time_ms, [row.start_ms, row.end_ms]).tolist())
        chosen = _chosen(time_ms, inside, is_counter=found.kind is Kind.COUNTER)
        shown = [{"time": _iso(int(time_ms[at]), zone), "value": float(value[at])} for at in chosen]
        within = [change for change in changes if row.start_ms <= change.at_ms < row.end_ms]
        told.append({"readings": shown, "explain": _sentence(row, shown, len(within), inside.stop - inside.start)})
    return told


def _chosen(time_ms: np.ndarray, inside: slice, *, is_counter: bool) -> list[int]:
    """Places of the readings that bound an interval: for a counter its neighbours outside too."""
    if not is_counter:
        return list(range(inside.start, inside.stop))[:3]
    ends = {inside.start - 1, inside.start, inside.stop - 1, inside.stop}
    return sorted(place for place in ends if 0 <= place < len(time_ms))


def _sentence(row: LedgerRow, shown: Sequence[dict[str, Any]], changes: int, count: int) -> str:
    if not shown:
        return "no usable reading within forty days: nothing is known"
    bounds = ", ".join(f"{one['value']:g} at {one['time']}" for one in shown)
    swapped = f", {changes} declared change(s)" if changes else ""
    amount = "unknown" if row.amount is None else f"{row.amount:g} {row.unit}"
    return f"{amount} ({row.provenance}), {count} reading(s) inside{swapped}; bounded by {bounds}"


def _iso(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).isoformat()
