"""Corrections that a standard puts on a measured figure before it is held against its limit.

Source: GB/T 51161-2016 as in energy_domain.md section 3.7; confidence there: the hours' formula secondary, the area's
unverified. The quotas of DB37/T have none.
"""

from typing import Final

OFFICE_HOURS: Final = 2500.0  # h/a
OFFICE_AREA_PER_PERSON: Final = 10.0  # m2
CONFIDENCE: Final = {"hours": "secondary", "area_per_person": "unverified"}


def office_hours(hours: float) -> float:
    """Factor for an office that is used `hours` a year: 0.3 + 0.7 x 2500 / hours. (Secondary.).

    Raises:
        ValueError: hours are not positive.
    """
    if not hours > 0:
        raise ValueError(f"hours of use must be positive, are {hours}")
    return 0.3 + 0.7 * OFFICE_HOURS / hours


def office_density(area_m2_per_person: float) -> float:
    """Factor for an office with so much area for each person: 0.7 + 0.3 x area / 10. (Unverified.).

    Raises:
        ValueError: the area is not positive.
    """
    if not area_m2_per_person > 0:
        raise ValueError(f"area per person must be positive, is {area_m2_per_person}")
    return 0.7 + 0.3 * area_m2_per_person / OFFICE_AREA_PER_PERSON
