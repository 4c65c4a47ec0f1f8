"""Night flow: water that runs when nobody draws any, night after night, is a leak."""

from typing import Final

import numpy as np

from kgce.analytics.anomalies.dates import DateArray
from kgce.analytics.anomalies.robust import ROUNDING, median_of
from kgce.analytics.anomalies.runs import runs_of
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.findings import Finding

NIGHT_START, NIGHT_END = 2, 5  # local hours 2, 3 and 4
MIN_NIGHTS: Final = 7  # one night may be a party or a filling tank
MIN_HOURS: Final = 2  # known hours of a night: the least of one is no minimum


def night_flow(
    subject: str,
    amount_m3: FloatArray,
    *,
    day: DateArray,
    hour: Int64Array,
    allowance_m3_per_h: float = 0.0,
    min_nights: int = MIN_NIGHTS,
) -> list[Finding]:
    """`water.night_flow` where the least hourly use of the night exceeds the allowance min_nights nights in a row.

    Args:
        subject: the meter.
        amount_m3: (n,) hourly amounts; NaN = unknown, left out. [m3]
        day: (n,) local day each hour belongs to.
        hour: (n,) local hour an amount begins in, 0..23.
        allowance_m3_per_h: what may flow at night: a hospital, a boiler being fed.
        min_nights: shortest run of nights with a finding; a night with fewer than two known hours neither counts
            nor ends a run.

    Returns:
        One finding per run; the leak is the median of the nights' minima beyond the allowance, over 24 h. A drip that
        does not move the counter by one digit within an hour stays unseen.

    Source: minimum night flow method of leakage control; hours and run length are house rules.
    """
    nights, least = _night_minima(amount_m3, day, hour)
    findings = []
    for first, end in runs_of(np.asarray(least > allowance_m3_per_h + ROUNDING, np.bool_)):
        if end - first < min_nights:
            continue
        flow = median_of(least[first:end])
        leak = 24 * (flow - allowance_m3_per_h)
        evidence = {
            "first_night": str(nights[first]),
            "last_night": str(nights[end - 1]),
            "nights": end - first,
            "night_flow_m3_per_h": flow,
            "allowance_m3_per_h": allowance_m3_per_h,
            "leak_m3_per_day": leak,
        }
        message = (
            f"water has run at {flow:.3g} m3/h through {end - first} nights since {nights[first]}: "
            f"look for a leak of about {leak:.3g} m3 a day"
        )
        findings.append(Finding("water.night_flow", subject, message, evidence))
    return findings


def _night_minima(amount_m3: FloatArray, day: DateArray, hour: Int64Array) -> tuple[DateArray, FloatArray]:
    """Nights with enough known hours, and the least use of each. [m3/h]."""
    chosen = (hour >= NIGHT_START) & (hour < NIGHT_END) & np.isfinite(amount_m3)
    nights, place = np.unique(day[chosen], return_inverse=True)
    least = np.full(len(nights), np.inf)
    np.minimum.at(least, place, amount_m3[chosen])
    enough = np.bincount(place, minlength=len(nights)) >= MIN_HOURS
    return nights[enough], least[enough]
