"""`kgce targets` on two cities with planted figures: set, shared out, followed, looked ahead from."""

from pathlib import Path

import numpy as np
import pytest

from kgce.cli.database import database
from kgce.domain.batch import Batch
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, Step, YearlyAttributes
from tests.cli.kgce_command import kgce

SEASON = np.array([150, 140, 120, 90, 80, 100, 130, 130, 90, 85, 110, 140.0])
PLACES = {"a": "370102", "b": "370102", "c": "370202"}
LEVEL = {"a": 10.0, "b": 20.0, "c": 30.0}  # times the season, in kWh
SCALE = {2014: 1.0, 2015: 1.0, 2016: 0.98, 2017: 0.96, 2018: 0.9332}  # -6.68 % in 2018, as the province published


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with database(tmp_path / "kgce-data") as at:
        at.registry.save_institutions(Institution(name, name.upper(), region) for name, region in PLACES.items())
        at.registry.save_attributes(
            YearlyAttributes(name, year, "agency", people=10.0, area_m2=1000.0) for name in PLACES for year in SCALE
        )
        for name, region in PLACES.items():
            one = Series(name, "main", "active_energy_import_interval", "electricity", "", region)
            at.registry.save_points([Point(one, "electricity", Kind.INTERVAL, Step.MONTH)])
            months = np.arange("2014-01", "2019-01", dtype="datetime64[M]").astype("datetime64[ms]").astype(np.int64)
            used = LEVEL[name] * np.concatenate([SEASON * scale for scale in SCALE.values()])
            at.store.append(Batch.of([one], np.zeros(60, np.int32), months - 8 * 3_600_000, used))
    return tmp_path


def ask(folder: Path, *arguments: str):
    answer = kgce("targets", *arguments, "--json", cwd=folder)
    assert answer.code == 0, answer.err
    return answer.json


def test_the_provinces_progress_of_2018_comes_out_as_published(folder: Path) -> None:
    """energy_domain.md section 0 (S-NECC): a drop of 6.68 % per area is 66.8 % of the 10 % until 2020."""
    rows = {row["indicator"]: row for row in ask(folder, "progress", "2018", "--region", "37")}
    area = rows["energy_per_area"]
    assert area["achieved_drop"] == pytest.approx(0.0668)
    assert area["progress"] == pytest.approx(0.668)
    assert (area["units"], area["of"], area["target"]) == (3, 3, "everywhere")
    assert area["baseline_value"] == pytest.approx(60 * SEASON.sum() * 0.1229 / 3000)
    assert area["due"] == pytest.approx(0.94 * area["baseline_value"])
    assert rows["energy_per_capita"]["progress"] == pytest.approx(0.0668 / 0.11)


def test_a_target_is_set_shared_out_and_taken_back(folder: Path) -> None:
    stated = ("--indicator", "energy_per_area", "--json")
    assert kgce("targets", "set", "--for", "region:37", "--drop", "12%", *stated, cwd=folder).json["drop"] == 0.12
    parts = ask(
        folder, "cascade", "--region", "37", "--indicator", "energy_per_area", "--effort", "3702=1.5", "--apply"
    )
    drops = {row["for"]: row["drop"] for row in parts}
    assert drops["region:3702"] / drops["region:3701"] == pytest.approx(1.5)
    assert (drops["region:3701"] + drops["region:3702"]) / 2 == pytest.approx(0.12), "both used half"
    county = ask(folder, "cascade", "--region", "370102", "--indicator", "energy_per_area")
    assert [(row["for"], row["drop"]) for row in county] == [
        ("institution:a", pytest.approx(drops["region:3701"])), ("institution:b", pytest.approx(drops["region:3701"])),
    ]  # fmt: skip
    listed = {row["for"] for row in ask(folder, "list")}
    assert listed == {"region:37", "region:3701", "region:3702"}, "what is only shown is not set"
    assert kgce("targets", "remove", "--for", "region:3701", *stated[:2], cwd=folder).code == 0
    assert "region:3701" not in {row["for"] for row in ask(folder, "list")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("set", "--for", "37", "--indicator", "energy_per_area", "--drop", "10%"), "write region:CODE"),
        (("set", "--for", "region:37", "--indicator", "energy_per_area", "--drop", "ten"), "write 11% or 0.11"),
        (("remove", "--for", "region:37", "--indicator", "eue"), "there are: none"),
        (("cascade", "--region", "37", "--indicator", "energy_per_area", "--effort", "9901=2"), "has no part '9901'"),
        (("cascade", "--region", "99", "--indicator", "energy_per_area"), "nothing in 99 has a figure"),
        (("forecast", "2018", "--institution", "z"), "no institution 'z'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(folder: Path, arguments, sentence) -> None:
    answer = kgce("targets", *arguments, cwd=folder)
    assert (answer.code, sentence in answer.err) == (2, True), answer.err


def test_the_year_is_looked_ahead_from_its_own_seasons(folder: Path) -> None:
    """2018 runs as the years before, 6.68 % below 2015; due are 94 %, so all are on track."""
    rows = ask(folder, "forecast", "2018", "--months", "5")
    assert {row["course"] for row in rows} == {"on_track"}
    a = rows[0]
    assert (a["institution"], a["months"], a["years"]) == ("a", 5, 4)
    assert a["expected"] == pytest.approx(0.9332 * 10 * SEASON.sum() * 0.1229 / 1000)
    assert a["due"] == pytest.approx(0.94 * 10 * SEASON.sum() * 0.1229 / 1000)


def test_who_will_miss_a_target_is_a_finding_with_its_figures(folder: Path) -> None:
    stated = ("set", "--for", "institution:a", "--indicator", "energy_per_area", "--year", "2018", "--drop", "9%")
    assert kgce("targets", *stated, cwd=folder).code == 0
    assert kgce("analyze", "--year", "2018", "--no-nights", cwd=folder).code == 0
    with database(folder / "kgce-data") as at:
        warnings = [one for one in at.registry.findings() if one.id.startswith("target.")]
    [found] = warnings
    assert (found.id, found.subject, found.evidence["target"]) == ("target.will_miss", "a", "institution:a")
    assert found.evidence["due"] == pytest.approx(0.91 / 0.9332 * found.evidence["expected"])
