"""Coverage: months that are too little measured, days without any amount."""

from typing import Final

import numpy as np

from kgce.analytics.anomalies.dates import DateArray, check_days
from kgce.analytics.anomalies.robust import ROUNDING
from kgce.analytics.anomalies.runs import runs_of
from kgce.domain.batch import FloatArray
from kgce.domain.findings import Finding

# Source: energy_domain.md section 5.2 (V2): completeness uploaded / expected >= 90 % for key units.
MIN_COVERAGE: Final = 0.9
MAX_GAP_DAYS: Final = 3  # house rule: a long weekend may pass before somebody looks


def low_coverage(subject: str, month: DateArray, coverage: FloatArray, *, limit: float = MIN_COVERAGE) -> list[Finding]:
    """`coverage.low` for every month measured to less than the limit.

    Args:
        subject: the meter or institution.
        month: (n,) local months.
        coverage: (n,) 0..1; NaN = the month was not asked for, no finding. A silent month is 0, not NaN.
        limit: lowest coverage without a finding.
    """
    low = np.flatnonzero(coverage < limit - ROUNDING)
    return [
        Finding(
            "coverage.low",
            subject,
            f"{month[place]} is measured to {coverage[place]:.0%} of at least {limit:.0%}: enter the month's bill, "
            "then mend the meter's connection",
            {"month": str(month[place]), "coverage_ratio": float(coverage[place]), "limit_ratio": limit},
        )
        for place in low
    ]


def long_gaps(subject: str, day: DateArray, amount: FloatArray, *, limit_days: int = MAX_GAP_DAYS) -> list[Finding]:
    """`gap.long` for every run of more than limit_days days without an amount, at the ends of the span too.

    Args:
        subject: the meter or institution.
        day: (n,) local days, one after the other.
        amount: (n,) NaN = nothing known that day; zero is an amount.
        limit_days: so many days in a row may pass.

    Raises:
        ValueError: columns of different length, or days left out.
    """
    check_days(day, amount)
    return [
        Finding(
            "gap.long",
            subject,
            f"nothing is known for {end - first} days from {day[first]} to {day[end - 1]}: "
            "look whether meter and gateway have power, then enter the bill",
            {
                "first_day": str(day[first]),
                "last_day": str(day[end - 1]),
                "days": end - first,
                "limit_days": limit_days,
            },
        )
        for first, end in runs_of(np.isnan(amount))
        if end - first > limit_days
    ]
