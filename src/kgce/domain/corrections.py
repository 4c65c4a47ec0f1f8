"""GB/T 51161-2016 for offices: a measured figure corrected for hours and people, then held against the limits.

Source: energy_domain.md section 3.7; confidence there: the hours' formula secondary, the area's and the limits
unverified. The quotas of DB37/T have no corrections.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from kgce.domain.errors import InputError

OFFICE_HOURS: Final = 2500.0  # h/a
OFFICE_AREA_PER_PERSON: Final = 10.0  # m2
CONFIDENCE: Final = {"hours": "secondary", "area_per_person": "unverified", "limits": "unverified"}


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


@dataclass(frozen=True, slots=True)
class OfficeVerdict:
    """A figure as measured and as corrected, and the limits of its row, all in kWh/m2 a year."""

    measured: float
    hours_factor: float
    density_factor: float
    corrected: float
    constraint: float
    guide: float

    @property
    def words(self) -> str:
        """Where the corrected figure lies; on a limit is within it."""
        if self.corrected <= self.guide:
            return "within the guide value"
        return "within the constraint value" if self.corrected <= self.constraint else "above the constraint value"


def judge_office(
    measured: float,
    *,
    system: str,
    owner: str,
    zone: str,
    hours: float = OFFICE_HOURS,
    area_m2_per_person: float = OFFICE_AREA_PER_PERSON,
) -> OfficeVerdict:
    """A non-heating figure against its row.

    Args:
        measured: kWh/m2 a year.
        system: A (windows open) or B (sealed, central air conditioning).
        owner: government or commercial.
        zone: cold, hot_summer_cold_winter, hot_summer_warm_winter or mild; all of Shandong is cold.
        hours: of use in a year.
        area_m2_per_person: floor area for each person.

    Raises:
        InputError: there is no such row, or a number that must be positive is not.
    """
    table: Any = office_limits()
    for name, wanted in (("system", system), ("owner", owner), ("zone", zone)):
        known = [key for key, value in table.items() if isinstance(value, dict | list)]
        if wanted not in known:
            raise InputError(f"no {name} {wanted!r} in GB/T 51161: choose of {', '.join(known)}")
        table = table[wanted]
    try:
        factors = office_hours(hours), office_density(area_m2_per_person)
    except ValueError as error:
        raise InputError(str(error)) from None
    if not measured >= 0:
        raise InputError(f"the measured figure must not be negative, is {measured}")
    constraint, guide = (float(value) for value in table)
    return OfficeVerdict(measured, *factors, measured * factors[0] * factors[1], constraint, guide)


@cache
def office_limits() -> dict[str, Any]:
    """The file of limits as it is shipped."""
    text = resources.files("kgce.domain").joinpath("data/gbt_51161_office.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
