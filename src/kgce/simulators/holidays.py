"""Which local days are worked, taught or heated: the Chinese calendar, approximated."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from kgce.domain.batch import BoolArray, Int64Array
from kgce.simulators.timeline import FIRST_YEAR, LAST_YEAR, day_index, weekday_of

# (month, day) of the Spring Festival. Approximations, on purpose: later years use 5 February; the Dragon Boat and
# Mid-Autumn days are counted from it without leap months; worked weekends that make up for long holidays are ignored.
_SPRING_FESTIVAL: Final = {
    2015: (2, 19), 2016: (2, 8), 2017: (1, 28), 2018: (2, 16), 2019: (2, 5), 2020: (1, 25), 2021: (2, 12),
    2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26),
    2029: (2, 13), 2030: (2, 3), 2031: (1, 23), 2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8),
}  # fmt: skip
_DRAGON_BOAT_AFTER: Final = 122  # days after the Spring Festival: 4 lunar months and 4 days
_MID_AUTUMN_AFTER: Final = 221  # 7 lunar months and 14 days
_FIRST_WEEKEND_DAY: Final = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """One flag per local day from 2015-01-01 to the end of 2049."""

    holiday: BoolArray  # public holiday
    workday: BoolArray  # Monday to Friday, no public holiday
    school_day: BoolArray  # workday outside the winter and summer holidays
    heating: BoolArray  # 15 November to 15 March, the heating season of Jinan


@cache
def calendar() -> Calendar:
    """The calendar, built once."""
    count = day_index(LAST_YEAR + 1, 1, 1)
    days = np.arange(count, dtype=np.int64)
    holiday, school_break, heating = (np.zeros(count, np.bool_) for _ in range(3))
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        festival = day_index(year, *_SPRING_FESTIVAL.get(year, (2, 5)))
        for first, length in _public_holidays(year, festival):
            holiday[first : first + length] = True
        school_break[festival - 20 : festival + 15] = True
        school_break[day_index(year, 7, 8) : day_index(year, 9, 1)] = True
        heating[day_index(year, 1, 1) : day_index(year, 3, 16)] = True
        heating[day_index(year, 11, 15) : day_index(year + 1, 1, 1)] = True
    workday = (weekday_of(days) < _FIRST_WEEKEND_DAY) & ~holiday
    return Calendar(holiday, workday, workday & ~school_break, heating)


def _public_holidays(year: int, festival: int) -> list[tuple[int, int]]:
    """(first day index, length) of the seven public holidays of a year."""
    return [
        (day_index(year, 1, 1), 1),
        (festival - 1, 7),
        (day_index(year, 4, 4), 3),
        (day_index(year, 5, 1), 3),
        (festival + _DRAGON_BOAT_AFTER, 1),
        (festival + _MID_AUTUMN_AFTER, 1),
        (day_index(year, 10, 1), 7),
    ]


def flag(of_days: BoolArray, days: Int64Array) -> BoolArray:
    """Flags of the asked days.

    Raises:
        ValueError: a day after 2049, where the calendar ends.
    """
    if len(days) and int(days.max()) >= len(of_days):
        raise ValueError(f"the simulated calendar ends with {LAST_YEAR}; ask for an earlier time")
    found: BoolArray = of_days[days]
    return found
