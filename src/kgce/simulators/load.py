"""Hourly electric load of a building from its use, people, calendar and weather, without EV chargers."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.counter import HourlyCounter, MinuteShape, scaled_to_2015
from kgce.simulators.noise import derived_seed, normal, pick
from kgce.simulators.occupancy import occupancy
from kgce.simulators.progress import people_at, remaining
from kgce.simulators.uses import PARAMETERS, Use
from kgce.simulators.weather import outdoor_c

_COOLING_FROM_C: Final = 24.0
_EMPTY_COOLING: Final = 0.15  # share of the cooling kept when nobody is in
_HOUR_SIGMA: Final = 0.04
_MINUTE_VARIATION: Final = 0.15
_OLDEST_BASE_KWH: Final = 20_000.0  # the meter was not new when the simulation began


def electricity_counter(
    use: Use, *, area_m2: float, people: float, seed: int, climate_seed: int, intensity: float | None = None
) -> HourlyCounter:
    """The building's own electricity: rate in kW, total in kWh; intensity is kWh/m2 of 2015."""
    parameters = PARAMETERS[use]
    per_m2 = intensity if intensity is not None else pick(seed, "kwh_per_m2", *parameters.kwh_per_m2)

    def shape_w(hours: Int64Array) -> FloatArray:
        occupied = occupancy(use, seed, hours)
        hot_k = np.maximum(outdoor_c(climate_seed, hours) - _COOLING_FROM_C, 0.0)
        cooled = _EMPTY_COOLING + (1 - _EMPTY_COOLING) * occupied
        per_area = (
            parameters.base_w_m2 + parameters.lighting_w_m2 * occupied + parameters.cooling_w_m2_k * hot_k * cooled
        )
        plugs = parameters.person_w * people_at(seed, people, hours) * occupied
        wobble = 1 + _HOUR_SIGMA * np.clip(normal(seed, "load", hours), -3.0, 3.0)
        found: FloatArray = (area_m2 * per_area + plugs) * wobble
        return found

    scale = scaled_to_2015(shape_w, per_m2 * area_m2)

    def mean_kw(hours: Int64Array) -> FloatArray:
        return scale * shape_w(hours) * remaining(seed, "electricity", hours)

    shape = MinuteShape(derived_seed(seed, "electricity"), variation=_MINUTE_VARIATION)
    return HourlyCounter(mean_kw, shape, base=pick(seed, "kwh_base", 0.0, _OLDEST_BASE_KWH))
