"""How an institution changes over the years: people come and go, efficiency measures take effect."""

from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.noise import pick
from kgce.simulators.timeline import FIRST_YEAR, day_of, year_of

_HOURS_PER_YEAR: Final = 8766.0
_FADE_YEARS: Final = 8.0  # the easy savings come first
# Plausible, not measured: some institutions drift upwards, the best end about 22 % below 2015.
_YEARLY_RATE: Final = (-0.004, 0.02)
_RETROFIT_SAVING: Final = (0.0, 0.08)
_RETROFIT_YEARS: Final = (1.0, 7.0)  # after the beginning of 2015
_PEOPLE_GROWTH: Final = (-0.010, 0.015)  # of the people of 2015, each year


def remaining(seed: int, carrier: str, hours: Int64Array) -> FloatArray:
    """Consumption of each hour relative to the same hour without any measure since 2015."""
    years = hours / _HOURS_PER_YEAR
    rate = pick(seed, f"{carrier}/rate", *_YEARLY_RATE)
    saving = pick(seed, f"{carrier}/saving", *_RETROFIT_SAVING)
    retrofit = pick(seed, f"{carrier}/retrofit", *_RETROFIT_YEARS)
    gradual = np.exp(-rate * _FADE_YEARS * (1 - np.exp(-years / _FADE_YEARS)))
    found: FloatArray = gradual * np.where(years >= retrofit, 1 - saving, 1.0)
    return found


def people_in(seed: int, people_2015: float, years: Int64Array) -> FloatArray:
    """People using energy in each local year, whole persons."""
    growth = pick(seed, "people/growth", *_PEOPLE_GROWTH)
    found: FloatArray = np.round(people_2015 * (1 + growth * (years - FIRST_YEAR)))
    return found


def people_at(seed: int, people_2015: float, hours: Int64Array) -> FloatArray:
    """People using energy in the year of each hour."""
    return people_in(seed, people_2015, year_of(day_of(hours)))
