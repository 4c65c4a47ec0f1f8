"""What a register does that no meter should: dips, spikes, resets."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import BoolArray, FloatArray, Int64Array

DIP_READINGS: Final = 5  # a drop that returns within so many readings was a dip


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """A cleaned counter: never falls; across a reset it stands still.

    time_ms, value: (n,); is_reset: (n - 1,) stretches whose amount is unknown; spikes_ms: times of rejected readings.
    """

    time_ms: Int64Array
    value: FloatArray
    is_reset: BoolArray
    spikes_ms: list[int]


def clean_register(time_ms: Int64Array, value: FloatArray) -> Register:
    """Reject dips and spikes, mark resets.

    Args:
        time_ms: (n,) strictly ascending. [ms]
        value: (n,) finite. [point's unit]

    Returns:
        The register; without anomalies its value is the given array, so differences stay exact.
    """
    falls = np.flatnonzero(np.diff(value) < 0)
    if not len(falls):
        return Register(time_ms, value, np.zeros(max(len(value) - 1, 0), np.bool_), [])
    keep = np.ones(len(value), np.bool_)
    for fall in falls:
        _reject(value, keep, int(fall))
    spikes = time_ms[~keep].tolist()
    time_ms, value = time_ms[keep], value[keep]
    step = np.diff(value)
    is_reset = step < 0
    lifted = value.copy()
    lifted[1:] -= np.cumsum(np.where(is_reset, step, 0.0))
    np.maximum.accumulate(lifted, out=lifted)  # the lift may round down across a reset
    return Register(time_ms, lifted, is_reset, spikes)


def _reject(value: FloatArray, keep: BoolArray, fall: int) -> None:
    """Decide which side of a fall was wrong: a dip that returns, or one high reading before it."""
    before = fall
    while before >= 0 and not keep[before]:
        before -= 1
    if before < 0 or not keep[fall + 1] or value[fall + 1] >= value[before]:
        return  # an earlier decision settled it
    ahead = value[fall + 1 : fall + 2 + DIP_READINGS]
    returns = np.flatnonzero(ahead >= value[before])
    low = int(returns[0]) if len(returns) else len(value)  # readings to reject if the low side is wrong
    earlier = before - 1
    while earlier >= 0 and not keep[earlier]:
        earlier -= 1
    if low > 1 and earlier >= 0 and value[fall + 1] >= value[earlier]:
        keep[before] = False  # without this one the register never fell; the fewest readings are blamed
    elif len(returns):
        keep[fall + 1 : fall + 1 + low] = False
