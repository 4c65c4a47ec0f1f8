"""Hourly water use of a building: people, occupancy, and what leaks at night."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.counter import HourlyCounter, MinuteShape, scaled_to_2015
from kgce.simulators.noise import derived_seed, normal, pick
from kgce.simulators.occupancy import occupancy
from kgce.simulators.progress import people_at, remaining
from kgce.simulators.uses import PARAMETERS, Use

_HOUR_SIGMA: Final = 0.12
_MINUTE_VARIATION: Final = 0.85  # taps open and close
_LEAK_SHARE: Final = (0.01, 0.06)  # night flow relative to the flow with everybody present; plausible, not measured
_OLDEST_BASE_M3: Final = 3_000.0


def water_counter(use: Use, *, people: float, seed: int, per_person_m3: float | None = None) -> HourlyCounter:
    """The building's water: rate in m3/h, total in m3; per_person_m3 is that of 2015."""
    per_person = per_person_m3 if per_person_m3 is not None else pick(seed, "m3_pp", *PARAMETERS[use].m3_per_person)
    leak = pick(seed, "leak", *_LEAK_SHARE)

    def shape(hours: Int64Array) -> FloatArray:
        wobble = 1 + _HOUR_SIGMA * np.clip(normal(seed, "taps", hours), -3.0, 3.0)
        found: FloatArray = people_at(seed, people, hours) * (leak + occupancy(use, seed, hours) * wobble)
        return found

    scale = scaled_to_2015(shape, per_person * people)

    def mean_m3_h(hours: Int64Array) -> FloatArray:
        return scale * shape(hours) * remaining(seed, "water", hours)

    minutes = MinuteShape(derived_seed(seed, "water"), variation=_MINUTE_VARIATION)
    return HourlyCounter(mean_m3_h, minutes, base=pick(seed, "m3_base", 0.0, _OLDEST_BASE_M3))
