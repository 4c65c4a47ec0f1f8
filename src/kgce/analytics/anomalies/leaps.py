"""Leaps: one day that took many times what a meter ever takes, between ordinary days; a swap nobody declared."""

from typing import Final

import numpy as np

from kgce.analytics.anomalies.dates import DateArray
from kgce.domain.batch import FloatArray
from kgce.domain.findings import Finding

# A connection is rated at a few times its mean load: 20 times the median of the year's days, and 5 times the largest
# other day, is more than it can deliver. House rule; a known limit (kgce meter set --most-per-hour) needs no rule.
TIMES_USUAL: Final = 20.0
TIMES_LARGEST: Final = 5.0
MIN_DAYS: Final = 14  # known days with any use, before anybody can say what is usual


def leaps(day: DateArray, amount: FloatArray, *, times: float = TIMES_USUAL) -> list[tuple[int, Finding]]:
    """Rows with a `counter.leap_suspected`: the day of a year that no supply explains.

    Args:
        day: (d,) local days.
        amount: (n, d) daily amounts; NaN = unknown, no finding. [unit]
        times: how many times the median of the days with any use; on the limit nothing is said.

    Returns:
        At most one for each meter: two such days are a pattern of use.
    """
    if amount.shape[1] < MIN_DAYS:
        return []
    known = np.where(np.isfinite(amount) & (amount > 0), amount, -np.inf)
    ordered = np.sort(known, axis=1)
    largest, next_largest = ordered[:, -1], ordered[:, -2]
    suspicious = np.flatnonzero(np.isfinite(next_largest) & (largest > TIMES_LARGEST * next_largest))
    found = []
    for row in suspicious.tolist():
        used = amount[row][np.isfinite(amount[row]) & (amount[row] > 0)]
        usual = float(np.median(used))
        place = int(known[row].argmax())
        if len(used) < MIN_DAYS or not largest[row] > times * usual:
            continue
        evidence = {
            "day": str(day[place]), "amount": float(largest[row]), "usual_per_day": usual,
            "largest_other_day": float(next_largest[row]), "limit_times": times,
        }  # fmt: skip
        found.append((
            row, Finding(
                "counter.leap_suspected", "",
                f"{day[place]} took {largest[row]:.6g} where a day takes {usual:.4g}: kgce meter replace if the meter "
                "was swapped; kgce meter set --most-per-hour keeps such leaps out", evidence,
            ),
        ))  # fmt: skip
    return found
