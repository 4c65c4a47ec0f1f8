"""Figures in words a technician reads at a glance."""

import math
from datetime import UTC, datetime
from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_STEP: Final = 1024


def lasting(seconds: float) -> str:
    """`45 s`, `12 min`, `5 h`, `3 days`."""
    if seconds < 2 * _MINUTE_S:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.0f} h"
    return f"{seconds / _DAY_S:.0f} days"


def at(time_ms: int) -> str:
    """UTC to the second."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def size(count: float) -> str:
    """Bytes in the unit that fits."""
    power = 0 if count < 1 else min(int(math.log(count, _STEP)), len(_UNITS) - 1)
    return f"{count / _STEP**power:.{0 if power == 0 else 1}f} {_UNITS[power]}"


def hours(left: float | None) -> str:
    """How long the buffer lasts."""
    if left is None:
        return "not known yet"
    return "over a year" if left > 365 * 24 else lasting(left * _HOUR_S)
