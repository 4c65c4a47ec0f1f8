"""`kgce ledger` and `kgce rank` keep the contract that others rely on."""

from pathlib import Path

import pytest

from tests.cli.kgce_command import kgce

REGISTRY = """\
institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2
a,甲,370102,office,city,B,2019,100,1000,
b,乙,370102,office,city,B,2019,10,1000,
c,丙,370102,office,city,B,2019,10,,
d,丁,370102,school,,,2019,50,500,
"""

HEADER = "time,institution,point,carrier,kind,unit,value\n"


def year_of(institution: str, carrier: str, unit: str, amount: float) -> str:
    """Yearly amount as twelve equal monthly intervals."""
    months = [f"2019-{month:02d}-01T00:00:00+08:00" for month in range(1, 13)]
    return "".join(f"{time},{institution},{carrier},{carrier},interval,{unit},{amount / 12}\n" for time in months)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three offices and a school with a year of bills; an hourly counter with an outage."""
    folder = tmp_path_factory.mktemp("county")
    (folder / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    bills = (
        year_of("a", "electricity", "kWh", 60_000)
        + year_of("a", "gasoline", "L", 1000)
        + year_of("a", "water", "t", 1500)
        + year_of("b", "electricity", "kWh", 40_000)
        + year_of("b", "natural_gas", "m3", 3000)
        + year_of("c", "electricity", "kWh", 10_000)
        + year_of("d", "electricity", "MWh", 12)
    )
    readings = [0, 10, 20, 30, 100, 110]  # kWh at 00:00, 01:00, 02:00, 03:00, then silence until 10:00
    hours = [0, 1, 2, 3, 10, 11]
    meter = "".join(
        f"2019-06-02T{hour:02d}:00:00+08:00,d,sub,electricity,counter,kWh,{value}\n"
        for hour, value in zip(hours, readings, strict=True)
    )
    (folder / "bills.csv").write_text(HEADER + bills, encoding="utf-8")
    (folder / "meter.csv").write_text(HEADER + meter, encoding="utf-8")
    for kind, file in (("registry", "registry.csv"), ("readings", "bills.csv")):
        answer = kgce("import", kind, file, cwd=folder)
        assert answer.code == 0, answer.err
    return folder


def ranked(folder: Path, *arguments: str) -> list[dict]:
    answer = kgce("rank", "--year", "2019", *arguments, "--json", cwd=folder)
    assert answer.code == 0, answer.err
    return answer.json


def test_energy_per_area_leaves_vehicle_fuel_out(county: Path) -> None:
    """Definition: energy_domain.md section 2, (annual energy - vehicle fuel) / area; national factors of section 1.1."""
    rows = ranked(county, "--indicator", "energy_per_area", "--class", "office")
    assert [(row["rank"], row["institution"]) for row in rows] == [(1, "a"), (2, "b"), (None, "c")]
    assert rows[0]["value"] == pytest.approx(60_000 * 0.1229 / 1000, rel=1e-12)
    assert rows[1]["value"] == pytest.approx((40_000 * 0.1229 + 3000 * 1.33) / 1000, rel=1e-12)
    assert rows[2]["value"] is None
    assert "area" in rows[2]["reason"]
    assert {row["unit"] for row in rows} == {"kgce/m2"}
    assert {row["factor_set"] for row in rows} == {"cn-national"}
    assert [row["percentile"] for row in rows] == [100.0, 0.0, None]
    assert rows[0]["coverage_ratio"] == 1.0
    assert list(rows[0]) == [
        "rank", "institution", "name", "class", "value", "unit", "factor_set", "coverage_ratio", "percentile", "reason",
    ]  # fmt: skip


def test_energy_per_capita_keeps_vehicle_fuel_in(county: Path) -> None:
    """1000 L of petrol weigh 1074.7 kgce in the national statistics."""
    rows = {row["institution"]: row for row in ranked(county, "--indicator", "energy_per_capita", "--class", "office")}
    assert rows["a"]["value"] == pytest.approx((60_000 * 0.1229 + 1000 * 1.0747) / 100, rel=1e-9)


def test_water_per_capita_needs_no_factor_set_and_no_water_is_a_reason(county: Path) -> None:
    rows = {row["institution"]: row for row in ranked(county, "--indicator", "water_per_capita")}
    assert (rows["a"]["rank"], rows["a"]["value"], rows["a"]["unit"]) == (1, pytest.approx(15.0), "m3/p")
    assert rows["a"]["factor_set"] is None
    assert rows["b"]["rank"] is None
    assert "water" in rows["b"]["reason"]


def test_another_factor_set_gives_other_figures_under_its_own_name(county: Path) -> None:
    """DB37/T 2671-2019 Table B.1: electricity 0.31, gas 1.2143; the user of gas leads now."""
    rows = ranked(county, "--indicator", "energy_per_area", "--factor-set", "sd-db37-2019", "--class", "office")
    assert [(row["rank"], row["institution"]) for row in rows] == [(1, "b"), (2, "a"), (None, "c")]
    assert rows[0]["value"] == pytest.approx((40_000 * 0.31 + 3000 * 1.2143) / 1000, rel=1e-12)
    assert rows[1]["value"] == pytest.approx(60_000 * 0.31 / 1000, rel=1e-12)
    assert {row["factor_set"] for row in rows} == {"sd-db37-2019"}
    people = kgce(
        "rank", "--year", "2019", "--indicator", "energy_per_area", "--factor-set", "sd-db37-2019", cwd=county
    )
    assert "retrospective" in people.err


def test_units_are_ranked_among_their_own_class(county: Path) -> None:
    rows = ranked(county, "--indicator", "energy_per_area")
    assert [(row["class"], row["rank"]) for row in rows] == [
        ("office", 1),
        ("office", 2),
        ("school", 1),
        ("office", None),
    ]


def test_a_year_without_readings_ranks_nobody_and_says_why(county: Path) -> None:
    answer = kgce("rank", "--year", "2018", "--indicator", "energy_per_area", "--json", cwd=county)
    assert answer.code == 0
    assert all(row["rank"] is None and row["reason"] for row in answer.json)


def test_a_seven_hour_silence_becomes_interpolated_hours_that_add_up(county: Path) -> None:
    """Seven hours hold the 70 kWh the counter grew; no zero hour, no giant hour."""
    assert kgce("import", "readings", "meter.csv", "--db", "outage", cwd=county).code == 1, "unknown institution there"
    kgce("import", "registry", "registry.csv", "--db", "outage", cwd=county)
    assert kgce("import", "readings", "meter.csv", "--db", "outage", cwd=county).code == 0
    arguments = ("--institution", "d", "--point", "sub", "--db", "outage", "--json")
    span = ("--from", "2019-06-02T00:00:00+08:00", "--to", "2019-06-02T11:00:00+08:00")
    hours = kgce("ledger", *arguments, *span, "--grid", "hour", cwd=county).json
    assert [row["amount"] for row in hours] == pytest.approx([10.0] * 11)
    assert [row["provenance"] for row in hours] == ["measured"] * 3 + ["interpolated"] * 7 + ["measured"]
    assert list(hours[0]) == ["start", "end", "amount", "unit", "provenance", "coverage_ratio", "flags"]
    assert (hours[0]["start"], hours[0]["end"]) == ("2019-06-02T00:00:00+08:00", "2019-06-02T01:00:00+08:00")
    assert hours[0]["unit"] == "kWh"


def test_hours_without_any_reading_are_missing_never_zero(county: Path) -> None:
    rows = kgce(
        "ledger",
        "--institution",
        "a",
        "--point",
        "electricity",
        "--from",
        "2020-03-01",
        "--to",
        "2020-03-03",
        "--json",
        cwd=county,
    ).json
    assert [(row["amount"], row["provenance"], row["coverage_ratio"]) for row in rows] == [(None, "missing", 0.0)] * 2


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "simulate",
        "serve",
        "rank",
        "ledger",
        "decode",
        "edge run",
        "import readings",
        "import registry",
        "import weather",
        "import dataset",
        "dashboards build",
    ],
)
def test_every_command_explains_itself_with_an_example(command: str, tmp_path: Path) -> None:
    answer = kgce(*command.split(), "--help", cwd=tmp_path)
    assert answer.code == 0
    assert "Example" in answer.out
