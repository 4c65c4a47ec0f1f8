"""People by the standards' formulas, climate by city, corrections of GB/T 51161."""

from pathlib import Path

import pytest

from kgce.domain.climate import WARMEST_A, cities, climate_of
from kgce.domain.people import days_present, medical, school_water, university_water


def test_a_school_counts_people_by_the_days_they_are_there() -> None:
    """DB37/T 2671-2019 section 6.7: 100 staff all year and 1 000 students for 200 of 365 days."""
    assert days_present([(100, 365), (1000, 200)]) == pytest.approx(100 + 1000 * 200 / 365)


def test_a_hospital_counts_interns_beds_and_outpatients_in_part() -> None:
    """energy_domain.md section 3.1: staff x 1 + others x 1 + interns x months / 12 + beds x occupancy + outpatients / 365."""
    found = medical(
        staff=800,
        off_establishment=200,
        interns=60,
        intern_months=8,
        beds=1000,
        occupancy_ratio=0.9,
        outpatients=730_000,
    )
    assert found == pytest.approx(800 + 200 + 40 + 900 + 2000)


def test_water_counts_boarders_twice_and_university_staff_half() -> None:
    """energy_domain.md section 3.5, DB37/T 4452-2021."""
    assert university_water(enrolled=10_000, foreign_students=100, staff=1000) == 10_600
    assert school_water(non_boarders=500, boarders=300, staff=80) == 500 + 600 + 80


def test_every_city_has_the_zone_its_degree_days_say() -> None:
    """DB37/5026-2022 Table 3.0.1: 2000 <= HDD18 < 3800; CDD26 <= 90 is A, above B."""
    assert len(cities()) == 16
    for city in cities().values():
        assert 2000 <= city.hdd18 < 3800
        assert city.zone == ("A" if city.cdd26 <= WARMEST_A else "B")


def test_a_county_has_the_climate_of_its_city() -> None:
    assert climate_of("370102").name_en == "Jinan"
    assert climate_of("371202").code == "3701", "Laiwu went into Jinan"
    assert climate_of("3702").season == ("11-16", "04-05")
    assert climate_of("110101") is None


def test_the_table_is_that_of_the_source(shared_facts: Path) -> None:
    text = (shared_facts / "energy_domain.md").read_text(encoding="utf-8")
    for city in cities().values():
        season = "…".join(city.season)
        row = f"| {city.name_zh} | {city.zone} | {city.hdd18:g} | {city.cdd26:g} | {city.heating_days} | {season} |"
        assert row in text
