"""Profile: a bill spread over the days of its period as the unit itself uses that carrier, instead of evenly.

points.py --Amounts of bills--> here --the same sums, other days--> figures.py
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.interval import interval_ends
from kgce.domain.batch import UNUSABLE, Batch, FloatArray, Int64Array
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Step

BILLED: Final = frozenset({Step.MONTH, Step.YEAR})


def own_profile_points(point: Point, points: Sequence[Point]) -> list[Point]:
    """Meters of the same institution and carrier that say how its use lies in time; those that count go first."""
    metered = [
        other
        for other in points
        if other.carrier == point.carrier
        and other.series.institution == point.series.institution
        and (other.kind is Kind.COUNTER or (other.kind is Kind.INTERVAL and other.step not in BILLED))
    ]
    return [other for other in metered if other.counts] or metered


def spread_bills(
    amounts: Amounts, bills: Batch, step: Step, timezone: str, *, edges_ms: Int64Array, profile: FloatArray
) -> Amounts:
    """(m,) amounts of a bill's point with each bill laid out along a profile.

    Args:
        amounts: (m,) evenly spread, as the kernel gives them.
        bills: readings of this one point: the amount of the period that starts at each time.
        step: length of the periods.
        timezone: IANA name; periods end at its midnights.
        edges_ms: (m + 1,) of the intervals. UTC. [ms]
        profile: (m,) what the unit's own meters showed in each interval; NaN = not known. [any unit]

    Returns:
        The same sum for each bill; one whose period is not whole intervals, or whose profile is not known throughout or
        is zero, stays evenly spread. Provenance and coverage stay: a spread bill is no measurement of a day.
    """
    good = ((bills.quality & np.uint8(UNUSABLE)) == 0) & np.isfinite(bills.value)
    start, value = bills.time_ms[good], bills.value[good]
    end = interval_ends(start, step, timezone)
    amount = amounts.amount.copy()
    for begins, ends, total in zip(start.tolist(), end.tolist(), value.tolist(), strict=True):
        first, last = np.searchsorted(edges_ms, [begins, ends]).tolist()
        if last >= len(edges_ms) or edges_ms[first] != begins or edges_ms[last] != ends:
            continue
        weight = profile[first:last]
        whole = float(weight.sum())
        if np.isfinite(whole) and whole > 0 and (weight >= 0).all():
            amount[first:last] = total * (weight / whole)
    return Amounts(amount, amounts.coverage, amounts.provenance, amounts.flags, np.nan_to_num(amount))
