"""The registry from a file: institutions, what they were in each year, and what is refused."""

from pathlib import Path

import pytest

from kgce.collectors.files.registry import RegistryFile, read_registry
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.tree import Institution, Region, YearlyAttributes

HEADER = "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2"
GOOD = "s1,First School,370102,school,county,cold,2020,500,8000.5,6000"


def read(tmp_path: Path, *lines: str, header: str = HEADER, tz: str | None = None) -> RegistryFile:
    path = tmp_path / "registry.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return read_registry(path, tz=tz)


def test_a_row_is_an_institution_in_a_year(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD, GOOD.replace("2020,500", "2021,510"))

    assert found.institutions == [Institution("s1", "First School", "370102", "Asia/Shanghai")]
    assert found.regions == [Region("370102", "370102")]
    assert found.attributes == [
        YearlyAttributes("s1", 2020, "school", "county", "cold", 500.0, 8000.5, 6000.0),
        YearlyAttributes("s1", 2021, "school", "county", "cold", 510.0, 8000.5, 6000.0),
    ]
    assert (found.rows, found.refusals, found.findings) == (2, [], [])


def test_what_is_not_stated_stays_unknown(tmp_path: Path) -> None:
    found = read(tmp_path, "s1,First School,370102,school,,,2020,,,")

    assert found.attributes == [YearlyAttributes("s1", 2020, "school")]
    assert found.attributes[0].people is None


def test_an_institution_without_a_year_is_kept_and_its_lost_class_told(tmp_path: Path) -> None:
    found = read(tmp_path, "s1,First School,370102,school,,,,,,")

    assert [institution.id for institution in found.institutions] == ["s1"]
    assert found.attributes == []
    assert [(finding.id, finding.subject) for finding in found.findings] == [("registry.no_year", "s1")]
    assert found.findings[0].evidence == {"line": 2, "class": "school"}


@pytest.mark.parametrize(
    ("cell", "tz", "timezone"),
    [
        ("Europe/London", None, "Europe/London"),
        ("Europe/London", "Asia/Urumqi", "Europe/London"),
        ("", "Asia/Urumqi", "Asia/Urumqi"),
        ("", None, "Asia/Shanghai"),
    ],
)
def test_the_zone_is_the_cell_else_tz_else_china(tmp_path: Path, cell: str, tz: str | None, timezone: str) -> None:
    found = read(tmp_path, f"{GOOD},{cell}", header=f"{HEADER},timezone", tz=tz)

    assert found.institutions[0].timezone == timezone


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("s2,N,R,office,,,2020,0,,", "people '0' is not a number above zero", id="no people"),
        pytest.param("s2,N,R,office,,,2020,-3,,", "people '-3' is not a number", id="negative people"),
        pytest.param("s2,N,R,office,,,2020,many,,", "people 'many' is not a number", id="people in words"),
        pytest.param("s2,N,R,office,,,2020,nan,,", "people 'nan' is not a number", id="NaN people"),
        pytest.param("s2,N,R,office,,,2020,,0,", "area_m2 '0' is not a number above zero", id="zero area"),
        pytest.param("s2,N,R,office,,,2020,,inf,", "area_m2 'inf' is not a number", id="infinite area"),
        pytest.param("s2,N,R,office,,,2020,,9,-1", "heated_area_m2 '-1' is not a number", id="negative heated area"),
        pytest.param("s2,N,R,office,,,20,,,", "year '20' is not a year from 1980 to 2100", id="short year"),
        pytest.param("s2,N,R,office,,,1979,,,", "year '1979' is not a year", id="early year"),
        pytest.param("s2,N,R,office,,,2101,,,", "year '2101' is not a year", id="late year"),
        pytest.param("s2,N,R,office,,,2020.0,,,", "year '2020.0' is not a year", id="year with a point"),
        pytest.param("s2,N,R,office,,,,5,,", "people and areas belong to a year", id="people of no year"),
        pytest.param(",N,R,office,,,2020,,,", "no institution", id="no id"),
        pytest.param("s2,,R,office,,,2020,,,", "no name", id="no name"),
        pytest.param("s2,N,,office,,,2020,,,", "no region", id="no region"),
        pytest.param("s2,N,R,,,,2020,,,", "no class", id="no class"),
        pytest.param("s2,N,R,office,,,2020", "7 columns where the header has 10", id="short row"),
        pytest.param(GOOD.replace("500", "600"), "duplicate of line 2", id="year twice"),
        pytest.param(GOOD.replace("First", "1st").replace("2020", "2021"), "'First School' on line 2", id="other name"),
        pytest.param(GOOD.replace("370102", "370103").replace("2020", "2021"), "'370102' on line 2", id="other region"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_good_one_kept(tmp_path: Path, row: str, reason: str) -> None:
    found = read(tmp_path, GOOD, row)

    (refusal,) = found.refusals
    assert (refusal.line, refusal.file) == (3, str(tmp_path / "registry.csv"))
    assert reason in refusal.reason
    assert [attributes.people for attributes in found.attributes] == [500.0]
    assert [institution.id for institution in found.institutions] == ["s1"]
    assert found.rows == 2


def test_an_unknown_zone_in_a_row_refuses_the_row_and_on_the_command_line_everything(tmp_path: Path) -> None:
    found = read(tmp_path, f"{GOOD},Asia/Jinan", header=f"{HEADER},timezone")

    assert "unknown time zone 'Asia/Jinan'" in found.refusals[0].reason
    with pytest.raises(ConfigError, match="unknown time zone 'Asia/Jinan'"):
        read(tmp_path, GOOD, tz="Asia/Jinan")


def test_a_header_without_area_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing 'area_m2'"):
        read(tmp_path, GOOD, header=HEADER.replace(",area_m2", ",floor"))
