"""Details of a year: what an institution states besides people and areas, and the people that follow from it."""

from collections.abc import Mapping
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.people import days_present, medical, school_water, university_water
from kgce.domain.quotas import HEATINGS

# name: what it is, in its unit
NUMBERS: Final = {
    "special_area_m2": "floor area of special systems: laboratories, data centre, kitchen, laundry [m2]",
    "staff": "staff [p]",
    "off_establishment": "people beyond the establishment [p]",
    "students": "registered students, boarders included [p]",
    "boarders": "of these, boarders [p]",
    "foreign_students": "foreign students [p]",
    "student_days": "days a year that students are there [d]",
    "interns": "interns [p]",
    "intern_months": "months they stay [month]",
    "beds": "open beds [1]",
    "occupancy_ratio": "share of the beds that is occupied, 0 to 1 [1]",
    "outpatients": "outpatients of the year [p]",
    "water_people": "people using water, where it is not the number of people [p]",
    "hours": "hours of use a year [h]",
}
TEXTS: Final = {"heating": HEATINGS}  # name: values it may have
_SCHOOLS: Final = frozenset({"secondary_day", "secondary_boarding", "vocational", "primary", "kindergarten"})
_COLLEGES: Final = frozenset({"university", "junior_college"})


def checked(name: str, text: str) -> float | str:
    """A cell of a registry file as a detail.

    Raises:
        InputError: no such detail, no number from 0 up, or a word it cannot have.
    """
    if name in TEXTS:
        if text not in TEXTS[name]:
            raise InputError(f"{name} {text!r} is none of {', '.join(TEXTS[name])}")
        return text
    if name not in NUMBERS:
        raise InputError(f"unknown detail {name!r}; known: {', '.join((*NUMBERS, *TEXTS))}")
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{name} {text!r} is not a number; leave it empty when it is not known") from None
    if not 0 <= value < float("inf") or (name == "occupancy_ratio" and value > 1):
        raise InputError(f"{name} {text!r} is out of range; leave it empty when it is not known")
    return value


def people_of(peer_class: str, details: Mapping[str, float | str]) -> float | None:
    """People by the standard of the class, where the details it needs are stated; None where they are not.

    Source: domain/people.py names the formulas' clauses.
    """
    numbers = _numbers(details)
    if peer_class == "hospital" and "staff" in numbers:
        names = ("staff", "off_establishment", "interns", "intern_months", "beds", "occupancy_ratio", "outpatients")
        return medical(**{name: numbers.get(name, 0.0) for name in names})
    if peer_class in _SCHOOLS | _COLLEGES and {"staff", "students", "student_days"} <= set(numbers):
        here = numbers["staff"] + numbers.get("off_establishment", 0.0)
        return days_present([(here, 365.0), (numbers["students"], numbers["student_days"])])
    return None


def water_people_of(peer_class: str, details: Mapping[str, float | str]) -> float | None:
    """People using water by DB37/T 4452-2021, where the details it needs are stated; None where they are not."""
    numbers = _numbers(details)
    if "students" not in numbers:
        return None
    boarders, staff = numbers.get("boarders", 0.0), numbers.get("staff", 0.0)
    if peer_class in _COLLEGES:
        foreign = numbers.get("foreign_students", 0.0)
        return university_water(enrolled=numbers["students"], foreign_students=foreign, staff=staff)
    if peer_class in _SCHOOLS:
        return school_water(non_boarders=numbers["students"] - boarders, boarders=boarders, staff=staff)
    return None


def _numbers(details: Mapping[str, float | str]) -> dict[str, float]:
    return {name: float(value) for name, value in details.items() if not isinstance(value, str)}
