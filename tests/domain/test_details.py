"""What an institution states besides people and areas, and the people that follow from it."""

import pytest

from kgce.domain.details import checked, people_of, water_people_of
from kgce.domain.errors import InputError


def test_people_follow_from_details_by_the_standard_of_the_class() -> None:
    """DB37/T 2671-2019 section 6.7 and energy_domain.md section 3.1 for hospitals."""
    school = {"staff": 100.0, "off_establishment": 10.0, "students": 1000.0, "student_days": 200.0}
    assert people_of("primary", school) == pytest.approx(110 + 1000 * 200 / 365)
    hospital = {"staff": 800.0, "beds": 1000.0, "occupancy_ratio": 0.9, "outpatients": 730_000.0}
    assert people_of("hospital", hospital) == pytest.approx(800 + 900 + 2000)
    assert people_of("agency", school) is None, "an agency states its people itself"
    assert people_of("primary", {"staff": 100.0}) is None, "nothing is made up where a part is missing"


def test_people_using_water_are_counted_by_another_rule() -> None:
    """DB37/T 4452-2021: schools count boarders twice, universities half of the staff."""
    details = {"staff": 80.0, "students": 800.0, "boarders": 300.0, "foreign_students": 20.0}
    assert water_people_of("secondary_boarding", details) == 500 + 600 + 80
    assert water_people_of("university", details) == 800 + 20 + 40
    assert water_people_of("hospital", details) is None


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("beds", "many", "not a number"), ("beds", "-1", "out of range"), ("occupancy_ratio", "90", "out of range"),
        ("beds", "nan", "out of range"), ("heating", "steam", "none of municipal"), ("windows", "3", "unknown detail"),
    ],
)  # fmt: skip
def test_a_detail_that_cannot_be_is_refused(name: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        checked(name, text)


def test_a_good_detail_is_a_number_or_a_word() -> None:
    assert checked("beds", "1000") == 1000.0
    assert checked("occupancy_ratio", "1") == 1.0
    assert checked("heating", "municipal_by_area") == "municipal_by_area"
