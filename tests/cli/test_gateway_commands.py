"""`kgce simulate`, `kgce edge run`, `kgce decode`, `kgce dashboards build` as processes."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.cli.kgce_command import kgce

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A simulated county running in a process of its own; gives the gateway file that reads it."""
    file = tmp_path / "gateway.toml"
    command = [sys.executable, "-m", "kgce", "simulate", "county", "--for", "120", "--write-gateway", str(file)]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.1)
    assert file.exists()
    yield file
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 0


def test_a_gateway_reads_a_simulated_site_and_its_ledger_is_there_afterwards(site: Path) -> None:
    answer = kgce("edge", "run", site, "--for", "12", "--json", cwd=site.parent)
    assert answer.code == 0, answer.err
    status = answer.json
    assert status["equation_holds"]
    assert status["counters"]["stored"] > 100
    assert status["counters"]["waiting"] == 0
    assert sum(device["online"] for device in status["devices"]) >= 6
    rows = kgce(
        "ledger", "--institution", "sim-office-1", "--point", "main-meter", "--from", time.strftime("%Y-%m-%d", time.gmtime()),
        "--to", "2049-01-01", "--grid", "year", "--json", cwd=site.parent,
    )  # fmt: skip
    assert rows.code == 0, rows.err
    assert rows.json[0]["unit"] == "kWh"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param("[sink]", "[sunk]", "sunk", id="unknown table"),
        pytest.param('kind = "duckdb" ', 'kind = "oracle" ', "sink", id="unknown sink"),
        pytest.param("eastron-sdm630", "eastron", "unknown profile 'eastron'", id="unknown profile"),
        pytest.param("unit = 1", "unit = 999", "unit", id="unit out of range"),
    ],
)
def test_a_wrong_gateway_file_is_refused_before_any_socket_opens(
    old: str, new: str, complaint: str, tmp_path: Path
) -> None:
    good = kgce("simulate", "county", "--for", "1", "--write-gateway", "gateway.toml", cwd=tmp_path)
    assert good.code == 0, good.err
    file = tmp_path / "gateway.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    answer = kgce("edge", "run", "gateway.toml", "--for", "5", cwd=tmp_path)
    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "kgce-gateway").exists()


def test_decode_reads_registers_by_type_and_by_profile(tmp_path: Path) -> None:
    """0x4366199a is 230.1 V: the SDM630 image of protocol_vectors.json."""
    by_type = kgce("decode", "4366199a", "--type", "float32", "--unit", "V", "--json", cwd=tmp_path)
    assert by_type.json[0]["value"] == pytest.approx(230.1, rel=1e-6)
    swapped = kgce("decode", "199a4366", "--type", "float32", "--order", "CDAB", "--json", cwd=tmp_path)
    assert swapped.json[0]["value"] == pytest.approx(230.1, rel=1e-6)
    by_profile = kgce("decode", "4366199a43676666", "--profile", "eastron-sdm630", "--json", cwd=tmp_path)
    assert [row["name"] for row in by_profile.json] == ["voltage_l1_n", "voltage_l2_n"]
    absent = kgce("decode", "ffffffff", "--type", "uint32", "--json", cwd=tmp_path)
    assert (absent.json[0]["value"], absent.json[0]["note"]) == (None, "not available")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("decode", "xyz", "--type", "int16"), "is not hex"),
        (("decode", "43", "--type", "int16"), "not whole registers"),
        (("decode", "4366199a", "--type", "int16"), "takes 2 bytes, got 4"),
        (("decode", "4366"), "either --type or --profile"),
        (("simulate", "atlantis"), "shipped sites: campus, county"),
        (("edge", "run", "nothing.toml"), "nothing.toml"),
    ],
)
def test_mistakes_end_with_2_and_one_line(arguments: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    answer = kgce(*arguments, cwd=tmp_path)
    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1


def test_dashboards_are_written_as_files_grafana_can_load(tmp_path: Path) -> None:
    answer = kgce("dashboards", "build", "--out", "grafana", "--json", cwd=tmp_path)
    written = [tmp_path / path for path in answer.json]
    assert all(path.is_file() for path in written)
    model = json.loads(next(path for path in written if path.suffix == ".json").read_text(encoding="utf-8"))
    assert len(model["panels"]) >= 8


def test_a_gateway_into_influxdb_is_ranked_from_there(site: Path, influx_server: servers.Influx) -> None:
    """Readings in a real InfluxDB 1.6.7, the registry in a folder: `--store` and `--db`."""
    text = site.read_text(encoding="utf-8")
    sink = f'kind = "influxdb"\nurl = "{influx_server.url}"\ndatabase = "gateway_command"'
    site.write_text(re.sub(r'kind = "duckdb".*\npath = "kgce-data"', sink, text), encoding="utf-8")
    ran = kgce("edge", "run", site, "--for", "8", "--db", "centre", "--json", cwd=site.parent)
    assert ran.code == 0, ran.err
    assert ran.json["equation_holds"]
    assert ran.json["counters"]["stored"] > 100
    span = ("--from", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400)), "--to", "2049-01-01")
    arguments = ("--institution", "sim-school-1", "--point", "main-meter", *span, "--grid", "year", "--json")
    store = ("--store", f"{influx_server.url}/gateway_command", "--db", "centre")
    answer = kgce("ledger", *arguments, *store, cwd=site.parent)
    assert answer.code == 0, answer.err
    assert answer.json[0]["amount"] is not None
