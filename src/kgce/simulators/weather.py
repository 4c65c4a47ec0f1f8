"""A synthetic climate shaped like Jinan's: annual wave, daily wave, seeded weather."""

from functools import cache
from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.noise import drift
from kgce.simulators.timeline import LAST_YEAR, day_in_year, day_index, day_of

# Plausible simulation parameters, not measurements: coldest about -0.5 degC mean in late January, warmest about 28.
_MEAN_C: Final = 14.3
_ANNUAL_SWING_C: Final = 14.0
_DAILY_SWING_C: Final = 4.2
_COLDEST_DAY: Final = 20
_WARMEST_HOUR: Final = 15
_SPELLS: Final = ((8 * 24, 2.8), (2 * 24, 1.6), (90 * 24, 0.9))  # (hours between nodes, standard deviation in K)


def outdoor_c(seed: int, hours: Int64Array) -> FloatArray:
    """Outdoor temperature of each hour [degC].

    Raises:
        ValueError: an hour after the last simulated year.
    """
    table = _every_hour(seed)
    if len(hours) and int(hours.max()) >= len(table):
        raise ValueError(f"the simulated climate ends with {LAST_YEAR}; ask for an earlier time")
    found: FloatArray = table[hours]
    return found


@cache
def _every_hour(seed: int) -> FloatArray:
    """The whole climate: every building of a site asks for it."""
    hours = np.arange(24 * day_index(LAST_YEAR + 1, 1, 1), dtype=np.int64)
    annual = -_ANNUAL_SWING_C * np.cos(2 * np.pi * (day_in_year(day_of(hours)) - _COLDEST_DAY) / 365.25)
    daily = _DAILY_SWING_C * np.cos(2 * np.pi * (hours % 24 - _WARMEST_HOUR) / 24)
    weather = sum(sigma * drift(seed, f"weather/{gap}", hours, spacing=gap) for gap, sigma in _SPELLS)
    found: FloatArray = _MEAN_C + annual + daily + weather
    found.flags.writeable = False
    return found
