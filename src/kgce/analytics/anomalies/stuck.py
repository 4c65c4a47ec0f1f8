"""Stuck meters: a counter that stands still although its own history and its neighbours say it should move."""

from typing import Final

import numpy as np

from kgce.analytics.anomalies.dates import DateArray, check_days, weekday_of
from kgce.domain.batch import BoolArray, FloatArray, Int64Array
from kgce.domain.findings import Finding

MAX_STILL_DAYS: Final = 5
NORMAL_RATIO: Final = 0.9  # a weekday is one the meter moves on when it did so nine times in ten
MIN_HISTORY: Final = 4  # known days of a weekday before anybody can say what is normal


def stuck_meter(
    subject: str,
    day: DateArray,
    amount: FloatArray,
    *,
    peers_moved: BoolArray | None = None,
    limit_days: int = MAX_STILL_DAYS,
) -> list[Finding]:
    """`meter.stuck` for every standstill of more than limit_days days on which the meter should have moved.

    A day counts when its amount is known and exactly zero, when the meter moved on nine in ten of the earlier days of
    the same weekday, and when the site's other meters moved (a school on holiday rests as a whole). Days that do not
    count do not end the standstill either; only a movement does.

    Args:
        subject: the meter.
        day: (n,) local days, one after the other.
        amount: (n,) daily differences of the counter; NaN = unknown, never a standstill.
        peers_moved: (n,) whether any other meter of the site moved that day; None = nobody to ask.
        limit_days: so many counted days may pass.

    Raises:
        ValueError: columns of different length, or days left out.
    """
    peers = np.ones(len(day), np.bool_) if peers_moved is None else peers_moved
    check_days(day, amount, peers)
    weekday = weekday_of(day)
    told = np.isfinite(amount) & peers  # days that say something about what is normal
    still = told & (amount == 0.0)
    moves = np.flatnonzero(np.isfinite(amount) & (amount != 0.0))
    findings = []
    for first, end in zip(moves + 1, np.append(moves[1:], len(day)), strict=True):
        if int(still[first:end].sum()) <= limit_days:
            continue
        history = slice(0, int(first))
        normal = _moving_weekdays(weekday[history], told[history], still[history])
        counted = np.flatnonzero(still[first:end] & normal[weekday[first:end]]) + first
        if len(counted) > limit_days:
            findings.append(_finding(subject, day, counted, has_peers=peers_moved is not None, limit_days=limit_days))
    return findings


def _moving_weekdays(weekday: Int64Array, told: BoolArray, still: BoolArray) -> BoolArray:
    """(7,) weekdays on which the meter has moved nearly always."""
    known = np.bincount(weekday[told], minlength=7)
    moved = known - np.bincount(weekday[still], minlength=7)
    return np.asarray((known >= MIN_HISTORY) & (moved >= NORMAL_RATIO * known), np.bool_)


def _finding(subject: str, day: DateArray, counted: Int64Array, *, has_peers: bool, limit_days: int) -> Finding:
    first, last = str(day[counted[0]]), str(day[counted[-1]])
    others = " while the site's other meters moved" if has_peers else ""
    return Finding(
        "meter.stuck",
        subject,
        f"the counter stood still on {len(counted)} days from {first} to {last} on which it used to move{others}: "
        "read the meter on site and compare",
        {"first_day": first, "last_day": last, "days": len(counted), "limit_days": limit_days, "peers": has_peers},
    )
