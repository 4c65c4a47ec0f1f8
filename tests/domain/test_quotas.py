"""Quotas of the Shandong standards: every number against its source, every boundary on it and one step beyond."""

import math
import re
from datetime import date
from pathlib import Path

import pytest

from kgce.domain.errors import ConfigError
from kgce.domain.quotas import Grade, Kind, parse_standard, quota_book

BOOK = quota_book()
TRIPLE = re.compile(r"(?<![\d./])(\d+\.\d)/(\d+\.\d)/(\d+\.\d)(?![\d/])")


def test_every_number_of_the_source_is_shipped_and_none_besides(shared_facts: Path) -> None:
    """energy_domain.md sections 3.2 to 3.5, but the older of two EUE values, and what the source itself calls invented."""
    text = (shared_facts / "energy_domain.md").read_text(encoding="utf-8")
    section = text[text.index("### 3.2 Education") : text.index("Water DB37/T 4452")]
    published = {tuple(map(float, triple)) for triple in TRIPLE.findall(section)} - {(2.2, 2.0, 1.6), (14.0, 9.5, 6.5)}
    shipped = {
        (quota.constraint, quota.reference, quota.guide) for quota in BOOK.rows() if not math.isnan(quota.reference)
    }
    assert shipped == published


@pytest.mark.parametrize(
    ("indicator", "kind", "values"),
    [
        ("non_heating_per_area", Kind("university"), (16.5, 10.0, 7.5)),
        ("heating_per_heated_area", Kind("vocational", heating="municipal"), (11.4, 9.0, 6.3)),
        ("energy_per_capita", Kind("kindergarten"), (159.0, 102.6, 58.2)),
        ("conventional_electricity_per_area", Kind("special_education"), (25.0, 16.1, 8.7)),
        ("eue", Kind("primary"), (2.2, 1.6, 1.3)),
        ("non_heating_per_area", Kind("agency", "below_city", "A"), (20.0, 11.9, 6.5)),
        ("energy_per_capita", Kind("agency", "provincial", "B"), (1611.5, 1240.4, 700.9)),
        ("heating_per_heated_area", Kind("agency", "city", "A", "gas"), (12.3, 8.4, 4.8)),
        ("non_heating_per_area", Kind("hospital", "grade_3", "A"), (38.1, 30.3, 21.9)),
        ("conventional_electricity_per_area", Kind("hospital", "grade_3", "B"), (131.5, 97.5, 76.4)),
        ("eue", Kind("hospital", "grade_1", "B"), (2.3, 1.8, 1.4)),
        ("non_heating_per_area", Kind("science_museum", "county"), (11.3, 6.5, 4.8)),
        ("heating_per_heated_area", Kind("sports_hall", heating="gas"), (36.4, 30.4, 24.3)),
        ("energy_per_capita", Kind("theatre", "city", "B"), (552.5, 304.7, 204.8)),
    ],
)
def test_a_row_is_found_by_what_an_institution_is(indicator: str, kind: Kind, values: tuple[float, ...]) -> None:
    """Hand-copied from energy_domain.md sections 3.2 to 3.5."""
    found = BOOK.lookup(indicator, kind)
    assert (found.constraint, found.reference, found.guide) == values


@pytest.mark.parametrize("heating", ["municipal_by_area", "own_coal"])
def test_heating_paid_by_area_and_own_coal_are_judged_as_municipal(heating: str) -> None:
    """Table 2 note 1 of DB37/T 2671-2019."""
    found = BOOK.lookup("heating_per_heated_area", Kind("primary", heating=heating))
    assert found == BOOK.lookup("heating_per_heated_area", Kind("primary", heating="municipal"))


@pytest.mark.parametrize(
    ("indicator", "kind", "sentence"),
    [
        ("non_heating_per_area", Kind("office"), "no standard has a quota for class 'office'"),
        (
            "non_heating_per_area",
            Kind("agency"),
            "no level is stated; DB37/T 2672-2019 has below_city, city, provincial",
        ),
        ("non_heating_per_area", Kind("agency", "city", "C"), "climate zone 'C' is stated; DB37/T 2672-2019 has A, B"),
        (
            "non_heating_per_area",
            Kind("agency", "provincial", "A"),
            "DB37/T 2672-2019 has no non_heating_per_area for this",
        ),
        ("heating_per_heated_area", Kind("primary"), "no heating is stated"),
        ("heating_per_heated_area", Kind("kindergarten", heating="gas"), "2671-2019 has air_conditioner, municipal"),
        ("water_per_capita", Kind("primary"), "DB37/T 2671-2019 has no water_per_capita for primary"),
    ],
)
def test_where_no_row_holds_the_reason_is_told(indicator: str, kind: Kind, sentence: str) -> None:
    assert BOOK.lookup(indicator, kind) is None
    assert sentence in BOOK.why_none(indicator, kind)


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        (16.5001, Grade.ABOVE_CONSTRAINT), (16.5, Grade.WITHIN_CONSTRAINT),
        (10.0001, Grade.WITHIN_CONSTRAINT), (10.0, Grade.WITHIN_REFERENCE),
        (7.5001, Grade.WITHIN_REFERENCE), (7.5, Grade.WITHIN_GUIDE), (0.0, Grade.WITHIN_GUIDE),
        (math.nan, Grade.NOT_GRADED), (None, Grade.NOT_GRADED),
    ],
)  # fmt: skip
def test_a_figure_on_a_limit_is_within_it(value: float | None, grade: Grade) -> None:
    """Table A.1: X > constraint, reference < X <= constraint, guide < X <= reference, X <= guide."""
    assert BOOK.lookup("non_heating_per_area", Kind("university")).grade(value) is grade


def test_water_has_no_reference_value_between_general_and_advanced() -> None:
    """DB37/T 4452-2021: agencies 25 and 10 m3 a person."""
    water = BOOK.lookup("water_per_capita", Kind("agency", "city", "A"))
    assert (water.constraint, water.guide) == (25.0, 10.0)
    assert [water.grade(value) for value in (25.1, 25.0, 10.1, 10.0)] == [
        Grade.ABOVE_CONSTRAINT, Grade.WITHIN_CONSTRAINT, Grade.WITHIN_CONSTRAINT, Grade.WITHIN_GUIDE,
    ]  # fmt: skip


def test_years_before_an_edition_are_retrospective() -> None:
    """DB37/T 2671-2019 is in force since 2020-01-24."""
    standard = BOOK.lookup("eue", Kind("primary")).standard
    assert standard.in_force == date(2020, 1, 24)
    assert (standard.is_retrospective(2019), standard.is_retrospective(2020)) == (True, False)


def test_what_was_not_found_or_not_checked_is_said() -> None:
    standards = {quota.standard.id: quota.standard for quota in BOOK.rows()}
    assert standards["DB37/T 2671-2019"].confidence == "verified"
    assert {standard.confidence for name, standard in standards.items() if "2671" not in name} == {"secondary"}
    assert "low" in BOOK.lookup("eue", Kind("hospital")).confidence
    assert any("3781" in gap for gap in standards["DB37/T 3780-2019"].missing)
    for name, standard in standards.items():
        assert standard.in_force_note or name == "DB37/T 2671-2019", "a date nobody stated is labelled"


ONE = """
id = "X"
name_en = "x"
name_zh = "x"
in_force = 2020-01-01
confidence = "verified"
source = "s"
missing = []
[[table]]
indicator = "eue"
unit = "1"
confidence = "verified"
clause = "c"
rows = [{ class = "a", values = [3.0, 2.0, 1.0] }]
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[3.0, 2.0, 1.0]", "[3.0, 3.0, 1.0]", "do not descend"),
        ("[3.0, 2.0, 1.0]", "[3.0, 2.0, 0.0]", "do not descend"),
        ('unit = "1"\n', "", "lacks 'unit'"),
    ],
)
def test_a_damaged_table_is_refused(old: str, new: str, sentence: str) -> None:
    assert len(parse_standard(ONE)) == 1
    with pytest.raises(ConfigError, match=sentence):
        parse_standard(ONE.replace(old, new))


def test_two_rows_for_one_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match="two rows for eue a"):
        type(BOOK)(parse_standard(ONE) * 2)
