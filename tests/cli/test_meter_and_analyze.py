"""`kgce meter` and `kgce analyze`: what is declared is worked in, what was killed goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.kgce_command import COMMAND, kgce

HEADER = "time,institution,point,carrier,kind,unit,value\n"
REGISTRY = "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2\n"


def hourly(institution: str, point: str, values: dict[str, float]) -> str:
    return "".join(
        f"{at}+08:00,{institution},{point},electricity,counter,kWh,{value}\n" for at, value in values.items()
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A meter of 10 kWh/h that was swapped at 12:30 on 3 June; the new one began at 7."""
    values = {f"2019-06-03T{hour:02d}:00:00": 48_000 + 10 * hour for hour in range(13)}
    values |= {f"2019-06-03T{hour:02d}:00:00": 2 + 10 * (hour - 12) for hour in range(13, 24)}
    (tmp_path / "registry.csv").write_text(REGISTRY + "hall,厅,370102,office,city,B,2019,10,100,\n", encoding="utf-8")
    (tmp_path / "meter.csv").write_text(HEADER + hourly("hall", "main", values), encoding="utf-8")
    for kind, file in (("registry", "registry.csv"), ("readings", "meter.csv")):
        assert kgce("import", kind, file, cwd=tmp_path).code == 0
    return tmp_path


def day(folder: Path) -> dict:
    answer = kgce(
        "ledger", "--institution", "hall", "--point", "main", "--from", "2019-06-03", "--to", "2019-06-04", "--json",
        cwd=folder,
    )  # fmt: skip
    return answer.json[0]


REPLACED = (
    "meter", "replace", "--institution", "hall", "--point", "main", "--at", "2019-06-03T12:30:00+08:00",
    "--old-last", "48125", "--new-first", "7", "--note", "certified anew", "--json",
)  # fmt: skip


def test_a_declared_replacement_closes_the_gap_and_can_be_taken_back(folder: Path) -> None:
    assert day(folder)["amount"] == pytest.approx(220), "an hour is unknown before anybody says what happened"
    answer = kgce(*REPLACED, cwd=folder)
    assert answer.code == 0, answer.err
    assert answer.json["contradictions"] == []
    assert (day(folder)["amount"], day(folder)["flags"]) == (pytest.approx(230), ["replaced", "partial"])
    assert kgce(*REPLACED, cwd=folder).json["number"] == answer.json["number"], "said twice is kept once"
    listed = kgce("meter", "changes", "--json", cwd=folder).json
    assert [(row["point"], row["old_last"], row["note"]) for row in listed] == [
        ("main.active_energy_import", 48125.0, "certified anew")
    ]
    assert kgce("meter", "undo", str(answer.json["number"]), cwd=folder).code == 0
    assert day(folder)["amount"] == pytest.approx(220)
    again = kgce("meter", "undo", "99", cwd=folder)
    assert (again.code, "no declared change 99" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--old-last", "48100", "above the old meter's last 48100"),
        ("--new-first", "500", "below the new meter's first 500"),
        ("--at", "2019-06-03T12:30:00", "has no offset"),
        ("--point", "cellar", "no point 'cellar'"),
    ],
)
def test_what_the_readings_contradict_is_refused_with_the_reading(folder, option, value, sentence) -> None:
    arguments = list(REPLACED)
    arguments[arguments.index(option) + 1] = value
    answer = kgce(*arguments, cwd=folder)
    assert answer.code == 2
    assert sentence in answer.err


def test_roles_and_virtual_meters_are_kept_and_checked(folder: Path) -> None:
    where = ("--institution", "hall", "--point", "main")
    answer = kgce(
        "meter", "set", *where, "--item", "B1", "--width", "100000", "--since", "2019-01-01", "--json", cwd=folder
    )
    assert answer.code == 0, answer.err
    assert (answer.json["item"], answer.json["width"], answer.json["until_ms"]) == ("B1", 100000.0, None)
    assert kgce("meter", "set", *where, "--width", "0", "--json", cwd=folder).json["item"] == "B1", "the rest stays"
    assert "begins with one of A, B, C, D" in kgce("meter", "set", *where, "--item", "X", cwd=folder).err
    made = ("meter", "virtual", "--institution", "hall", "--name", "half", "--is")
    assert kgce(*made, "0.5 * main", cwd=folder).code == 0
    for expression, sentence in (("main * main", "by a number only"), ("cellar", "no point 'cellar'")):
        refused = kgce(*made, expression, cwd=folder)
        assert (refused.code, sentence in refused.err) == (2, True)
    assert kgce(*made, "", cwd=folder).code == 0
    assert "no virtual meter" in kgce(*made, "", cwd=folder).err


def test_a_register_that_fell_is_a_finding_until_somebody_says_what_happened(folder: Path) -> None:
    told = kgce("analyze", "--year", "2019", "--json", cwd=folder).json[0]
    assert told["findings"] == 1
    where = ("--institution", "hall", "--point", "main", "--at", "2019-06-03", "--json")
    number = kgce("meter", "confirm", *where, "--note", "power cut", cwd=folder).json["number"]
    assert kgce("analyze", "--year", "2019", "--json", cwd=folder).json[0]["findings"] == 0
    assert day(folder)["amount"] == pytest.approx(220), "confirming makes nothing up"
    assert kgce("meter", "undo", str(number), cwd=folder).code == 0
    assert kgce("analyze", "--year", "2019", "--json", cwd=folder).json[0]["findings"] == 1
    assert kgce(*REPLACED, cwd=folder).code == 0
    assert kgce("analyze", "--year", "2019", "--json", cwd=folder).json[0]["findings"] == 0


def test_analyze_works_out_what_is_new_and_nothing_else(folder: Path) -> None:
    first = kgce("analyze", "--json", cwd=folder)
    assert first.code == 0, first.err
    assert [(row["year"], row["months_worked_out"], row["months"]) for row in first.json] == [(2019, 12, 12)]
    assert kgce("analyze", "--json", cwd=folder).json[0]["months_worked_out"] == 0
    late = HEADER + hourly("hall", "main", {"2019-03-05T00:00:00": 40_000, "2019-03-05T01:00:00": 40_010})
    (folder / "late.csv").write_text(late, encoding="utf-8")
    assert kgce("import", "readings", "late.csv", cwd=folder).code == 0
    assert kgce("analyze", "--json", cwd=folder).json[0]["months_worked_out"] in range(1, 5)
    assert kgce("analyze", "--anew", "--json", cwd=folder).json[0]["months_worked_out"] == 12


def test_analyze_without_readings_says_what_to_do(tmp_path: Path) -> None:
    answer = kgce("analyze", cwd=tmp_path)
    assert (answer.code, "kgce import readings" in answer.err) == (0, True)


def arrays(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted((folder / "kgce-data" / "shelf" / "ledger").rglob("*.npz")):
        with np.load(path) as held:
            found |= {f"{path.name}/{path.parent.name}/{name}": held[name].tobytes() for name in held.files}
    return found


def test_a_killed_analysis_goes_on_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    """Sixty counties, killed as soon as a few of them are there; what was done is not done again."""
    names = [f"u{number:02d}" for number in range(60)]
    registry = "".join(
        f"{name},{name},3701{number:02d},office,city,B,2019,10,100,\n" for number, name in enumerate(names)
    )
    (tmp_path / "registry.csv").write_text(REGISTRY + registry, encoding="utf-8")
    rows = "".join(
        hourly(
            name,
            "main",
            {
                f"2019-{month:02d}-{day:02d}T00:00:00": 1000 * month + 10 * day
                for month in range(1, 13)
                for day in (1, 9, 20)
            },
        )
        for name in names
    )
    (tmp_path / "meter.csv").write_text(HEADER + rows, encoding="utf-8")
    for kind, file in (("registry", "registry.csv"), ("readings", "meter.csv")):
        assert kgce("import", kind, file, cwd=tmp_path).code == 0
    shelf = tmp_path / "kgce-data" / "shelf" / "ledger" / "2019"
    command = subprocess.Popen(
        [*COMMAND, "analyze", "--year", "2019"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while len(list(shelf.glob("*.npz"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        os.kill(command.pid, signal.SIGKILL)
        command.wait()
    done = len(list(shelf.glob("*.npz")))
    assert 3 <= done < 60, "killed on the way"
    rest = kgce("analyze", "--year", "2019", "--json", cwd=tmp_path).json
    assert rest[0]["months_worked_out"] == (60 - done) * 12
    after_kill = arrays(tmp_path)
    assert kgce("analyze", "--anew", "--year", "2019", cwd=tmp_path).code == 0
    assert arrays(tmp_path) == after_kill
