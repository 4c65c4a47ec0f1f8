"""Every register map against the published table it comes from, the published images, and an independent client."""

import csv
import json
import math
import re
import struct

import pytest
from pymodbus.client import AsyncModbusTcpClient

from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import convert
from kgce.simulators.devices.device import DeviceUnit
from kgce.simulators.devices.map_file import load_map, map_names, parse_map
from kgce.simulators.modbus_server import ModbusServer
from kgce.simulators.site_devices import build_device
from tests.simulators.world import WINTER_MS, one_building_site

HEATED = "heated_area_m2 = 900\n"
IMAGES = {
    "img-iem3255": "iem3155",
    "img-abb-b23": "b23",
    "img-em24e1": "em24_e1",
    "img-dtsu666": "dtsu666",
    "img-acrel-adl": "adl400",
    "img-charx": "charx",
    "img-vestel": "unite",
}
# struct formats written out here once more: what the standard and IEEE 754 say, not what the encoder believes
FORMATS = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "uint64": "Q", "int64": "q", "float32": "f"}


def published(shared_facts, device):
    with (shared_facts / "registers.csv").open(encoding="utf-8", newline="") as file:
        return {(int(row["fc"]), int(row["address"])): row for row in csv.DictReader(file) if row["device"] == device}


@pytest.mark.parametrize("name", map_names())
def test_every_row_of_a_map_is_a_published_row(shared_facts, name):
    """Function, address, type and word order; scale and unit where the table has a plain one."""
    device_map = load_map(name)
    table = published(shared_facts, device_map.device)
    assert len(device_map.rows) >= 0.8 * len(table), "a map is more than a sample"

    for row in device_map.rows:
        stated = table[row.function, row.address]
        assert re.sub(r"\d+$", "", row.type) == re.sub(r"\d+$", "", stated["type"])
        assert (row.order == "little") == stated["word_order"].startswith("little")
        if row.unit == stated["unit"]:
            assert row.scale == float(stated["scale"]), row
        else:  # a unit register, a totaliser's multiplier, percent
            assert stated["unit"] in {"see unit reg", "x totaliser multiplier m3", "%"}, row


@pytest.mark.parametrize(("vector", "name"), IMAGES.items())
def test_published_readings_encode_to_the_published_registers(shared_facts, vector, name):
    """Device images of protocol_vectors.json, in the direction device -> wire; null is `not measured`."""
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    image = next(entry for entry in vectors if entry["id"] == vector)
    ratios = {"pt": 1.0, "ct": 1.0} if name == "adl400" else {}
    registers = {(one.function, one.address): one for one in load_map(name).registers(ratios).registers}

    for reading in image["expect"]["readings"]:
        register = registers[reading["fc"], reading["address"]]
        unit = quantity_of(register.name).unit
        value = math.nan if reading["value"] is None else convert(reading["value"], reading["unit"], unit)
        stored = [int(image["registers"][str(register.address + part)], 16) for part in range(register.length)]
        assert list(register.words(value)) == stored, reading["name"]


@pytest.mark.parametrize("name", map_names())
async def test_pymodbus_reads_the_planted_truth_from_every_map(name):
    """Each value on its own, decoded with struct from the published row."""
    site = one_building_site(f'{HEATED}[[building.device]]\nid = "d"\nmodel = "{name}"\nshare = 0.05\n')
    [config] = site.config.buildings[0].devices
    device, device_map = build_device(site.buildings[0], config), load_map(name)
    truth = device.values(WINTER_MS)
    async with ModbusServer({7: DeviceUnit(device, lambda: WINTER_MS / 1000)}) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port)
        assert await client.connect()
        for row in device_map.rows:
            read = client.read_holding_registers if row.function == 3 else client.read_input_registers
            count = 1 if device_map.habits.enron else registers_of(row)
            answer = await read(row.address, count=count, device_id=7)
            assert not answer.isError(), (row, answer)
            shown = decoded(row, answer.registers)
            if isinstance(shown, str):
                assert shown == device_map.constants[row.name]
                continue
            canonical = quantity_of(row.name.removesuffix("_whole").removesuffix("_fraction")).unit if row.unit else ""
            ratio = math.prod(device_map.ratios[one] for one in row.ratios)
            expected = convert(truth[row.name], canonical, row.unit) if row.unit else truth[row.name]
            step = row.scale * ratio
            assert shown * step == pytest.approx(expected, rel=1e-6, abs=0.51 * step), row
        client.close()


def registers_of(row):
    if row.type.startswith("ascii"):
        return int(row.type.removeprefix("ascii"))
    return 3 if row.type == "bcd48" else struct.calcsize(">" + FORMATS[row.type]) // 2


def decoded(row, words):
    words = words[::-1] if row.order == "little" and not row.type.startswith("ascii") else words
    raw = struct.pack(f">{len(words)}H", *words)
    if row.type.startswith("ascii"):
        return raw.rstrip(b"\0").decode()
    return int(raw.hex()) if row.type == "bcd48" else struct.unpack(">" + FORMATS[row.type], raw)[0]


@pytest.mark.hazard(26)
async def test_a_keba_refuses_more_than_one_value():
    device = build_device(*place("keba_p30"))
    async with ModbusServer({255: DeviceUnit(device, lambda: WINTER_MS / 1000)}) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port)
        await client.connect()
        both = await client.read_holding_registers(1008, count=4, device_id=255)
        half = await client.read_holding_registers(1008, count=1, device_id=255)
        one = await client.read_holding_registers(1008, count=2, device_id=255)
        client.close()

    assert both.exception_code == half.exception_code == 3
    assert len(one.registers) == 2


async def test_an_enron_register_is_four_bytes():
    """devices.md 1.3: count 1 returns 4 bytes."""
    device = build_device(*place("macbat5"))
    async with ModbusServer({1: DeviceUnit(device, lambda: WINTER_MS / 1000)}) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port)
        await client.connect()
        answer = await client.read_holding_registers(7003, count=2, device_id=1)
        client.close()

    [absolute_kpa, gauge_kpa] = struct.unpack(">2f", struct.pack(">4H", *answer.registers))
    assert absolute_kpa == pytest.approx(200.0)
    assert gauge_kpa == pytest.approx(98.7)


def test_transformer_ratios_divide_what_the_meter_shows():
    """Acrel: secondary-side values; the same truth with a CT of 40 is a fortieth in the register."""
    building, config = place("adl400")
    values = build_device(building, config).values(WINTER_MS)
    [plain] = load_map("adl400").registers({"pt": 1.0, "ct": 1.0}).read(100, 1, values)
    [small] = load_map("adl400").registers({"pt": 1.0, "ct": 40.0}).read(100, 1, values)

    assert plain == pytest.approx(values["current_l1"] * 100, abs=0.5)
    assert small == pytest.approx(plain / 40, abs=0.51)


def place(name):
    site = one_building_site(f'{HEATED}[[building.device]]\nid = "d"\nmodel = "{name}"\nshare = 0.05\n')
    return site.buildings[0], site.config.buildings[0].devices[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("device = 3", "kind"),
        ('device = "d"\nkind = "k"\nprofile = "p"\nrows = [["frequency", 3, 0, "int7", "big", 1, "Hz"]]', "INT7"),
        ('device = "d"\nkind = "k"\nprofile = "p"\nrows = [["frequency", 3, 0]]', "unpack"),
        (
            'device = "d"\nkind = "k"\nprofile = "p"\nrows = [["frequency", 3, 0, "int16", "big", 1, "Hz"], ["voltage", 3, 0, "int16", "big", 1, "V"]]',
            "two owners",
        ),
    ],
)
def test_a_wrong_map_is_refused_with_its_reason(text, reason):
    with pytest.raises(ConfigError, match=reason):
        parse_map(text, "my.toml")


def test_unknown_models_and_ratios_are_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="sdm120"):
        load_map("nothing")
    with pytest.raises(ConfigError, match="no ratio 'vt'"):
        load_map("adl400").registers({"vt": 2.0})
