"""Nights and weekends: hourly amounts of a year's main meters, and what runs when nobody is there.

Reads every reading of the year of these meters, so it is asked for, or done where there are few.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from kgce.analytics.anomalies.base_load import night_load, weekend_load
from kgce.analytics.anomalies.dates import DateArray, weekday_of
from kgce.analytics.anomalies.night_flow import night_flow
from kgce.analytics.grid import Grid, edges_ms
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.changes import MeterChange
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Step

NEVER_EMPTY: Final = frozenset({"hospital", "vehicle_charging", "heating_plant"})  # at work at night: nothing is said
_MONTH_HOURS: Final = 744  # read at a time
_FINE: Final = frozenset({Step.QUARTER_HOUR, Step.HOUR, Step.TEN_MINUTES})


def screen_nights(
    store: ReadingStore,
    institution: Institution,
    points: Iterable[Point],
    changes: Sequence[MeterChange],
    *,
    year: int,
    peer_class: str,
) -> list[Finding]:
    """`load.night_base`, `load.weekend` of an institution's electricity; `water.night_flow` of its water meters.

    Args:
        store: with the readings.
        institution: whose.
        points: its metering points; those read at least each hour are judged.
        changes: declared ones of these meters.
        year: which.
        peer_class: its class; who works at night is not judged by its base load.

    Raises:
        StoreUnavailable: no answer.
    """
    chosen = [
        point
        for point in points
        if point.carrier in {"electricity", "water"} and (point.kind is Kind.COUNTER or point.step in _FINE)
    ]
    mains = [point for point in chosen if point.carrier == "electricity" and point.counts]
    waters = [point for point in chosen if point.carrier == "water"]
    wanted = [*mains, *waters]
    if not wanted:
        return []
    edges = _hours_ms(year, institution.timezone)
    amount = _hourly(store, wanted, changes, edges, institution.timezone)
    day, hour = _clock(edges[:-1], institution.timezone)
    found: list[Finding] = []
    if mains and peer_class not in NEVER_EMPTY:
        load = amount[: len(mains)].sum(axis=0)
        for judge in (night_load, weekend_load):
            found += judge(institution.id, load, hour=hour, weekday=weekday_of(day))
    for point, used in zip(waters, amount[len(mains) :], strict=True):
        found += [
            Finding(one.id, institution.id, f"{point.series.point_id}: {one.message}",
                    {"point": point.series.point_id, **one.evidence})
            for one in night_flow("", used, day=day, hour=hour)
        ]  # fmt: skip
    return found


def _hours_ms(year: int, timezone: str) -> Int64Array:
    months = month_edges_ms(year, timezone)
    return edges_ms(int(months[0][0]), int(months[-1][-1]), Grid.HOUR, timezone)


def _hourly(
    store: ReadingStore, points: Sequence[Point], changes: Sequence[MeterChange], edges: Int64Array, timezone: str
) -> FloatArray:
    """(n, hours) measured amounts; an hour that lies in a gap is unknown: a spread amount says nothing of a night."""
    parts = []
    for first in range(0, len(edges) - 1, _MONTH_HOURS):
        span = edges[first : first + _MONTH_HOURS + 1]
        read = read_neighbourly(store, points, start_ms=int(span[0]), end_ms=int(span[-1]))
        found = point_amounts(points, read.batch, span, timezone, changes)
        parts.append(np.where(found.coverage > 0, found.amount, np.nan))
    return np.concatenate(parts, axis=1)


def _clock(start_ms: Int64Array, timezone: str) -> tuple[DateArray, Int64Array]:
    """(n,) local day and hour of each moment."""
    zone = ZoneInfo(timezone)
    moments = [datetime.fromtimestamp(ms / 1000, zone) for ms in start_ms.tolist()]
    day = np.array([moment.date() for moment in moments], "datetime64[D]")
    return day, np.array([moment.hour for moment in moments], np.int64)
