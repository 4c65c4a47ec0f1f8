"""Hourly gas use of a canteen: two meals on open days."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.counter import HourlyCounter, MinuteShape
from kgce.simulators.noise import derived_seed, normal_by_day, pick
from kgce.simulators.occupancy import open_days
from kgce.simulators.progress import people_at, remaining
from kgce.simulators.timeline import day_of
from kgce.simulators.uses import PARAMETERS, Use

_MEALS: Final = np.zeros(24)
_MEALS[[6, 10, 11, 12, 16, 17]] = (0.12, 0.25, 0.28, 0.05, 0.2, 0.1)  # share of the day's gas
_DAY_SIGMA: Final = 0.1
_MINUTE_VARIATION: Final = 0.6
_OLDEST_BASE_M3: Final = 2_000.0


def kitchen_counter(use: Use, *, people: float, seed: int) -> HourlyCounter:
    """The canteen's gas: rate in m3/h, total in m3, with the gas meter's starting value."""
    per_person = PARAMETERS[use].kitchen_m3_per_person_day

    def mean_m3_h(hours: Int64Array) -> FloatArray:
        days = day_of(hours)
        diners = people_at(seed, people, hours) * open_days(use, days)
        menu = 1 + _DAY_SIGMA * np.clip(normal_by_day(seed, "menu", days), -3.0, 3.0)
        found: FloatArray = diners * per_person * menu * _MEALS[hours % 24] * remaining(seed, "gas", hours)
        return found

    minutes = MinuteShape(derived_seed(seed, "kitchen"), variation=_MINUTE_VARIATION)
    return HourlyCounter(mean_m3_h, minutes, base=pick(seed, "gas_base", 0.0, _OLDEST_BASE_M3))
