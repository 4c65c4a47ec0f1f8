"""Base load: what a building draws at night and at weekends against its working hours."""

from typing import Final

import numpy as np

from kgce.analytics.anomalies.dates import SATURDAY
from kgce.analytics.anomalies.robust import ROUNDING
from kgce.domain.batch import BoolArray, FloatArray, Int64Array
from kgce.domain.findings import Finding

OFFICE_LIMIT: Final = 0.5  # house rule for offices; a hospital or a data centre needs its own
NIGHT_END: Final = 6  # local hours 0 to 5
WORK_START, WORK_END = 8, 18  # local hours 8 to 17
MIN_HOURS: Final = 42  # seven nights: fewer say nothing
NIGHT_HOURS_PER_YEAR: Final = 365 * NIGHT_END
WEEKEND_HOURS_PER_YEAR: Final = 2 * 52 * (WORK_END - WORK_START)


def night_load(
    subject: str, amount_kwh: FloatArray, *, hour: Int64Array, weekday: Int64Array, limit: float = OFFICE_LIMIT
) -> list[Finding]:
    """`load.night_base` when the mean power of all nights exceeds the limit times that of the working hours.

    Args:
        subject: the building or institution.
        amount_kwh: (n,) hourly amounts; NaN = unknown, left out. [kWh]
        hour: (n,) local hour an amount begins in, 0..23.
        weekday: (n,) local weekday, 0 = Monday.
        limit: highest ratio without a finding.

    Returns:
        None or one; above_limit_kwh_per_year is what the nights cost beyond the limit. Nothing is said with fewer than
        42 known hours on either side, or without any use in working hours.
    """
    nights = np.asarray(hour < NIGHT_END, np.bool_)
    found = _compared(amount_kwh, nights, _working(hour, weekday), limit)
    if found is None:
        return []
    rest_kw, work_kw = found
    above_kwh = (rest_kw - limit * work_kw) * NIGHT_HOURS_PER_YEAR
    evidence = {
        "night_kw": rest_kw,
        "working_kw": work_kw,
        "ratio": rest_kw / work_kw,
        "limit_ratio": limit,
        "night_kwh_per_year": rest_kw * NIGHT_HOURS_PER_YEAR,
        "above_limit_kwh_per_year": above_kwh,
    }
    message = (
        f"from midnight to 06:00 the building draws {rest_kw:.3g} kW, {rest_kw / work_kw:.0%} of its working hours' "
        f"{work_kw:.3g} kW: look what stays on, it costs about {above_kwh:.0f} kWh a year"
    )
    return [Finding("load.night_base", subject, message, evidence)]


def weekend_load(
    subject: str, amount_kwh: FloatArray, *, hour: Int64Array, weekday: Int64Array, limit: float = OFFICE_LIMIT
) -> list[Finding]:
    """`load.weekend` when weekend days, 08:00 to 18:00, exceed the limit times the same hours of working days.

    Args:
        subject: the building or institution.
        amount_kwh: (n,) hourly amounts; NaN = unknown, left out. [kWh]
        hour: (n,) local hour an amount begins in, 0..23.
        weekday: (n,) local weekday, 0 = Monday.
        limit: highest ratio without a finding.

    Returns:
        None or one; see night_load.
    """
    weekend = np.asarray((weekday >= SATURDAY) & (hour >= WORK_START) & (hour < WORK_END), np.bool_)
    found = _compared(amount_kwh, weekend, _working(hour, weekday), limit)
    if found is None:
        return []
    rest_kw, work_kw = found
    above_kwh = (rest_kw - limit * work_kw) * WEEKEND_HOURS_PER_YEAR
    evidence = {
        "weekend_kw": rest_kw,
        "working_kw": work_kw,
        "ratio": rest_kw / work_kw,
        "limit_ratio": limit,
        "weekend_kwh_per_year": rest_kw * WEEKEND_HOURS_PER_YEAR,
        "above_limit_kwh_per_year": above_kwh,
    }
    message = (
        f"at weekends the building draws {rest_kw:.3g} kW by day, {rest_kw / work_kw:.0%} of its working days' "
        f"{work_kw:.3g} kW: set the time programmes, it costs about {above_kwh:.0f} kWh a year"
    )
    return [Finding("load.weekend", subject, message, evidence)]


def _working(hour: Int64Array, weekday: Int64Array) -> BoolArray:
    return np.asarray((weekday < SATURDAY) & (hour >= WORK_START) & (hour < WORK_END), np.bool_)


def _compared(amount_kwh: FloatArray, rest: BoolArray, work: BoolArray, limit: float) -> tuple[float, float] | None:
    """Mean power at rest and at work [kW] where the ratio is above the limit; an hour's kWh is its mean kW."""
    known = np.isfinite(amount_kwh)
    rest_kwh, work_kwh = amount_kwh[rest & known], amount_kwh[work & known]
    if min(len(rest_kwh), len(work_kwh)) < MIN_HOURS:
        return None
    rest_kw, work_kw = float(rest_kwh.mean()), float(work_kwh.mean())
    if work_kw <= 0 or rest_kw / work_kw <= limit + ROUNDING:
        return None
    return rest_kw, work_kw
