"""The planted load: so many watts in each quarter of an hour, so the energy up to any half minute is a whole number.

load.py --true Wh--> meter.py --what the meter showed--> store --> ledger; load.py --true Wh--> expected.py
"""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

ZONE = "Asia/Shanghai"
YEAR = 2024
MONDAY = datetime(2024, 4, 29, tzinfo=ZoneInfo(ZONE))  # the month ends inside the week, on Tuesday night
MINUTE, QUARTER, HOUR, DAY = 60_000, 900_000, 3_600_000, 86_400_000
START = round(MONDAY.timestamp() * 1000)
END = START + 7 * DAY
MARGIN = 3 * HOUR  # readings before and after the week, as a meter in service has them
SMALLEST_W = 120  # every load is a multiple: a whole Wh in each half minute
HOUR_OF_DAY = (4, 4, 4, 4, 4, 5, 9, 30, 75, 110, 120, 125, 90, 105, 130, 125, 115, 70, 35, 20, 12, 8, 5, 4)
DAY_OF_WEEK = (10, 11, 9, 10, 12, 4, 3)  # tenths
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def at(day: str, clock: str) -> int:
    """UTC milliseconds of a local time in the week; `24:00` is the next midnight."""
    hours, minutes, *seconds = map(int, clock.split(":"))
    moment = MONDAY + timedelta(days=DAYS.index(day), hours=hours, minutes=minutes, seconds=sum(seconds))
    return round(moment.timestamp() * 1000)


class Load:
    """Watts by quarter of an hour from MARGIN before the week to MARGIN after it."""

    def __init__(self, extra: tuple[tuple[int, int, int], ...] = ()) -> None:
        """Extra: (start, end, watts) of real loads beside the daily ones, on quarters."""
        quarters = np.arange(START - MARGIN, END + MARGIN, QUARTER)
        hour = (quarters - START) // HOUR  # of the week; the margin before it belongs to a Sunday
        units = np.array(HOUR_OF_DAY)[hour % 24] * np.array(DAY_OF_WEEK)[hour // 24 % 7] // 10 + hour * 7 % 5 + 1
        self._watts = units.astype(np.int64) * SMALLEST_W
        for start, end, watts in extra:
            self._watts[(quarters >= start) & (quarters < end)] += watts
        self._quarters = quarters
        self._before = np.concatenate(([0], np.cumsum(self._watts // 4)))

    def used_wh(self, time_ms: int | np.ndarray) -> np.ndarray:
        """Energy from MARGIN before the week up to these times, which lie on half minutes."""
        passed = np.asarray(time_ms, np.int64) - int(self._quarters[0])
        place = np.minimum(passed // QUARTER, len(self._watts) - 1)
        rest, remainder = np.divmod(self._watts[place] * (passed - place * QUARTER), HOUR)
        assert not remainder.any(), "a time off the half minutes has no whole Wh"
        return self._before[place] + rest

    def kwh(self, edges_ms: np.ndarray) -> np.ndarray:
        """True energy of each interval."""
        return np.diff(self.used_wh(edges_ms)) / 1000


@cache
def load_with(extra: tuple[tuple[int, int, int], ...] = ()) -> Load:
    """The load, worked out once."""
    return Load(extra)
