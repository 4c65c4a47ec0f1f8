"""Spread: an amount that a meter delivers after a gap belongs to the whole gap; feeds the adapters.

A logger that was silent hands over what its meter counted meanwhile as one giant interval. The energy is real, its
place is not: it is spread evenly over the silent intervals and the one it was told in.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array, Quality, UInt8Array

SPIKE_FACTOR: Final = 20.0  # times the meter's own usual maximum: no consumption, but a sum
USUAL_PERCENTILE: Final = 99.0


class CatchUp(NamedTuple):
    """An amount told after a gap that is too large for its own interval."""

    place: int  # in the meter's columns
    at_ms: int
    value: float
    gap_from_ms: int  # first interval without a value
    gap_to_ms: int  # last interval without a value
    usual: float  # 99th percentile of the meter's other positive amounts


class Spread(NamedTuple):
    """(n,) columns after spreading, in time order."""

    time_ms: Int64Array
    value: FloatArray
    quality: UInt8Array


def usual_amount(value: FloatArray, without: int) -> float:
    """99th percentile of the positive (n,) amounts other than the one at `without`; 0 = there are none."""
    others = np.delete(value, without)
    positive = others[others > 0]
    return float(np.percentile(positive, USUAL_PERCENTILE)) if len(positive) else 0.0


def gaps(time_ms: Int64Array, step_ms: int) -> Int64Array:
    """Places in (n,) ascending starts that come after at least one interval without a value."""
    return np.flatnonzero(np.diff(time_ms) > step_ms).astype(np.int64) + 1


def catch_ups(time_ms: Int64Array, value: FloatArray, step_ms: int, factor: float = SPIKE_FACTOR) -> list[CatchUp]:
    """Amounts that follow a gap and exceed `factor` times what is usual for the meter.

    Args:
        time_ms: (n,) ascending starts. [ms]
        value: (n,) amounts.
        step_ms: length of an interval. [ms]
        factor: how many times the usual amount.
    """
    found = []
    for place in gaps(time_ms, step_ms).tolist():
        usual, amount = usual_amount(value, place), float(value[place])
        if usual > 0 and amount > factor * usual:
            before_ms, at_ms = int(time_ms[place - 1]), int(time_ms[place])
            found.append(CatchUp(place, at_ms, amount, before_ms + step_ms, at_ms - step_ms, usual))
    return found


def respread(
    time_ms: Int64Array, value: FloatArray, quality: UInt8Array, places: Sequence[int], step_ms: int
) -> Spread:
    """The amounts at `places` spread evenly over the gap before each and its own interval, flagged as estimated.

    Args:
        time_ms: (n,) ascending starts. [ms]
        value: (n,) amounts; those at places are not negative.
        quality: (n,) Quality bits.
        places: which amounts; each follows a gap.
        step_ms: length of an interval. [ms]

    Returns:
        (m >= n,) columns. The shares of an amount sum to exactly that amount, in whatever order they are added.
    """
    kept = np.ones(len(value), np.bool_)
    kept[list(places)] = False
    columns = [Spread(time_ms[kept], value[kept], quality[kept])]
    for place in places:
        slots = np.arange(time_ms[place - 1] + step_ms, time_ms[place], step_ms, dtype=np.int64)
        slots = np.append(slots, time_ms[place])
        bits = np.full(len(slots), quality[place] | np.uint8(Quality.ESTIMATED), np.uint8)
        columns.append(Spread(slots, _shares(float(value[place]), len(slots)), bits))
    stamps, amounts, flags = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.argsort(stamps, kind="stable")
    return Spread(stamps[order], amounts[order], flags[order])


def _shares(amount: float, count: int) -> FloatArray:
    """Equal parts, each a multiple of the amount's last bit so that no addition rounds; the last takes the rest."""
    bit = float(np.spacing(amount))
    share = float(np.floor(amount / count / bit)) * bit
    shares = np.full(count, share, np.float64)
    shares[-1] = amount - share * (count - 1)
    return shares
