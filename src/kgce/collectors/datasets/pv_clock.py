"""Clocks of PV meters side by side: the sun is one, so a lasting shift between two is a clock; feeds ucsd_traps.py."""

from typing import Final, NamedTuple

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array

MIN_SHIFT_MIN: Final = 30.0
MIN_DAYS: Final = 14  # on each side of the shift
SUNNY: Final = 0.3  # of the 90th percentile of a day's energy; duller days have no clear centre
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000


class Centres(NamedTuple):
    """(n,) sunny days (ordinal, ascending) and when half of the day's generation was reached on average [min]."""

    day: Int64Array
    minute: FloatArray


class Shift(NamedTuple):
    """The first day after the shift, and how much later one meter lies than the other before and after it [min]."""

    day_ms: int
    before_min: float
    after_min: float


def centres(time_ms: Int64Array, power: FloatArray, offset_ms: int) -> Centres:
    """Centre of generation of each sunny day.

    Args:
        time_ms: (n,) UTC. [ms]
        power: (n,) generation, night included. [any unit]
        offset_ms: of the days from UTC, fixed all year, so that a day holds the sun's whole arc. [ms]
    """
    local_ms, generated = time_ms + offset_ms, np.maximum(power, 0.0)
    days, place = np.unique(local_ms // _DAY_MS, return_inverse=True)
    energy = np.bincount(place, generated, len(days))
    moment = np.bincount(place, generated * (local_ms % _DAY_MS), len(days))
    sunny = (energy > 0) & (energy > SUNNY * np.percentile(energy, 90)) if len(days) else energy > 0
    return Centres(days[sunny], moment[sunny] / energy[sunny] / _MINUTE_MS)


def shift_between(one: Centres, other: Centres) -> Shift | None:
    """The lasting shift of `one` against `other` that explains their differences best; None when there is none."""
    days, here, there = np.intersect1d(one.day, other.day, return_indices=True)
    later = one.minute[here] - other.minute[there]
    cuts = range(MIN_DAYS, len(days) - MIN_DAYS + 1)
    if not cuts:
        return None
    spread = [_spread(later[:cut]) + _spread(later[cut:]) for cut in cuts]
    cut = cuts[int(np.argmin(spread))]
    before, after = float(np.median(later[:cut])), float(np.median(later[cut:]))
    return Shift(int(days[cut]) * _DAY_MS, before, after) if abs(after - before) >= MIN_SHIFT_MIN else None


def _spread(value: FloatArray) -> float:
    return float(np.abs(value - np.median(value)).sum())
