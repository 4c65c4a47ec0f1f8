"""How many people an institution counts, by the standards' formulas.

Source: energy_domain.md sections 2, 3.1 and 3.5; each function names its own.
"""

from collections.abc import Iterable
from typing import Final

DAYS: Final = 365
MONTHS: Final = 12


def days_present(groups: Iterable[tuple[float, float]], *, days_in_year: int = DAYS) -> float:
    """People of education: sum of N_b x days present / days in the year; (people, days present) of each group.

    Source: DB37/T 2671-2019 section 6.7: staff, off-establishment staff, registered students, trainees.
    """
    return sum(people * days / days_in_year for people, days in groups)


def medical(
    *,
    staff: float,
    off_establishment: float = 0.0,
    interns: float = 0.0,
    intern_months: float = 0.0,
    beds: float = 0.0,
    occupancy_ratio: float = 0.0,
    outpatients: float = 0.0,
) -> float:
    """People of a hospital: staff + others + interns x months / 12 + beds x occupancy + yearly outpatients / 365.

    Source: energy_domain.md section 3.1 (S-AUD, secondary; its printed example 7872.88 recomputes to 7874.88).
    """
    here = staff + off_establishment + interns * intern_months / MONTHS
    return here + beds * occupancy_ratio + outpatients / DAYS


def university_water(*, enrolled: float, foreign_students: float = 0.0, staff: float = 0.0) -> float:
    """People using water of a university: enrolled + foreign students + half of the staff.

    Source: DB37/T 4452-2021, energy_domain.md section 3.5 (secondary).
    """
    return enrolled + foreign_students + 0.5 * staff


def school_water(*, non_boarders: float, boarders: float = 0.0, staff: float = 0.0) -> float:
    """People using water of a school: non-boarders + twice the boarders + staff.

    Source: DB37/T 4452-2021, energy_domain.md section 3.5 (secondary).
    """
    return non_boarders + 2.0 * boarders + staff
