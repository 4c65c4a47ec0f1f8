"""`kgce profiles`: what people and scripts see of device profiles."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kgce.cli.profiles import app
from kgce.collectors.profile import load_profile, profile_names
from kgce.domain.errors import InputError, ProfileError

ROWS = """device,kind,name,fc,address,type,word_order,scale,unit,source,confidence
Foo EM9,electricity_meter,voltage_l1,3,3028,float32,big,1,V,foo manual,high
Foo EM9,electricity_meter,gizmo,3,10,uint16,n/a,1,glorp,foo manual,high
Bar W,water_meter,volume,4,0,uint32,CDAB,0.01,m3,bar manual,medium
"""


@pytest.fixture
def register_list(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def profiles(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "220"})


def answer(*arguments: object):
    result = profiles(*arguments, "--json")
    return json.loads(result.stdout)


def test_the_list_has_every_shipped_profile_and_says_which_are_unverified() -> None:
    listed = {row["name"]: row for row in answer("list")}
    assert set(listed) == set(profile_names())
    assert listed["danfoss-ecl-120"]["note"] == "unverified"
    assert listed["eastron-sdm630"]["note"] == ""
    assert listed["acrel-adl400"]["note"] == "2 points unverified"


def test_the_list_narrows_to_a_word() -> None:
    assert [row["name"] for row in answer("list", "SCHNEIDER")] == [
        "schneider-evlink-pro-ac",
        "schneider-iem3000",
        "schneider-pm5000",
    ]
    assert answer("list", "no such maker") == []


def test_a_profile_is_shown_with_its_registers_and_requests() -> None:
    shown = answer("show", "schneider-pm5000")
    [power] = [point for point in shown["points"] if point["name"] == "active_power_total"]
    assert (power["address"], power["document"], power["unit"]) == (3059, 3060, "kW")
    assert sum(request["count"] for request in shown["requests"]) > 0
    assert shown["remarks"] == []


def test_people_see_what_is_unsure() -> None:
    result = profiles("show", "sontex-supercal-531")
    assert result.exit_code == 0
    assert "unverified" in result.stdout
    assert "Sontex Supercal 531: 10 points" in result.stdout


def test_an_unknown_profile_is_refused() -> None:
    result = profiles("show", "nothing")
    assert isinstance(result.exception, ProfileError)


def test_a_right_file_is_said_to_be_right_and_a_wrong_one_why(tmp_path: Path, register_list: Path) -> None:
    profiles("import", register_list, "--out", tmp_path)
    good, bad = tmp_path / "bar-w.toml", tmp_path / "bad.toml"
    bad.write_text(good.read_text(encoding="utf-8").replace('"uint32"', '"uint33"'), encoding="utf-8")
    assert profiles("check", good).exit_code == 0
    result = profiles("check", good, bad, "--json")
    assert result.exit_code == 2
    first, second = [row["problem"] for row in json.loads(result.stdout)]
    assert first == ""
    assert second.startswith(f"profile {bad}: point.0: water_volume: unknown register type 'uint33'; known: ")


def test_what_is_no_profile_file_is_said_so(tmp_path: Path) -> None:
    result = profiles("check", tmp_path / "meter.txt", tmp_path / "absent.toml", "--json")
    assert result.exit_code == 2
    problems = [row["problem"] for row in json.loads(result.stdout)]
    assert problems[0] == "the name of a profile's file ends in .toml"
    assert "No such file" in problems[1]


def test_a_register_list_becomes_profiles_that_load(tmp_path: Path, register_list: Path) -> None:
    rows = answer("import", register_list, "--out", tmp_path / "new")
    assert [(row["device"], row["points"], row["refused"]) for row in rows] == [("Foo EM9", 2, []), ("Bar W", 1, [])]
    assert "gizmo: unit 'glorp' is not known, the number is kept as it is" in rows[0]["assumed"]
    profile = load_profile(rows[1]["profile"])
    assert (profile.device.word_order, profile.point[0].name, profile.point[0].metering) == (
        "little",
        "water_volume",
        True,
    )


def test_a_documents_numbers_become_wire_addresses(tmp_path: Path, register_list: Path) -> None:
    lines = register_list.read_text(encoding="utf-8").splitlines()
    register_list.write_text("\n".join(lines[:2]), encoding="utf-8")
    profiles("import", register_list, "--out", tmp_path, "--notation", "document")
    assert (
        tomllib.loads((tmp_path / "foo-em9.toml").read_text(encoding="utf-8"))["point"][0]["register"]["address"]
        == 3027
    )


def test_an_unknown_notation_is_refused(register_list: Path) -> None:
    result = profiles("import", register_list, "--notation", "5xxxx")
    assert isinstance(result.exception, InputError)
    assert "use wire, document, 4xxxx" in str(result.exception)


def test_a_row_that_is_not_in_the_profile_ends_with_1_and_its_reason(tmp_path: Path, register_list: Path) -> None:
    register_list.write_text(ROWS + "Bar W,water_meter,odd,4,9,mod10k,,1,m3,bar manual,low\n", encoding="utf-8")
    result = profiles("import", register_list, "--out", tmp_path, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[1]["refused"] == ["odd: type 'mod10k' is not known"]


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path: Path, register_list: Path) -> None:
    target = tmp_path / "bar-w.toml"
    target.write_text("# mine\n", encoding="utf-8")
    refused = profiles("import", register_list, "--out", tmp_path)
    assert isinstance(refused.exception, InputError)
    assert target.read_text(encoding="utf-8") == "# mine\n"
    assert not (tmp_path / "foo-em9.toml").exists(), "all or nothing"
    assert profiles("import", register_list, "--out", tmp_path, "--force").exit_code == 0
    assert profiles("import", register_list, "--out", tmp_path).exit_code == 0, "the same again changes nothing"
