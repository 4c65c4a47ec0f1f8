"""`kgce import`: bad rows are refused with file, line and reason; the good ones are kept; twice is once."""

from pathlib import Path
from typing import get_type_hints

import pytest

from kgce.cli import imports
from kgce.collectors.datasets import DATASETS
from tests.cli.kgce_command import kgce

REGISTRY = """\
institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2
office-1,市财政局,370102,office,city,B,2019,120,4000,3800
office-2,市档案馆,370102,office,city,B,2019,60,2500,
school-1,第一小学,370102,school,,,2019,,9000,
"""

READINGS = """\
time,institution,point,carrier,kind,unit,value
2019-06-01T00:00:00+08:00,office-1,main,electricity,counter,kWh,1000
2019-06-01T01:00:00+08:00,office-1,main,electricity,counter,kWh,1010
2019-06-01T02:00:00+08:00,office-1,main,electricity,counter,MWh,1.025
"""

BAD_ROWS = {
    "2019-06-01T03:00:00,office-1,main,electricity,counter,kWh,1030": "offset",
    "2019-06-01T03:00:00+08:00,office-1,main,electricity,counter,kw/h,1030": "unknown unit 'kw/h'",
    "2019-06-01T03:00:00+08:00,office-1,main,electricity,counter,m3,1030": "measures volume",
    "2019-06-01T03:00:00+08:00,office-1,main,electricity,counter,kWh,-5": "negative",
    "2019-06-01T03:00:00+08:00,office-1,main,electricity,counter,kWh,NaN": "NaN",
    "2019-06-01T01:00:00+08:00,office-1,main,electricity,counter,kWh,1010": "duplicate of line 3",
    "2019-06-01T03:00:00+08:00,nobody,main,electricity,counter,kWh,1030": "unknown institution 'nobody'",
    "2019-06-01T03:00:00+08:00,office-1,main,water,counter,m3,1": "electricity",
    "yesterday,office-1,main,electricity,counter,kWh,1030": "yesterday",
}


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A folder with a registry imported into its kgce-data."""
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    answer = kgce("import", "registry", "registry.csv", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert "3 institution years stored" in answer.err
    return tmp_path


def test_the_default_database_is_kgce_data_in_the_working_folder(county: Path) -> None:
    assert (county / "kgce-data").is_dir()


def test_importing_the_same_file_twice_changes_nothing_and_says_so(county: Path) -> None:
    (county / "readings.csv").write_text(READINGS, encoding="utf-8")
    first = kgce("import", "readings", "readings.csv", "--json", cwd=county)
    assert first.code == 0, first.err
    assert (first.json["stored"], first.json["duplicate"], first.json["changed"]) == (3, 0, True)
    second = kgce("import", "readings", "readings.csv", "--json", cwd=county)
    assert second.code == 0, second.err
    assert (second.json["stored"], second.json["duplicate"], second.json["changed"]) == (0, 3, False)
    assert "nothing changed" in kgce("import", "readings", "readings.csv", cwd=county).err
    assert "nothing changed" in kgce("import", "registry", "registry.csv", cwd=county).err


def test_each_bad_row_is_refused_with_file_line_and_reason_and_the_good_ones_are_kept(county: Path) -> None:
    (county / "readings.csv").write_text(READINGS + "\n".join(BAD_ROWS) + "\n", encoding="utf-8")
    answer = kgce("import", "readings", "readings.csv", "--json", cwd=county)
    assert answer.code == 1, answer.err
    assert answer.json["stored"] == 3
    refusals = {refusal["line"]: refusal for refusal in answer.json["refusals"]}
    for line, (row, reason) in enumerate(BAD_ROWS.items(), start=5):
        assert reason in refusals[line]["reason"], row
        assert refusals[line]["file"].endswith("readings.csv")
    for_people = kgce("import", "readings", "readings.csv", cwd=county)
    assert for_people.code == 1
    assert "readings.csv:5: refused: " in for_people.err


def test_naive_times_are_accepted_when_their_zone_is_told(county: Path) -> None:
    """02:00 in Shanghai is 18:00 UTC the day before."""
    text = READINGS.replace("+08:00", "")
    (county / "naive.csv").write_text(text, encoding="utf-8")
    (county / "aware.csv").write_text(READINGS, encoding="utf-8")
    assert kgce("import", "readings", "naive.csv", "--tz", "Asia/Shanghai", cwd=county).code == 0
    again = kgce("import", "readings", "aware.csv", "--json", cwd=county)
    assert (again.json["stored"], again.json["duplicate"]) == (0, 3)


def test_a_corrected_value_replaces_the_old_one_and_is_counted(county: Path) -> None:
    (county / "readings.csv").write_text(READINGS, encoding="utf-8")
    kgce("import", "readings", "readings.csv", cwd=county)
    (county / "readings.csv").write_text(READINGS.replace("1010", "1011"), encoding="utf-8")
    answer = kgce("import", "readings", "readings.csv", "--json", cwd=county)
    assert (answer.json["stored"], answer.json["replaced"], answer.json["duplicate"]) == (1, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(("import", "readings", "nothing.csv"), "nothing.csv", id="no such file"),
        pytest.param(("import", "dataset", "atlantis"), "cambridge", id="unknown data set names the known ones"),
        pytest.param(
            ("rank", "--year", "2019", "--indicator", "energy_per_area", "--factor-set", "x"), "cn-national", id="set"
        ),
        pytest.param(
            ("ledger", "--institution", "nobody", "--point", "p", "--from", "2019-01-01", "--to", "2019-02-01"),
            "nobody",
            id="unknown institution",
        ),
        pytest.param(
            (
                "ledger",
                "--institution",
                "office-1",
                "--point",
                "p",
                "--from",
                "2019-01-01T00:00:00",
                "--to",
                "2019-02-01",
            ),
            "offset",
            id="naive time",
        ),
        pytest.param(
            ("ledger", "--institution", "office-1", "--point", "p", "--from", "2019-02-01", "--to", "2019-01-01"),
            "not after",
            id="reversed",
        ),
    ],
)
def test_what_cannot_work_ends_with_2_and_one_line(county: Path, arguments: tuple[str, ...], complaint: str) -> None:
    answer = kgce(*arguments, cwd=county)
    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.startswith("kgce: ")
    assert answer.err.count("\n") == 1
    assert answer.out == ""


def test_the_help_names_every_known_data_set() -> None:
    (argument,) = get_type_hints(imports.dataset, include_extras=True)["name"].__metadata__

    assert all(name in argument.help for name in DATASETS)
