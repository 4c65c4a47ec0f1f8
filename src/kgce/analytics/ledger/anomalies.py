"""What a register does that no meter should: dips, spikes, roll-overs, resets."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Flag
from kgce.domain.batch import BoolArray, FloatArray, Int64Array

HOUR_MS: Final = 3_600_000
DIP_READINGS: Final = 5  # a drop that returns within so many readings was a dip; as many high ones may be a spike
SPIKE_FACTOR: Final = 20.0  # several high readings are a spike when they rose so much faster than the meter's median
ROLLOVER_SHARE: Final = 0.1  # of the register's width: a roll-over hides no more consumption than this
STAMP_MS: Final = 2000  # a reading's stamp may lie so far from the moment the register showed it
RESOLUTIONS: Final = (1000.0, 100.0, 10.0, 1.0, 0.5, 0.1, 0.01, 0.001)
STEP_TOLERANCE: Final = 1e-4  # of a step; a register that counts in them shows them to better than this
NEARBY: Final = 50  # readings on each side that tell how fast the meter usually counts


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """A cleaned counter: never falls; across a reset it stands still.

    time_ms, value: (n,); is_reset: (n - 1,) stretches whose amount is unknown; marks: (time in ms, Flag) of what was
    rejected or bridged.
    """

    time_ms: Int64Array
    value: FloatArray
    is_reset: BoolArray
    marks: list[tuple[int, Flag]] = field(default_factory=list)

    @property
    def spikes_ms(self) -> list[int]:
        """Times of rejected readings."""
        return [time_ms for time_ms, flag in self.marks if flag is Flag.SPIKE_REJECTED]


def clean_register(
    time_ms: Int64Array,
    value: FloatArray,
    *,
    width: float = np.nan,
    most_per_hour: float = np.nan,
    base: FloatArray | None = None,
) -> Register:
    """Reject dips and spikes, bridge roll-overs, mark resets.

    Args:
        time_ms: (n,) strictly ascending. [ms]
        value: (n,) finite. [point's unit]
        width: value at which the register starts again at 0; NaN = not known, then no fall is a roll-over.
        most_per_hour: more than the supply can deliver; NaN = not known, then no rise is too steep. [point's unit/h]
        base: (n,) what a declared replacement added to the shown level; None = nothing. [point's unit]

    Returns:
        The register; without anomalies its value is the given array, so differences stay exact. A rise steeper than
        the supply allows is a spike when it does not last, and as unknown as a reset when it does.
    """
    step = np.diff(value)
    falls = np.flatnonzero(step < 0)
    leaps = _too_steep(time_ms, value, step, most_per_hour)
    if not len(falls) and not len(leaps):
        return Register(time_ms, value, np.zeros(max(len(value) - 1, 0), np.bool_))
    keep = np.ones(len(value), np.bool_)
    for leap in leaps.tolist():
        _reject_leap(value, keep, leap)
    judging = _Judging(time_ms, value, keep, most_per_hour)
    for fall in falls.tolist():
        judging.judge(fall)
    marks = [(moment, Flag.SPIKE_REJECTED) for moment in time_ms[~keep].tolist()]
    kept = Register(time_ms[keep], value[keep], np.zeros(0, np.bool_), marks)
    return _lifted(kept, width, most_per_hour, None if base is None else base[keep])


def _lifted(kept: Register, width: float, most_per_hour: float, base: FloatArray | None) -> Register:
    """What is left, raised over its falls: by the width at a roll-over, to a standstill at a reset."""
    time_ms, value, marks = kept.time_ms, kept.value, kept.marks
    step = np.diff(value)
    is_reset = step < 0
    is_reset[_too_steep(time_ms, value, step, most_per_hour)] = True
    places = np.flatnonzero(is_reset)
    drops = step[places]
    for place, fall in enumerate(places.tolist()):
        added = 0.0 if base is None else float(base[fall])
        if value[fall] - added <= width and _rolled_over(time_ms, value, fall, width):
            is_reset[fall] = False
            drops[place] = -width
            marks.append((int(time_ms[fall + 1]), Flag.ROLLOVER))
    if len(places):
        value = value - np.repeat(np.append(0.0, np.cumsum(drops)), np.diff(places + 1, prepend=0, append=len(value)))
        np.maximum.accumulate(value, out=value)  # the lift may round down across a reset
    return Register(time_ms, value, is_reset, sorted(marks))


def _too_steep(time_ms: Int64Array, value: FloatArray, step: FloatArray, most_per_hour: float) -> Int64Array:
    """Stretches that rise by more than the supply delivers, the register's resolution and late stamps granted."""
    if not np.isfinite(most_per_hour):
        return np.zeros(0, np.int64)
    granted = most_per_hour / HOUR_MS * (np.diff(time_ms) + STAMP_MS)
    found = np.flatnonzero(step > granted)
    return found[step[found] > granted[found] + _resolution(value)] if len(found) else found


def _resolution(value: FloatArray) -> float:
    """The coarsest usual step that all of a register's levels are multiples of; 0 = none."""
    for step in RESOLUTIONS:
        steps = value / step
        if (np.abs(steps - np.round(steps)) < STEP_TOLERANCE).all():
            return step
    return 0.0


def _reject_leap(value: FloatArray, keep: BoolArray, leap: int) -> None:
    """A leap that comes down again, or is the newest reading, was no consumption."""
    if not keep[leap]:
        return
    after = value[leap + 1 : leap + 2 + DIP_READINGS]
    lower = np.flatnonzero(after < after[0])
    if len(lower) and after[lower[0]] >= value[leap]:
        keep[leap + 1 : leap + 1 + int(lower[0])] = False
    elif len(after) == 1:
        keep[leap + 1] = False


def _rolled_over(time_ms: Int64Array, value: FloatArray, fall: int, width: float) -> bool:
    """Whether a fall is the register starting again: little was used, and no faster than this meter ever counts."""
    used = value[fall + 1] + width - value[fall]
    if not 0 <= used <= ROLLOVER_SHARE * width:
        return False
    around = slice(max(fall - NEARBY, 0), fall + 2 + NEARBY)
    rates = np.diff(value[around]) / np.diff(time_ms[around])
    fastest = float(rates.max(initial=0.0))
    rate = float(used / (time_ms[fall + 1] - time_ms[fall]))
    return fastest <= 0 or rate <= 10 * fastest  # a meter at rest tells nothing; its width then decides


@dataclass(frozen=True, slots=True, eq=False)
class _Judging:
    """Decides which side of a fall was wrong; `keep` is changed."""

    time_ms: Int64Array
    value: FloatArray
    keep: BoolArray
    most_per_hour: float

    def judge(self, fall: int) -> None:
        """A dip that returns, or high readings before the fall; otherwise it stays a fall."""
        value, keep = self.value, self.keep
        before = self._kept_before(fall + 1)
        if before < 0 or not keep[fall + 1] or value[fall + 1] >= value[before]:
            return  # an earlier decision settled it
        ahead = value[fall + 1 : fall + 2 + DIP_READINGS]
        returns = np.flatnonzero(ahead >= value[before])
        low = int(returns[0]) if len(returns) else len(value)  # readings to reject if the low side is wrong
        high = self._high_before(before, float(value[fall + 1]))
        if high and len(high) < low and (len(high) == 1 or self._is_steep(high)):
            keep[high] = False  # without these the register never fell; the fewest readings are blamed
        elif len(returns):
            keep[fall + 1 : fall + 1 + low] = False

    def _kept_before(self, place: int) -> int:
        place -= 1
        while place >= 0 and not self.keep[place]:
            place -= 1
        return place

    def _high_before(self, last: int, level: float) -> list[int]:
        """The few readings up to `last` that lie above `level` while the one before them does not."""
        high, place = [last], self._kept_before(last)
        while place >= 0 and self.value[place] > level:
            high.append(place)
            if len(high) > DIP_READINGS:
                return []
            place = self._kept_before(place)
        return high if place >= 0 else []

    def _is_steep(self, high: list[int]) -> bool:
        """Whether the rise into these readings is out of all proportion to how this meter counts."""
        first = high[-1]
        before = self._kept_before(first)
        rate = (self.value[first] - self.value[before]) / (self.time_ms[first] - self.time_ms[before])
        if np.isfinite(self.most_per_hour):
            return bool(rate * HOUR_MS > self.most_per_hour)
        around = slice(max(before - NEARBY, 0), high[0] + 2 + NEARBY)
        near = np.array([place for place in range(*around.indices(len(self.value))) if place not in high])
        rates = np.diff(self.value[near]) / np.diff(self.time_ms[near])
        rising = rates[rates > 0]
        return not len(rising) or bool(rate > SPIKE_FACTOR * float(np.median(rising)))
