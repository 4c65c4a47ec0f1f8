"""A synthetic climate shaped like Jinan's: annual wave, daily wave, seeded weather."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.noise import drift
from kgce.simulators.timeline import day_in_year, day_of

# Plausible simulation parameters, not measurements: coldest about -0.5 degC mean in late January, warmest about 28.
_MEAN_C: Final = 14.3
_ANNUAL_SWING_C: Final = 14.0
_DAILY_SWING_C: Final = 4.2
_COLDEST_DAY: Final = 20
_WARMEST_HOUR: Final = 15
_SPELLS: Final = ((8 * 24, 2.8), (2 * 24, 1.6), (90 * 24, 0.9))  # (hours between nodes, standard deviation in K)


def outdoor_c(seed: int, hours: Int64Array) -> FloatArray:
    """Outdoor temperature of each hour [degC]."""
    annual = -_ANNUAL_SWING_C * np.cos(2 * np.pi * (day_in_year(day_of(hours)) - _COLDEST_DAY) / 365.25)
    daily = _DAILY_SWING_C * np.cos(2 * np.pi * (hours % 24 - _WARMEST_HOUR) / 24)
    weather = sum(sigma * drift(seed, f"weather/{gap}", hours, spacing=gap) for gap, sigma in _SPELLS)
    found: FloatArray = _MEAN_C + annual + daily + weather
    return found
