"""`kgce edge check` as a process: a wrong file told whole, a right one read point by point from real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.profile import profile_text
from kgce.simulators.cjt188.server import Cjt188Server
from kgce.simulators.devices.device import DeviceUnit
from kgce.simulators.dlt645.server import Dlt645Server
from kgce.simulators.mbus.bus import Bus
from kgce.simulators.mbus.models import HEAT
from kgce.simulators.mbus.server import MbusServer, meters_of
from kgce.simulators.modbus_server import ModbusServer
from tests.cli.kgce_command import Answer, kgce
from tests.simulators.world import OFFICE, WINTER_MS, frozen_site

pytestmark = pytest.mark.timeout(120)

GATEWAY = """
[gateway]
id = "g"
folder = "buffer"
[sink]
kind = "duckdb"
path = "store"
"""
LINK = """
[[{protocol}]]
host = "127.0.0.1"
port = {port}
devices = [{{ institution = "school-1", device = "{device}", {rest} }}]
"""
PLACES = {
    "modbus": ("main", 'profile = "eastron-sdm630"'),
    "dlt645": ("grid", 'address = "001234567890", points = ["active_energy_import", "voltage_l1_n"]'),
    "cjt188": ("water", 'address = "78331505104145", meter_type = "10"'),
    "mbus": ("heat", 'address = 5, medium = "heat"'),
}


class Planted:
    """A meter with fixed values."""

    def __init__(self, **values: float) -> None:
        self._values = values

    def values(self, _time_ms: int) -> dict[str, float]:
        return self._values


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """A meter of each protocol on a socket of its own, and a gateway file that reads them all."""

    def clock() -> float:
        return WINTER_MS / 1000

    grid = Planted(active_energy_import=123456.78, voltage_l1_n=231.4)
    heat = Planted(heat_energy=55_000.0, heat_power=12.5, supply_temperature=71.2, return_temperature=48.9)
    servers = {
        "modbus": ModbusServer({1: DeviceUnit(frozen_site().device(OFFICE, "main-meter"), clock)}),
        "dlt645": Dlt645Server({"001234567890": grid}, clock),
        "cjt188": Cjt188Server({"78331505104145": Planted(water_volume=5959.0)}, clock),
        "mbus": MbusServer(Bus(meters_of({5: heat}, HEAT, clock))),
    }
    text = GATEWAY
    for protocol, server in servers.items():
        await server.start()
        device, rest = PLACES[protocol]
        text += LINK.format(protocol=protocol, port=server.port, device=device, rest=rest)
    (tmp_path / "gateway.toml").write_text(text)
    yield servers
    for server in servers.values():
        await server.stop()


async def check(folder: Path, *options: str) -> Answer:
    return await asyncio.to_thread(kgce, "edge", "check", "gateway.toml", *options, cwd=folder)


async def test_connect_reads_every_point_of_every_protocol_once(lines, tmp_path: Path) -> None:
    answer = await check(tmp_path, "--connect", "--json")
    assert answer.code == 0, answer.err + answer.out
    found = {(row["device"], row["quantity"]): (row["value"], row["unit"]) for row in answer.json["readings"]}
    assert found["grid", "active_energy_import"] == (123456.78, "kWh")
    assert found["grid", "voltage_l1_n"] == (231.4, "V")
    assert found["water", "water_volume"] == (5959.0, "m3")
    assert found["heat", "heat_energy"] == (55_000.0, "kWh")
    assert found["heat", "supply_temperature"] == (71.2, "degC")
    assert 200 < found["main", "voltage_l1_n"][0] < 260
    assert {link["link"].split()[0] for link in answer.json["links"]} == {"modbus", "dlt645", "cjt188", "mbus"}


async def test_a_device_that_does_not_answer_is_named_and_the_others_are_read(lines, tmp_path: Path) -> None:
    await lines["mbus"].stop()
    answer = await check(tmp_path, "--connect", "--json")
    assert answer.code == 1
    errors = {row["device"]: row["error"] for row in answer.json["readings"] if row["error"]}
    assert set(errors) == {"heat"}
    assert "127.0.0.1" in errors["heat"]
    assert {row["device"] for row in answer.json["readings"]} == {"main", "grid", "water", "heat"}


async def test_a_word_order_that_makes_no_sense_is_told_with_the_likelier_one(lines, tmp_path: Path) -> None:
    """The same meter read with its words the wrong way round, as a profile for another make would."""
    text = profile_text("eastron-sdm630").replace('protocol = "modbus"', 'protocol = "modbus"\nword_order = "little"')
    (tmp_path / "other.toml").write_text(text)
    file = tmp_path / "gateway.toml"
    file.write_text(file.read_text().replace('profile = "eastron-sdm630"', 'profile = "other.toml"'))
    answer = await check(tmp_path, "--connect", "--json")
    assert answer.code == 1
    notes = {row["quantity"]: row["note"] for row in answer.json["readings"] if row["device"] == "main"}
    assert "word order ABCD?" in notes["voltage_l1_n"]
    assert "word order ABCD?" in notes["frequency"]


async def test_people_get_a_table(lines, tmp_path: Path) -> None:
    answer = await check(tmp_path, "--connect")
    assert "nothing wrong; 4 links, 4 devices" in answer.err
    assert "123,456.780" in answer.out
    offline = await check(tmp_path)
    assert offline.code == 0
    assert "123,456" not in offline.out


def test_files_named_in_a_gateway_file_start_where_it_lies(tmp_path: Path) -> None:
    """A gateway started by the system has another working folder."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "own.toml").write_text(profile_text("eastron-sdm630"))
    (site / "secret").write_text("s")
    (site / "gateway.toml").write_text(
        GATEWAY
        + '[[modbus]]\nhost = "127.0.0.1"\ndevices = [{ institution = "a", device = "m", profile = "own.toml" }]\n'
        + '[[ocpp]]\nfolder = "sessions"\n'
        + 'devices = [{ institution = "a", device = "c", charger = "CP1", password_file = "secret" }]\n'
    )
    answer = kgce("edge", "check", site / "gateway.toml", "--json", cwd=tmp_path)
    assert answer.code == 0, answer.out
    assert (site / "sessions").is_dir()


def test_everything_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(
        GATEWAY.replace('kind = "duckdb"', 'kind = "oracle"')
        + '[[modbus]]\nhost = "h"\ndevices = [{ institution = "a", device = "m", profile = "none", unit = 400 }]\n'
        + '[[mbus]]\nhost = "h"\nport = 99999\ndevices = [{ institution = "a", device = "x", medium = "beer" }]\n'
    )
    answer = kgce("edge", "check", "gateway.toml", "--json", cwd=tmp_path)
    assert answer.code == 2
    where = {problem["where"] for problem in answer.json["problems"]}
    assert {"sink", "modbus[0].devices[0].unit", "mbus[0].port"} <= where
    assert any(place.startswith("mbus[0].devices[0]") for place in where)
    table = kgce("edge", "check", "gateway.toml", cwd=tmp_path)
    assert table.code == 2
    assert "to change" in table.out


@pytest.mark.parametrize(
    ("text", "said"), [("[gateway", "not TOML"), (None, "cannot be read")], ids=["not TOML", "no file"]
)
def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "gateway.toml").write_text(text)
    answer = kgce("edge", "check", "gateway.toml", "--json", cwd=tmp_path)
    assert answer.code == 2
    assert said in answer.json["problems"][0]["what"]
