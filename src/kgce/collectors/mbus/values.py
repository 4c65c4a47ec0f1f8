"""Data types of EN 13757-3 annex A: integers, BCD, real, dates, text, from their bytes (low byte first)."""

import math
import struct
from dataclasses import dataclass
from typing import Final

MINUTES: Final = 60
HOURS: Final = 24
MONTHS: Final = 12
_WINDOW_START: Final = 81  # two-digit years from here on belong to the 1900s, unless the century is said
_LONGEST_YEAR: Final = 99
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class MeterTime:
    """A date, or a date with time, as the meter's clock says it; fields as sent, whether they make sense or not."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0
    has_time: bool = False
    is_summer: bool = False
    is_marked_invalid: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether it names an instant: not marked invalid by the meter, and on the calendar."""
        if self.is_marked_invalid or not 1 <= self.month <= MONTHS or not 1 <= self.day <= _DAYS[self.month - 1]:
            return False
        leap = self.year % 4 == 0 and (self.year % 100 != 0 or self.year % 400 == 0)
        if (self.month, self.day) == (2, 29) and not leap:
            return False
        return self.hour < HOURS and self.minute < MINUTES and self.second < MINUTES


def integer(data: bytes) -> float:
    """Type B, signed; the most negative value means "not available"."""
    value = int.from_bytes(data, "little", signed=True)
    return math.nan if value == -(1 << (8 * len(data) - 1)) else value


def bcd(data: bytes) -> float:
    """Type A; F in the highest digit is a minus, any other digit above 9 means "not available"."""
    digits = data[::-1].hex()
    sign = 1
    if digits[0] == "f":
        sign, digits = -1, digits[1:]
    return sign * int(digits) if digits.isdecimal() else math.nan


def real(data: bytes) -> float:
    """Type H, IEEE 754 single; infinities are "not available" too."""
    value: float = struct.unpack("<f", data)[0]
    return value if math.isfinite(value) else math.nan


def date(data: bytes) -> MeterTime:
    """Type G: day, month and a year of two digits in two bytes."""
    low, high = data
    year = low >> 5 | high >> 4 << 3
    return MeterTime(
        _full_year(year, 0), high & 0x0F, low & 0x1F, is_marked_invalid=data == b"\xff\xff" or year > _LONGEST_YEAR
    )


def minute_time(data: bytes) -> MeterTime:
    """Type F: date and time to the minute in four bytes."""
    minute, hour, low, high = data
    day = date(bytes([low, high]))
    return MeterTime(
        _full_year(low >> 5 | high >> 4 << 3, hour >> 5 & 3),
        day.month,
        day.day,
        hour & 0x1F,
        minute & 0x3F,
        has_time=True,
        is_summer=bool(hour & 0x80),
        is_marked_invalid=bool(minute & 0x80) or day.is_marked_invalid,
    )


def second_time(data: bytes) -> MeterTime:
    """Type I: date and time to the second in six bytes."""
    second, minute, hour, low, high, _week = data
    day = date(bytes([low, high]))
    return MeterTime(
        day.year,
        day.month,
        day.day,
        hour & 0x1F,
        minute & 0x3F,
        second & 0x3F,
        has_time=True,
        is_summer=bool(second & 0x40),
        is_marked_invalid=bool(minute & 0x80) or day.is_marked_invalid,
    )


def time_of_day(data: bytes) -> MeterTime:
    """Type J: a time without a date in three bytes; it names no instant."""
    second, minute, hour = data
    return MeterTime(0, 0, 0, hour & 0x1F, minute & 0x3F, second & 0x3F, has_time=True)


def text(data: bytes) -> str:
    """Characters of ISO 8859-1, last one first on the wire."""
    return data[::-1].decode("latin-1")


def _full_year(two_digits: int, century: int) -> int:
    """With century 0 old meters mean the years 1981 to 2080."""
    if century == 0 and two_digits < _WINDOW_START:
        century = 1
    return 1900 + 100 * century + two_digits
