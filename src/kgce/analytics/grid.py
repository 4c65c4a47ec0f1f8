"""The interval grid: 15 minutes and hours of absolute time, days, months and years of the institution's calendar."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from kgce.domain.batch import Int64Array


class Grid(StrEnum):
    """Length of ledger intervals."""

    QUARTER_HOUR = "15min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


_FIXED_MS = {Grid.QUARTER_HOUR: 900_000, Grid.HOUR: 3_600_000}


def edges_ms(start_ms: int, end_ms: int, grid: Grid, timezone: str) -> Int64Array:
    """Edges of the whole grid intervals that intersect [start, end).

    Args:
        start_ms: UTC. [ms]
        end_ms: UTC, after start. [ms]
        grid: length of the intervals.
        timezone: IANA name; days, months and years are local, a day may have 23, 24 or 25 hours.

    Returns:
        (m + 1,) edges of m intervals, ascending. [ms]

    Raises:
        ValueError: end is not after start.
    """
    if end_ms <= start_ms:
        raise ValueError(f"end {end_ms} is not after start {start_ms}")
    zone = ZoneInfo(timezone)
    if grid in _FIXED_MS:
        step = _FIXED_MS[grid]
        offset = _offset_ms(start_ms, zone) % step  # zones at :30 and :45 have their hours there
        first = (start_ms + offset) // step
        last = -(-(end_ms + offset) // step)
        return np.arange(first, last + 1, dtype=np.int64) * step - offset
    moment = _floor(datetime.fromtimestamp(start_ms / 1000, UTC).astimezone(zone), grid)
    edges = [_ms(moment)]
    while edges[-1] < end_ms:
        moment = _next(moment, grid)
        edges.append(_ms(moment))
    return np.array(edges, np.int64)


def year_span_ms(year: int, timezone: str) -> tuple[int, int]:
    """[start, end) of a calendar year in a zone. UTC. [ms]."""
    zone = ZoneInfo(timezone)
    start, end = (round(datetime(number, 1, 1, tzinfo=zone).timestamp() * 1000) for number in (year, year + 1))
    return start, end


def _offset_ms(time_ms: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).utcoffset()
    return round((offset or timedelta()).total_seconds() * 1000)


def _floor(moment: datetime, grid: Grid) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if grid is Grid.DAY:
        return midnight
    return midnight.replace(day=1) if grid is Grid.MONTH else midnight.replace(month=1, day=1)


def _next(moment: datetime, grid: Grid) -> datetime:
    if grid is Grid.DAY:
        return moment + timedelta(days=1)  # wall time: the next local midnight
    if grid is Grid.MONTH:
        return moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1)
    return moment.replace(year=moment.year + 1)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
