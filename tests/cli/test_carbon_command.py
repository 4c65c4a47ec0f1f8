"""`kgce carbon`: tonnes by carrier, each with the factor it was made with."""

from pathlib import Path

import pytest

from tests.cli.kgce_command import kgce

REGISTRY = "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2\nhall,H,370102,agency,city,B,2021,10,100,\n"
READINGS = "time,institution,point,carrier,kind,unit,value\n" + "".join(
    f"2021-{month:02d}-01T00:00:00+08:00,hall,{point},{carrier},interval,{unit},{value}\n"
    for month in range(1, 13)
    for point, carrier, unit, value in (("main", "electricity", "kWh", 1000), ("gas", "natural_gas", "m3", 100))
).replace("kind,unit", "kind,unit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    header, *rows = READINGS.splitlines()
    text = "\n".join([f"{header},step", *(f"{row},month" for row in rows)]) + "\n"
    (tmp_path / "meter.csv").write_text(text, encoding="utf-8")
    for kind, file in (("registry", "registry.csv"), ("readings", "meter.csv")):
        answer = kgce("import", kind, file, cwd=tmp_path)
        assert answer.code == 0, answer.err
    return tmp_path


def test_carriers_add_up_and_name_their_factors(folder: Path) -> None:
    """12 000 kWh at 0.6838 (Shandong 2021) and 1200 m3 at 2.1622 kg/m3: energy_domain.md section 6."""
    found = kgce("carbon", "370102", "--year", "2021", "--json", cwd=folder).json
    by = {row["carrier"]: row for row in found["carriers"]}
    assert by["electricity"]["kg_co2"] == pytest.approx(12_000 * 0.6838)
    assert by["natural_gas"]["kg_co2"] == pytest.approx(1200 * 2.1622, rel=1e-4)
    assert (by["electricity"]["scope"], by["natural_gas"]["scope"]) == ("purchased", "direct")
    assert found["kg_co2"] == pytest.approx(12_000 * 0.6838 + 1200 * 2.1622, rel=1e-4)
    other = kgce("carbon", "hall", "--year", "2021", "--grid", "national", "--json", cwd=folder).json
    assert {row["carrier"]: row["factor"] for row in other["carriers"]}["electricity"] == 0.5810


def test_a_grid_nobody_knows_is_refused(folder: Path) -> None:
    answer = kgce("carbon", "hall", "--year", "2021", "--grid", "moon", cwd=folder)
    assert (answer.code, "choose of shandong" in answer.err) == (2, True)
