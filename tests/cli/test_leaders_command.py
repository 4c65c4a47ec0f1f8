"""`kgce leaders`, `kgce explain` and --explain: lists with reasons that stay as they were published."""

from pathlib import Path

import pytest

from tests.cli.kgce_command import kgce
from tests.cli.test_figure_commands import HEADER, year_of

REGISTRY = """\
institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2
a,甲小学,370102,primary,,,2019,100,1000,
b,乙小学,370102,primary,,,2019,100,1000,
c,丙小学,370102,primary,,,2019,100,1000,
d,丁小学,370102,primary,,,2019,100,1000,
e,戊小学,370102,primary,,,2019,100,1000,
f,己小学,370102,primary,,,2019,100,,
"""
SET = ("--factor-set", "sd-db37-2019")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five schools with bills of 8 to 32 MWh, one without an area."""
    at = tmp_path_factory.mktemp("leaders")
    (at / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    bills = "".join(year_of(name, "electricity", "kWh", 8000.0 * (place + 1)) for place, name in enumerate("abcdef"))
    (at / "bills.csv").write_text(HEADER + bills, encoding="utf-8")
    for kind, file in (("registry", "registry.csv"), ("readings", "bills.csv")):
        answer = kgce("import", kind, file, cwd=at)
        assert answer.code == 0, answer.err
    return at


def listed(folder: Path, *arguments: str) -> dict:
    answer = kgce(
        "leaders", "--year", "2019", "--indicator", "non_heating_per_area", *SET, *arguments, "--json", cwd=folder
    )
    assert answer.code == 0, answer.err
    return answer.json


def test_leaders_are_listed_by_group_with_grades_and_reasons_in_two_languages(folder: Path) -> None:
    """0.31 kgce/kWh x 8 MWh / 1 000 m2 = 2.48: within the guide value 3.0 of DB37/T 2671-2019 Table 1."""
    document = listed(folder)
    assert document["definition"]["version"] == "1"
    assert "DB37/T 2671-2019 sections 3.4, 5.2, 6.2" in document["definition"]["clause"]
    rows = {row["institution"]: row for row in document["rows"]}
    assert next(iter(rows)) == "a"
    first = rows["a"]
    assert (first["rank"], first["grade"], first["group"]) == (1, "within_guide", "primary / – / B")
    assert first["value"] == pytest.approx(2.48)
    assert first["numerator"] / first["divisor"] == first["value"]
    assert (first["months"], first["coverage_ratio"]) == (12, pytest.approx(1))
    assert first["quota"] == "DB37/T 2671-2019 Table 1, section 6.2 (verified)"
    assert first["reasons_en"][0] == "rank 1 of 5 in its group"
    assert first["reasons_zh"][0] == "同组5家中排名第1"
    assert rows["e"]["reasons_en"] == ["12.40 kgce/m2 is above its quota value 8.80 kgce/m2"]
    assert rows["f"]["reasons_en"] == ["no floor area without special systems stated"]


def test_a_published_list_stays_as_it_was(folder: Path) -> None:
    published = listed(folder, "--publish", "first")
    again = kgce("leaders", "--year", "2019", "--publish", "first", cwd=folder)
    assert (again.code, "published already" in again.err) == (2, True)
    edited = REGISTRY.replace("a,甲小学,370102,primary,,,2019,100,1000,", "a,甲小学,370102,primary,,,2019,100,100,")
    (folder / "edited.csv").write_text(edited, encoding="utf-8")
    try:
        assert kgce("import", "registry", "edited.csv", cwd=folder).code == 0
        assert listed(folder)["rows"] != published["rows"]
        shown = kgce("leaders", "--show", "first", "--json", cwd=folder).json
        assert shown["rows"] == published["rows"]
        assert shown["published"] == "first"
    finally:
        kgce("import", "registry", "registry.csv", cwd=folder)
    unknown = kgce("leaders", "--show", "second", cwd=folder)
    assert (unknown.code, "known: first" in unknown.err) == (2, True)


def test_what_cannot_be_asked_is_told(folder: Path) -> None:
    for arguments, sentence in (
        ((), "name a year"), (("--year", "2019", "--lang", "de"), "neither en nor zh"),
        (("--year", "2019", "--unit", "nobody"), "no institution 'nobody' in 2019"),
    ):  # fmt: skip
        answer = kgce("leaders", *arguments, cwd=folder)
        assert (answer.code, sentence in answer.err) == (2, True)


def test_one_unit_is_explained_for_people(folder: Path) -> None:
    answer = kgce("leaders", "--year", "2019", "--unit", "f", "--lang", "zh", cwd=folder)
    assert "未填报建筑面积" in answer.out
    tree = kgce("explain", "a", "energy_per_area", "2019", cwd=folder)
    assert tree.code == 0, tree.err
    assert "electricity.total: 8,000.000 kWh x 0.1229 = 983.200 kgce" in tree.out
    document = kgce("explain", "a", "energy_per_area", "2019", "--json", cwd=folder).json
    term = document["terms"][0]
    assert sum(meter["amount"] for meter in term["meters"]) * term["factor"] / document["divisor"] == pytest.approx(
        document["value"], rel=1e-12
    )


def test_rank_and_ledger_explain_and_keep_their_contract(folder: Path) -> None:
    plain = kgce("rank", "--year", "2019", "--indicator", "energy_per_area", "--json", cwd=folder).json
    told = kgce("rank", "--year", "2019", "--indicator", "energy_per_area", "--explain", "--json", cwd=folder).json
    assert [{name: row[name] for name in plain[0]} for row in told] == plain
    assert told[0]["explain"][0] == "rank 1 of 5 in its group"
    assert told[0]["derivation"] == "kgce explain a energy_per_area 2019"
    where = (
        "--institution",
        "a",
        "--point",
        "electricity",
        "--from",
        "2019-01-01",
        "--to",
        "2019-03-01",
        "--grid",
        "month",
    )
    rows = kgce("ledger", *where, "--explain", "--json", cwd=folder).json
    assert rows[0]["readings"] == [{"time": "2019-01-01T00:00:00+08:00", "value": pytest.approx(8000 / 12)}]
    assert "bounded by" in rows[0]["explain"]
    assert "readings" not in kgce("ledger", *where, "--json", cwd=folder).json[0]


def test_details_of_a_registry_file_reach_the_figures(tmp_path: Path) -> None:
    """People by DB37/T 2671-2019 section 6.7; heating judged by the column of the stated kind."""
    header = REGISTRY.splitlines()[0] + ",special_area_m2,heating,staff,students,student_days\n"
    row = "s,校,370102,primary,,,2019,,1000,800,200,municipal_by_area,100,1000,200\n"
    bad = "t,校,370102,primary,,,2019,,1000,800,200,steam,,,\n"
    (tmp_path / "registry.csv").write_text(header + row + bad, encoding="utf-8")
    answer = kgce("import", "registry", "registry.csv", cwd=tmp_path)
    assert (answer.code, "heating 'steam' is none of" in answer.out + answer.err) == (1, True)
    bills = HEADER + year_of("s", "electricity", "kWh", 12_000) + year_of("s", "heat", "GJ", 240)
    (tmp_path / "bills.csv").write_text(bills, encoding="utf-8")
    assert kgce("import", "readings", "bills.csv", cwd=tmp_path).code == 0
    found = kgce("explain", "s", "energy_per_capita", "2019", "--json", cwd=tmp_path).json
    assert found["divisor"] == pytest.approx(100 + 1000 * 200 / 365)
    listing = ("leaders", "--year", "2019", *SET, "--json", "--indicator")
    heating = kgce(*listing, "heating_per_heated_area", cwd=tmp_path).json["rows"][0]
    assert heating["value"] == pytest.approx(240_000 * 0.03412 / 800)
    assert heating["grade"] == "within_constraint", "10.24 lies between 10.3 and 8.1 of Table 2, municipal"
    area = kgce(*listing, "non_heating_per_area", cwd=tmp_path).json["rows"][0]
    assert area["value"] == pytest.approx(12_000 * 0.31 / (1000 - 200))
