"""Steps: how long the interval behind each stamp of a point is, told from the stamps; feeds readings."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

import numpy as np

from kgce.collectors.files.times import zone
from kgce.domain.batch import Int64Array
from kgce.domain.tree import Step

_HOUR_MS: Final = 3_600_000
_BY_SPACING: Final = {
    _HOUR_MS // 6: Step.TEN_MINUTES,
    _HOUR_MS // 4: Step.QUARTER_HOUR,
    _HOUR_MS // 2: Step.HALF_HOUR,
    _HOUR_MS: Step.HOUR,
}
# The shortest a step can be: spring days have 23 h, February 28 days.
SHORTEST_MS: Final = {
    Step.TEN_MINUTES: _HOUR_MS // 6,
    Step.QUARTER_HOUR: _HOUR_MS // 4,
    Step.HALF_HOUR: _HOUR_MS // 2,
    Step.HOUR: _HOUR_MS,
    Step.DAY: 23 * _HOUR_MS,
    Step.MONTH: 28 * 24 * _HOUR_MS,
    Step.YEAR: 365 * 24 * _HOUR_MS,
}


def infer_step(time_ms: Int64Array, timezone: str) -> Step | None:
    """The step that (n,) ascending distinct stamps show; None when they show none.

    Stamps a day or more apart: all at local year starts = year, month starts = month, day starts = day. Closer ones:
    their most frequent spacing if it is 10, 15, 30 or 60 min. A single stamp at no start of a day = hour.
    """
    spacing = np.diff(time_ms)
    if len(spacing) and spacing.min() < SHORTEST_MS[Step.DAY]:
        return _BY_SPACING.get(modal_spacing_ms(time_ms))
    calendar = _calendar_step(time_ms, zone(timezone))
    return Step.HOUR if calendar is None and not len(spacing) else calendar


def modal_spacing_ms(time_ms: Int64Array) -> int:
    """Most frequent spacing of (n >= 2,) ascending stamps; the shorter one of equals."""
    lengths, counts = np.unique(np.diff(time_ms), return_counts=True)
    return int(lengths[counts.argmax()])


def _calendar_step(time_ms: Int64Array, place: tzinfo) -> Step | None:
    found = Step.YEAR
    for stamp_ms in time_ms.tolist():
        at = datetime.fromtimestamp(stamp_ms / 1000, place)
        eve = datetime.fromtimestamp((stamp_ms - 1) / 1000, place)
        if at.date() == eve.date():  # a day starts where the date changes, also where summer time skips midnight
            return None
        if at.day != 1:
            found = Step.DAY
        elif at.month != 1 and found is Step.YEAR:
            found = Step.MONTH
    return found


def spacing_text(spacing_ms: int) -> str:
    """A spacing as a person says it."""
    return str(timedelta(milliseconds=spacing_ms))
