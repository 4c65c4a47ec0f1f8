"""What a building is used for, with the parameters of each use.

All numbers are plausible simulation parameters, not measurements. Intensities are those of 2015; measures.py lowers
them over the years, so the ranges leave room above the lower end of the usual band.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray


class Use(StrEnum):
    """Use class of a building; also the peer group of its institution."""

    OFFICE = "office"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class UseParameters:
    """How a use class consumes; (low, high) pairs are drawn from by the building's seed."""

    kwh_per_m2: tuple[float, float]  # electricity in 2015
    m3_per_person: tuple[float, float]  # water in 2015
    open_profile: FloatArray  # (24,) occupancy of an open day, 0..1
    closed_occupancy: float
    base_w_m2: float  # always on
    lighting_w_m2: float  # with occupancy
    person_w: float  # with occupancy
    cooling_w_m2_k: float  # per kelvin above 24 degC
    night_setback: float  # share of the heating load kept when empty
    hot_water_w_per_person: float  # mean boiler load for hot water, all year
    kitchen_m3_per_person_day: float  # gas of the canteen on an open day


def _day(*blocks: tuple[int, float]) -> FloatArray:
    """(24,) profile from (hours, value) blocks."""
    return np.repeat([value for _, value in blocks], [hours for hours, _ in blocks]).astype(np.float64)


PARAMETERS: Final[dict[Use, UseParameters]] = {
    Use.OFFICE: UseParameters(
        (84, 102), (18, 30),
        _day((7, 0.03), (1, 0.35), (4, 0.95), (2, 0.7), (4, 0.95), (1, 0.4), (2, 0.15), (3, 0.05)),
        0.05, 2.4, 9.0, 120, 0.9, 0.55, 0, 0.05,
    ),
    Use.SCHOOL: UseParameters(
        (35, 42), (14, 22),
        _day((6, 0.02), (1, 0.4), (5, 0.95), (2, 0.6), (4, 0.95), (1, 0.35), (2, 0.25), (3, 0.03)),
        0.03, 1.0, 6.0, 8, 0.25, 0.45, 0, 0.02,
    ),
    Use.HOSPITAL: UseParameters(
        (160, 174), (30, 39),
        _day((6, 0.45), (2, 0.7), (4, 1.0), (2, 0.85), (3, 0.95), (3, 0.7), (4, 0.5)),
        0.6, 8.0, 9.0, 100, 1.0, 0.95, 130, 0.08,
    ),
    Use.VENUE: UseParameters(
        (75, 112), (20, 36),
        _day((8, 0.02), (1, 0.3), (3, 0.7), (1, 0.5), (5, 0.85), (3, 0.6), (3, 0.04)),
        0.03, 2.5, 14.0, 80, 1.4, 0.5, 0, 0.0,
    ),
}  # fmt: skip
