"""What the design declares for each interval, worked out from the planted load and the faults alone.

The truth, but for what nobody saw: a straight line inside an outage that the interval's edge cuts, nothing across a
swap nobody declared or after the last reading. Source: docs/decisions/0002-what-coverage-means.md.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

import numpy as np

from tests.week_of_faults.load import END, MARGIN
from tests.week_of_faults.meter import Meter

GAP_FACTOR = 1.5  # decision 0002


class Why(Enum):
    """Why a stretch between two good readings is not simply measured."""

    GAP = auto()
    SWAP = auto()
    SILENT = auto()


@dataclass(frozen=True)
class Stretch:
    """From one good reading to the next."""

    start_ms: int
    end_ms: int
    why: Why


@dataclass(frozen=True)
class Expected:
    """One interval; amount None = nothing known."""

    truth_kwh: float
    amount_kwh: float | None
    tolerance_kwh: float
    provenance: str
    coverage: float
    flags: frozenset[str]


@cache
def good_ms(meter: Meter) -> np.ndarray:
    """Times of readings that are right, and of declared swaps."""
    rows = np.unique(np.concatenate([delivery.time_ms for delivery in meter.deliveries()]))
    declared = [swap.at_ms for swap in meter.swaps if swap.is_declared]
    return np.union1d(np.setdiff1d(rows, meter.dipped_ms()), np.array(declared, np.int64))


@cache
def stretches(meter: Meter) -> list[Stretch]:
    """Those that are not simply measured."""
    good = good_ms(meter)
    found = []
    for swap in (swap for swap in meter.swaps if not swap.is_declared):
        after = int(np.searchsorted(good, swap.at_ms))
        found.append(Stretch(int(good[after - 1]), int(good[after]), Why.SWAP))
    unknown = {stretch.start_ms for stretch in found}
    long = np.flatnonzero(np.diff(good) > GAP_FACTOR * meter.step_ms)
    bounds = zip(good[long].tolist(), good[long + 1].tolist(), strict=True)
    found += [Stretch(start, end, Why.GAP) for start, end in bounds if start not in unknown]
    if meter.silent_ms <= END + MARGIN:
        found.append(Stretch(int(good[-1]), END + MARGIN, Why.SILENT))
    return found


def line_kwh(meter: Meter, stretch: Stretch, low_ms: int, high_ms: int) -> float:
    """What a straight line between the stretch's two readings gives to a part of it."""
    used = float(np.diff(meter.load.used_wh(np.array([stretch.start_ms, stretch.end_ms])))[0]) / 1000
    return used * (high_ms - low_ms) / (stretch.end_ms - stretch.start_ms)


def expect(meter: Meter, start_ms: int, end_ms: int) -> Expected:
    """The interval [start, end)."""
    truth = float(meter.load.kwh(np.array([start_ms, end_ms]))[0])
    amount, known_ms, guessed_ms = truth, end_ms - start_ms, 0
    flags = _moments(meter, start_ms, end_ms)
    for stretch in stretches(meter):
        low, high = max(stretch.start_ms, start_ms), min(stretch.end_ms, end_ms)
        if low >= high:
            continue
        really = float(meter.load.kwh(np.array([low, high]))[0])
        if stretch.why is Why.GAP:
            if (low, high) != (stretch.start_ms, stretch.end_ms):  # cut by an edge: where it lies is a guess
                guessed_ms += high - low
                amount += line_kwh(meter, stretch, low, high) - really
            continue
        known_ms -= high - low
        amount -= really
        if stretch.why is Why.SWAP:
            flags.add("reset")
    if 0 < known_ms < end_ms - start_ms:
        flags.add("partial")
    provenance = "missing" if known_ms == 0 else "interpolated" if guessed_ms else "measured"
    return Expected(
        truth, amount if known_ms else None, _tolerance(meter, truth), provenance,
        (known_ms - guessed_ms) / (end_ms - start_ms), frozenset(flags),
    )  # fmt: skip


def _tolerance(meter: Meter, truth_kwh: float) -> float:
    """1e-9 of the truth, and a step of the register for it and for each meter that hung there."""
    steps = 0 if meter.resolution_wh == 1 else 1 + len(meter.swaps)
    return 1e-9 * max(truth_kwh, 1.0) + steps * meter.resolution_wh / 1000


def _moments(meter: Meter, start_ms: int, end_ms: int) -> set[str]:
    """Flags of what happened at an instant inside the interval."""
    return {flag for moment, flag in _happened(meter) if start_ms <= moment < end_ms}


@cache
def _happened(meter: Meter) -> frozenset[tuple[int, str]]:
    """(when, flag) of every instant that leaves one; a roll-over's is the first reading after it."""
    good = good_ms(meter)
    shown = meter.shown_wh(good)
    swapped = {int(good[np.searchsorted(good, swap.at_ms)]) for swap in meter.swaps}
    falls = set(good[1:][np.diff(shown) < 0].tolist()) - swapped if meter.width_kwh is not None else set()
    replaced = {swap.at_ms for swap in meter.swaps if swap.is_declared}
    by_flag = {"spike_rejected": meter.dipped_ms().tolist(), "replaced": replaced, "rollover": falls}
    return frozenset((moment, flag) for flag, moments in by_flag.items() for moment in moments)
