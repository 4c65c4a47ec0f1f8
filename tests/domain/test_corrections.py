"""GB/T 51161-2016 as energy_domain.md section 3.7 has it."""

import pytest

from kgce.domain.corrections import CONFIDENCE, judge_office, office_density, office_hours
from kgce.domain.errors import InputError


def test_an_office_used_as_the_standard_assumes_is_not_corrected() -> None:
    """GB/T 51161-2016: 2 500 h and 10 m2 a person; twice the hours count 0.65, half the people per area 1.3."""
    assert office_hours(2500) == office_density(10) == 1.0
    assert office_hours(5000) == pytest.approx(0.65)
    assert office_density(20) == pytest.approx(1.3)
    assert CONFIDENCE["area_per_person"] == "unverified"
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="must be positive"):
            office_hours(wrong)
        with pytest.raises(ValueError, match="must be positive"):
            office_density(wrong)


@pytest.mark.parametrize(
    ("measured", "hours", "verdict", "corrected"),
    [
        (45.0, 2500, "within the guide value", 45.0),
        (45.1, 2500, "within the constraint value", 45.1),
        (55.1, 2500, "above the constraint value", 55.1),
        (80.0, 5000, "within the constraint value", 52.0),
    ],
)
def test_an_office_that_works_twice_as_long_may_use_more(measured, hours, verdict, corrected) -> None:
    """A government office with windows that open, cold zone: 55 and 45 kWh/m2; at 5 000 h its figure counts 0.65."""
    found = judge_office(measured, system="A", owner="government", zone="cold", hours=hours)
    assert (found.words, found.corrected) == (verdict, pytest.approx(corrected))


def test_hours_and_people_both_correct() -> None:
    found = judge_office(100.0, system="B", owner="commercial", zone="mild", hours=5000, area_m2_per_person=20)
    assert found.corrected == pytest.approx(100 * 0.65 * 1.3)
    assert (found.constraint, found.guide) == (70, 55)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"system": "C"}, "choose of A, B"),
        ({"owner": "church"}, "choose of government, commercial"),
        ({"zone": "B"}, "choose of cold"),
        ({"hours": 0.0}, "hours of use must be positive"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(wrong, sentence) -> None:
    stated = {"system": "A", "owner": "government", "zone": "cold", "hours": 2500.0} | wrong
    with pytest.raises(InputError, match=sentence):
        judge_office(50.0, **stated)
