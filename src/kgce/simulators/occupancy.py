"""How full a building is in each hour."""

from typing import Final

import numpy as np

from kgce.domain.batch import BoolArray, FloatArray, Int64Array
from kgce.simulators.holidays import calendar, flag
from kgce.simulators.noise import normal_by_day
from kgce.simulators.timeline import day_of, weekday_of
from kgce.simulators.uses import PARAMETERS, Use

_MONDAY: Final = 0
_DAY_SIGMA: Final = 0.05  # some days are busier than others


def open_days(use: Use, days: Int64Array) -> BoolArray:
    """Days on which the building is open for its use."""
    if use is Use.OFFICE:
        return flag(calendar().workday, days)
    if use is Use.SCHOOL:
        return flag(calendar().school_day, days)
    if use is Use.VENUE:  # closed on Mondays, except on holidays
        found: BoolArray = (weekday_of(days) != _MONDAY) | flag(calendar().holiday, days)
        return found
    return np.ones(len(days), np.bool_)


def occupancy(use: Use, seed: int, hours: Int64Array) -> FloatArray:
    """Share of the people present, 0..1, for each hour."""
    parameters, days = PARAMETERS[use], day_of(hours)
    present = np.where(open_days(use, days), parameters.open_profile[hours % 24], parameters.closed_occupancy)
    if use is Use.HOSPITAL:  # wards stay, out-patients come on workdays
        present = present * np.where(flag(calendar().workday, days), 1.0, 0.8)
    found: FloatArray = np.clip(present * (1 + _DAY_SIGMA * normal_by_day(seed, "busy", days)), 0.0, 1.0)
    return found
