"""Steps: the day from which a meter's daily use lies on another level.

daily use --weekday profile removed--> medians before and after each day --noise--> score --peaks--> steps
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kgce.analytics.anomalies.dates import DateArray, check_days, weekday_of
from kgce.analytics.anomalies.robust import MAD_TO_SIGMA, ROUNDING, median_of, row_medians
from kgce.domain.batch import BoolArray, FloatArray, Int64Array
from kgce.domain.findings import Finding

WINDOW_DAYS: Final = 28  # four weeks on either side
SHORT_DAYS: Final = 7  # a step is there within a week of the day; a drift is not
ABRUPT_RATIO: Final = 0.5  # how much of the step the short windows must show
MIN_SCORE: Final = 6.0  # standard errors; measured in the tests: false alarms in under 2 % of years of noise
MIN_RATIO: Final = 0.1  # of the level before: smaller steps are nobody's business
_MEDIAN_ERROR: Final = (np.pi / 2) ** 0.5  # standard error of a median / that of a mean, normal noise


@dataclass(frozen=True, slots=True)
class Shift:
    """A step: first place on the new level, medians before and after [unit/day], size in standard errors."""

    place: int
    before: float
    after: float
    score: float


def find_steps(
    day: DateArray, amount: FloatArray, *, min_ratio: float = MIN_RATIO, min_score: float = MIN_SCORE
) -> list[Shift]:
    """Steps of a series of daily amounts, in order of time; at most one within four weeks.

    Args:
        day: (n,) local days, one after the other.
        amount: (n,) daily use; NaN = unknown, left out. [unit]
        min_ratio: largest step, as a share of the level before, that is passed over.
        min_score: smallest step in standard errors of the difference of the two medians.

    Returns:
        Nothing with fewer than 56 days. A slow drift is no step: the week on either side must show half of it.

    Raises:
        ValueError: columns of different length, or days left out.
    Source: difference of medians over its standard error from the median absolute deviation; limits are house rules.
    """
    check_days(day, amount)
    if len(amount) < 2 * WINDOW_DAYS:
        return []
    level = amount - _weekday_profile(amount, weekday_of(day))
    before, after, score, is_step = _scores(level, min_ratio)
    score = np.where(is_step & (score >= min_score), score, 0.0)
    found = []
    while (best := int(score.argmax())) >= 0 and score[best] > 0:
        middle = best + WINDOW_DAYS
        place = _first_day_after(level, middle, before=float(before[best]), after=float(after[best]))
        found.append(Shift(place, float(before[best]), float(after[best]), float(score[best])))
        score[max(best - WINDOW_DAYS, 0) : best + WINDOW_DAYS + 1] = 0.0
    return sorted(found, key=lambda step: step.place)


def step_changes(
    subject: str, day: DateArray, amount: FloatArray, *, unit: str = "kWh", min_ratio: float = MIN_RATIO
) -> list[Finding]:
    """`load.step` for every step of the daily use; see find_steps. The evidence names its figures by the unit."""
    name = unit.lower()
    return [
        Finding(
            "load.step",
            subject,
            f"from {day[step.place]} daily use is {step.after - step.before:+.3g} {unit} off its {step.before:.3g}: "
            "ask what was added, removed or set differently that day",
            {
                "day": str(day[step.place]),
                f"step_{name}_per_day": step.after - step.before,
                f"before_{name}_per_day": step.before,
                "ratio": (step.after - step.before) / step.before if step.before else None,
                "score": min(step.score, 1e6),
            },
        )
        for step in find_steps(day, amount, min_ratio=min_ratio)
    ]


def _weekday_profile(amount: FloatArray, weekday: Int64Array) -> FloatArray:
    """(n,) what a day's weekday adds: against the mean of the week around it, so a step elsewhere does not matter."""
    around = np.full(len(amount), np.nan)
    half = SHORT_DAYS // 2
    around[half : len(amount) - half] = sliding_window_view(amount, SHORT_DAYS).mean(axis=1)
    off = amount - around
    profile = np.array([median_of(off[weekday == number]) for number in range(7)])
    return np.where(np.isnan(profile), 0.0, profile)[weekday]


def _scores(level: FloatArray, min_ratio: float) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """(n - 2w + 1,) medians before and after each day, score, and whether it is large and abrupt enough."""
    windows = sliding_window_view(level, WINDOW_DAYS)
    medians = row_medians(windows)
    before, after = medians[:-WINDOW_DAYS], medians[WINDOW_DAYS:]
    off = np.abs(windows - medians[:, np.newaxis])
    noise = MAD_TO_SIGMA * row_medians(np.hstack((off[:-WINDOW_DAYS], off[WINDOW_DAYS:])))
    shift = after - before
    error = noise * _MEDIAN_ERROR * (2 / WINDOW_DAYS) ** 0.5
    score: FloatArray = np.abs(shift) / np.maximum(
        error, ROUNDING * np.maximum(np.abs(before), np.abs(after)) + ROUNDING
    )
    weeks = row_medians(sliding_window_view(level, SHORT_DAYS))
    middle = np.arange(len(shift)) + WINDOW_DAYS
    short = weeks[middle] - weeks[middle - SHORT_DAYS]
    is_abrupt = short * np.sign(shift) >= ABRUPT_RATIO * np.abs(shift)
    is_large = np.abs(shift) > (min_ratio + ROUNDING) * np.abs(before)
    return before, after, np.nan_to_num(score, nan=0.0), np.asarray(is_abrupt & is_large, np.bool_)


def _first_day_after(level: FloatArray, middle: int, *, before: float, after: float) -> int:
    """Place near the middle that divides the days best: least sum of distances from the two levels."""
    first, end = middle - SHORT_DAYS, middle + SHORT_DAYS
    near = level[first:end]
    gain = np.nan_to_num(np.abs(near - before) - np.abs(near - after))  # of taking a day to the new level
    return first + int(np.argmax(np.append(np.cumsum(gain[::-1])[::-1], 0.0)))
