"""Counter: hourly means become a rate at every instant and its exact integral.

The rate inside an hour is the hour's mean times a shape whose integral over the hour is one, so the counter's
difference between two full hours is the hour's amount, and anywhere between it is the integral of the rate.
"""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.noise import uniform
from kgce.simulators.timeline import HOUR_MS, HOURS_OF_2015, MINUTE_MS, hour_and_offset

HourlyRate = Callable[[Int64Array], FloatArray]
_BLOCK: Final = 8760  # hours computed at a time
_MINUTES: Final = 60
_RIPPLES: Final = 3  # waves per minute: something moves on a page that looks every few seconds


class Counting(Protocol):
    """A rate per hour and the running total it adds up to."""

    def rate(self, time_ms: Int64Array) -> FloatArray:
        """Amount per hour at each instant (UTC milliseconds)."""
        ...

    def total(self, time_ms: Int64Array) -> FloatArray:
        """What a counter shows at each instant."""
        ...


class HourShape(Protocol):
    """How an hour's amount is spread inside the hour; offset_ms counts from the hour's start."""

    def density(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        """Rate relative to the hour's mean."""
        ...

    def share(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        """Integral of the density from the hour's start, 0..1."""
        ...


class MinuteShape:
    """Seeded minute-by-minute variation with a ripple of some seconds."""

    def __init__(self, seed: int, *, variation: float, ripple: float = 0.03) -> None:
        self._seed = seed
        self._variation = variation
        self._ripple = ripple

    def density(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        """Rate relative to the hour's mean."""
        weights, minute, phase = self._parts(hours, offset_ms)
        wave = 1 + self._ripple * np.sin(2 * np.pi * _RIPPLES * phase)
        found: FloatArray = weights[np.arange(len(hours)), minute] / weights.mean(axis=1) * wave
        return found

    def share(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        """Integral of the density from the hour's start, 0..1."""
        weights, minute, phase = self._parts(hours, offset_ms)
        rows, turn = np.arange(len(hours)), 2 * np.pi * _RIPPLES
        gone = phase + self._ripple * (1 - np.cos(turn * phase)) / turn
        summed = np.cumsum(weights, axis=1)
        here = weights[rows, minute]
        found: FloatArray = (summed[rows, minute] - here + here * gone) / summed[:, -1]
        return found

    def _parts(self, hours: Int64Array, offset_ms: Int64Array) -> tuple[FloatArray, Int64Array, FloatArray]:
        minutes = hours[:, np.newaxis] * _MINUTES + np.arange(_MINUTES, dtype=np.int64)
        weights = 1 + self._variation * (2 * uniform(self._seed, "minute", minutes) - 1)
        minute = offset_ms // MINUTE_MS
        return weights, minute, (offset_ms - minute * MINUTE_MS) / MINUTE_MS


class HourlyCounter:
    """A counter that starts at `base` when the simulation begins and grows by an hourly rate."""

    def __init__(self, hourly: HourlyRate, shape: HourShape, *, base: float = 0.0) -> None:
        self._hourly = hourly
        self._shape = shape
        # (rate of each hour, total at each hour's start); replaced as one object, so another thread sees both or none
        self._table: tuple[FloatArray, FloatArray] = (np.zeros(0), np.array([base]))

    def rate(self, time_ms: Int64Array) -> FloatArray:
        """Amount per hour at each instant."""
        hours, offset_ms = hour_and_offset(time_ms)
        found: FloatArray = self._until(hours)[0][hours] * self._shape.density(hours, offset_ms)
        return found

    def total(self, time_ms: Int64Array) -> FloatArray:
        """What the counter shows at each instant."""
        hours, offset_ms = hour_and_offset(time_ms)
        rates, before = self._until(hours)
        found: FloatArray = before[hours]
        inside = offset_ms > 0
        if inside.any():
            found[inside] += rates[hours[inside]] * self._shape.share(hours[inside], offset_ms[inside])
        return found

    def hour_mean(self, hours: Int64Array) -> FloatArray:
        """Mean rate of each hour."""
        found: FloatArray = self._until(hours)[0][hours]
        return found

    def _until(self, hours: Int64Array) -> tuple[FloatArray, FloatArray]:
        rates, before = self._table
        needed = int(hours.max(initial=0)) + 1
        if needed > len(rates):
            end = -(-needed // _BLOCK) * _BLOCK
            new = self._hourly(np.arange(len(rates), end, dtype=np.int64))
            # A running sum from the last total: adding a block later gives the same bits as computing all at once.
            grown = np.cumsum(np.concatenate([before[-1:], new]))
            self._table = (np.concatenate([rates, new]), np.concatenate([before[:-1], grown]))
        return self._table


class SumCounter:
    """Several counters metered as one."""

    def __init__(self, *parts: Counting) -> None:
        self._parts = parts

    def rate(self, time_ms: Int64Array) -> FloatArray:
        """Sum of the parts' rates."""
        found: FloatArray = np.sum([part.rate(time_ms) for part in self._parts], axis=0)
        return found

    def total(self, time_ms: Int64Array) -> FloatArray:
        """Sum of the parts' totals."""
        found: FloatArray = np.sum([part.total(time_ms) for part in self._parts], axis=0)
        return found


def scaled_to_2015(shape: HourlyRate, amount: float) -> float:
    """Factor that makes an hourly shape sum to `amount` in 2015."""
    return amount / float(shape(HOURS_OF_2015).sum())


assert HOUR_MS == _MINUTES * MINUTE_MS
