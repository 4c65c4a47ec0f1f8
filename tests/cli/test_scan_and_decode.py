"""`kgce scan`, `kgce decode` and `kgce profiles` as processes."""

import asyncio
from pathlib import Path

import pytest

from kgce.simulators.site import Site, load_site
from tests.cli.kgce_command import Answer, kgce

pytestmark = pytest.mark.timeout(120)


async def ask(folder: Path, *arguments: object) -> Answer:
    return await asyncio.to_thread(kgce, *arguments, cwd=folder)


async def test_a_scan_finds_units_and_writes_a_gateway_file_that_reads_them(tmp_path: Path) -> None:
    async with Site(load_site("county")) as site:
        host, port, unit = site.address("sim-office-1", "main-meter")
        found = await ask(
            tmp_path,
            "scan",
            f"{host}:{port}",
            "--units",
            "1-4",
            "--timeout",
            "0.3",
            "--json",
            "--write-gateway",
            "g.toml",
        )
        assert found.code == 0, found.err
        by_unit = {one["address"]: one for one in found.json}
        assert by_unit[str(unit)]["guesses"][0]["profile"] == "eastron-sdm630"
        assert {one["guesses"][0]["profile"] for one in found.json} == {
            "eastron-sdm630",
            "siemens-lmv5",
            "abb-terra-ac",
        }
        checked = await ask(tmp_path, "edge", "check", "g.toml", "--connect", "--json")
        assert {row["device"] for row in checked.json["readings"]} == {f"modbus-{unit}" for unit in by_unit}
        table = await ask(tmp_path, "scan", f"{host}:{port}", "--units", "1-4", "--timeout", "0.3")
        assert "eastron-sdm630" in table.out


def test_a_scan_of_nobody_says_so(tmp_path: Path) -> None:
    answer = kgce("scan", "127.0.0.1:1", "--units", "1", cwd=tmp_path)
    assert answer.code == 1
    assert "nobody answer" in answer.err
    assert kgce("scan", "10.0.0.0/8", cwd=tmp_path).code == 2
    assert kgce("scan", "127.0.0.1:1", "--units", "x", cwd=tmp_path).code == 2


def test_decode_reads_frames_and_names_their_values_by_profile(tmp_path: Path) -> None:
    """Vector mb-rtu-eastron-rsp: 230.2 V."""
    answer = kgce(
        "decode", "010404436633341b38", "--as", "auto", "--request", "01040000000271CB", "--profile", "eastron-sdm630",
        "--json", cwd=tmp_path,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert answer.json["protocol"] == "modbus-rtu"
    (reading,) = answer.json["readings"]
    assert (reading["name"], reading["unit"]) == ("voltage_l1_n", "V")
    assert reading["value"] == pytest.approx(230.2, rel=1e-6)


def test_decode_tells_a_word_order_that_makes_no_sense(tmp_path: Path) -> None:
    by_type = kgce("decode", "199a4366", "--type", "float32", "--quantity", "voltage", cwd=tmp_path)
    assert "CDAB would be 230.1 V" in by_type.err
    by_profile = kgce("decode", "199a436766664367", "--profile", "eastron-sdm630", cwd=tmp_path)
    assert "impossible values for voltage_l1_n" in by_profile.err


def test_decode_takes_a_file_and_refuses_a_damaged_frame(tmp_path: Path) -> None:
    (tmp_path / "frame.txt").write_text("68 61 01 00 00 00 00 68\n91 08 33 33 34 33 59 33 33 33 8a 16\n")
    good = kgce("decode", "@frame.txt", "--as", "auto", "--json", cwd=tmp_path)
    assert good.json["readings"][0]["value"] == 0.26
    bad = kgce("decode", "0083029121", "--as", "modbus-rtu", cwd=tmp_path)
    assert (bad.code, bad.err.count("\n")) == (2, 1)
    assert "CRC" in bad.err
    assert kgce("decode", "0083", cwd=tmp_path).code == 2


def test_profiles_are_listed_shown_checked_and_imported_without_code(tmp_path: Path) -> None:
    listed = kgce("profiles", "list", "--json", cwd=tmp_path)
    assert len(listed.json) == 42
    shown = kgce("profiles", "show", "keba-p30", "--json", cwd=tmp_path)
    assert shown.code == 0
    (tmp_path / "new.csv").write_text(
        "device,kind,name,fc,address,type,word_order,scale,unit,source,confidence\n"
        "Acme EM9,electricity_meter,active_energy_import,3,0x0100,uint32,little(LSW first),0.01,kWh,p.3,high\n"
        "Acme EM9,electricity_meter,voltage_l1_n,3,0x0110,uint16,n/a,0.1,V,p.3,high\n"
    )
    imported = kgce("profiles", "import", "new.csv", "--out", "made", cwd=tmp_path)
    assert imported.code == 0, imported.err
    assert kgce("profiles", "check", "made/acme-em9.toml", cwd=tmp_path).code == 0
    read = kgce("decode", "d687 0012", "--profile", "made/acme-em9.toml", "--address", "256", "--json", cwd=tmp_path)
    (energy,) = read.json
    assert (energy["name"], energy["value"]) == ("active_energy_import", pytest.approx(0x0012D687 / 100))


def test_a_simulated_site_takes_faults_from_the_command_line(tmp_path: Path) -> None:
    answer = kgce("simulate", "county", "--for", "1", "--fault", "main-meter:nonsense", cwd=tmp_path)
    assert answer.code == 2
    assert "nonsense" in answer.err
    good = kgce("simulate", "county", "--for", "1", "--fault", "sim-office-1/main-meter:busy", "--json", cwd=tmp_path)
    assert good.code == 0, good.err
    assert len(good.json["modbus"]) == 3
