"""The simulation's time: hours since 2015-01-01T00:00+08:00, and the local calendar they fall on."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from kgce.domain.batch import Int64Array

# China has had one time zone and no summer time since 1991, so local time is a constant shift.
LOCAL_OFFSET: Final = timedelta(hours=8)
EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC) - LOCAL_OFFSET
EPOCH_MS: Final = int(EPOCH.timestamp() * 1000)
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
FIRST_YEAR: Final = 2015
LAST_YEAR: Final = 2049  # the calendar tables end here
HOURS_OF_2015: Final = np.arange(365 * 24, dtype=np.int64)
_FIRST_DAY: Final = np.datetime64("2015-01-01", "D")
_FIRST_WEEKDAY: Final = 3  # 2015-01-01 was a Thursday; Monday = 0


def hour_and_offset(time_ms: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Hour index of UTC milliseconds, and the milliseconds gone in that hour.

    Raises:
        ValueError: a time before the simulation begins.
    """
    since = time_ms - EPOCH_MS
    if len(since) and int(since.min()) < 0:
        raise ValueError("the simulation begins 2015-01-01T00:00+08:00; ask for a later time")
    hours = since // HOUR_MS
    return hours, since - hours * HOUR_MS


def day_of(hours: Int64Array) -> Int64Array:
    """Local day index, 0 = 2015-01-01."""
    return hours // 24


def weekday_of(days: Int64Array) -> Int64Array:
    """Monday = 0 ... Sunday = 6."""
    found: Int64Array = (days + _FIRST_WEEKDAY) % 7
    return found


def day_index(year: int, month: int, day: int) -> int:
    """Day index of a local date."""
    return int((np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D") - _FIRST_DAY).astype(np.int64))


_NEW_YEARS: Final = np.array([day_index(year, 1, 1) for year in range(FIRST_YEAR, LAST_YEAR + 2)], np.int64)
_YEAR_OF_DAY: Final = np.repeat(np.arange(FIRST_YEAR, LAST_YEAR + 1), np.diff(_NEW_YEARS))


def year_of(days: Int64Array) -> Int64Array:
    """Local calendar year of day indices.

    Raises:
        ValueError: a day after the last simulated year.
    """
    if len(days) and int(days.max()) >= len(_YEAR_OF_DAY):
        raise ValueError(f"the simulation ends with {LAST_YEAR}; ask for an earlier time")
    found: Int64Array = _YEAR_OF_DAY[days]
    return found


def day_in_year(days: Int64Array) -> Int64Array:
    """0 = 1 January of the local year; ends with the same year as year_of."""
    found: Int64Array = days - _NEW_YEARS[year_of(days) - FIRST_YEAR]
    return found


def midnight_ms(days: Int64Array) -> Int64Array:
    """UTC milliseconds at which local days begin."""
    return EPOCH_MS + days * DAY_MS
