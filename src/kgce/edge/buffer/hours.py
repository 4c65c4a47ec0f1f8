"""Hours left: how long the buffer lasts without an uplink, at the rate at which it has been filled lately."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_HOUR_S: Final = 3600.0
_KNOWN_AFTER_S: Final = 60.0
_BIN_S: Final = 60.0
_BINS: Final = 60


class Rate:
    """Bytes put per hour, over the last hour; what an earlier start knew counts until this one knows better."""

    def __init__(self, clock: Callable[[], float], *, known: float | None = None) -> None:
        """`clock` is monotonic, in seconds; `known` in bytes per hour."""
        self._clock = clock
        self._known = known
        self._began_s = clock()
        self._bins: dict[int, int] = {}  # minute -> bytes

    def add(self, size: int) -> None:
        """So many bytes were put now."""
        minute = int(self._clock() // _BIN_S)
        self._bins[minute] = self._bins.get(minute, 0) + size
        if len(self._bins) > _BINS:
            for old in [one for one in self._bins if one <= minute - _BINS]:
                del self._bins[old]

    def per_hour(self) -> float | None:
        """None until a minute has passed and nothing is known from before."""
        now_s = self._clock()
        ran_s = now_s - self._began_s
        if ran_s < _KNOWN_AFTER_S:
            return self._known
        first = int(now_s // _BIN_S) - _BINS
        window_s = min(ran_s, _BINS * _BIN_S)
        return sum(size for minute, size in self._bins.items() if minute > first) * _HOUR_S / window_s


@dataclass(frozen=True, slots=True)
class Left:
    """How long the buffer lasts, and what bounds it."""

    hours: float | None  # None: the rate is not known yet, or nothing comes in
    bound_by: str  # size, disk or age


def hours_left(
    *,
    used: int,
    size_bound: int,
    disk_bytes: int,
    bytes_per_hour: float | None,
    max_age_h: float | None,
    oldest_h: float,
) -> Left:
    """Hours until something must be given up.

    `used` and `size_bound` in bytes; `disk_bytes` is what the disk has above its floor; `oldest_h` is the age of the
    oldest waiting row in hours.
    """
    room = {"size": max(0, size_bound - used), "disk": max(0, disk_bytes)}
    by = min(room, key=lambda name: room[name])
    hours = room[by] / bytes_per_hour if bytes_per_hour else None
    if max_age_h is not None:
        until_age = max(0.0, max_age_h - oldest_h)
        if hours is None or until_age < hours:
            return Left(until_age, "age")
    return Left(hours, by)
