"""Durations as InfluxQL writes them: 400d, 168h0m0s, 0s for ever."""

import re
from typing import Final

from kgce.domain.errors import ConfigError

_UNIT_S: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_YEAR_S: Final = 365 * 86_400
_PART: Final = re.compile(r"(\d+)([a-z])")
FOREVER: Final = "forever"


def seconds_of(text: str) -> int:
    """Whole seconds; 0 = for ever.

    Raises:
        ConfigError: it is no duration.
    """
    if text.strip().lower() in {FOREVER, "inf", "0", "0s"}:
        return 0
    units = {**_UNIT_S, "y": _YEAR_S}
    parts = _PART.findall(text)
    if (
        not parts
        or "".join(number + unit for number, unit in parts) != text
        or any(unit not in units for _, unit in parts)
    ):
        raise ConfigError(f"{text!r} is no duration: write 400d, 52w, 5y or forever")
    return sum(int(number) * units[unit] for number, unit in parts)


def influxql_of(seconds: int) -> str:
    """As a statement wants it; INF for ever."""
    return f"{seconds}s" if seconds else "INF"


def text_of(seconds: int) -> str:
    """For people."""
    if not seconds:
        return FOREVER
    for unit in ("d", "h", "m"):
        if seconds % _UNIT_S[unit] == 0:
            return f"{seconds // _UNIT_S[unit]}{unit}"
    return f"{seconds}s"
