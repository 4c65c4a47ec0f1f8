"""Shipped profiles say what registers.csv says; wrong ones are refused with file and field."""

import csv
from pathlib import Path

import pytest

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.drivers import build_sources
from kgce.collectors.modbus.plan import halves, plan_reads
from kgce.collectors.profile import load_profile, parse_profile, profile_names
from kgce.domain.errors import ProfileError

DEVICES = {
    "eastron-sdm630": "Eastron SDM630",
    "siemens-lmv5": "Siemens LMV5 + AZL52 burner management",
    "abb-terra-ac": "ABB Terra AC",
}
# where the profile states a unit or scale the source leaves open, and says so by `unverified`
OPEN = {"actual_temperature", "fuel_throughput", "flue_gas_o2", "oil_volume"}


def test_the_three_profiles_are_shipped() -> None:
    assert set(profile_names()) == set(DEVICES)


@pytest.mark.parametrize("name", DEVICES)
def test_every_register_of_the_source_is_in_the_profile_as_the_source_has_it(name: str, shared_facts: Path) -> None:
    with (shared_facts / "registers.csv").open(encoding="utf-8") as file:
        rows = {int(row["address"]): row for row in csv.DictReader(file) if row["device"] == DEVICES[name]}
    profile = load_profile(name)
    assert sorted(rows) == sorted(point.register_.address for point in profile.point)
    for point in profile.point:
        row = rows[point.register_.address]
        assert row["name"].startswith(point.name), row["name"]
        assert point.register_.table == {"3": "holding", "4": "input"}[row["fc"]]
        assert point.register_.type == row["type"]
        assert point.confidence == row["confidence"]
        if point.name in OPEN:
            assert point.unverified
        else:
            assert point.scale == float(row["scale"])
            assert point.unit == row["unit"].replace("°C", "degC")
    assert all(source in profile.device.source for source in {row["source"] for row in rows.values()})


def test_reads_never_split_a_value_nor_exceed_the_profiles_cap() -> None:
    """Some SDM630 accept at most 50 registers per read (devices.md 1.1, openWB core PR#2890)."""
    for name in profile_names():
        profile = load_profile(name)
        reads = plan_reads(profile)
        planned = [point for read in reads for point in read.points]
        assert sorted(point.name for point in planned) == sorted(point.name for point in profile.point if point.poll)
        for read in reads:
            assert 0 < read.count <= profile.device.max_registers
            for point in read.points:
                assert read.address <= point.register_.address
                assert point.register_.address + point.register_.words <= read.address + read.count
    sdm = plan_reads(load_profile("eastron-sdm630"))
    assert [(read.address, read.count) for read in sdm] == [(0, 36), (52, 28), (234, 6), (342, 16)]


def test_halves_hold_the_same_points() -> None:
    read = plan_reads(load_profile("eastron-sdm630"))[0]
    assert [point for half in halves(read) for point in half.points] == list(read.points)
    single = halves(halves(halves(halves(halves(read)[0])[0])[0])[0])
    assert len(single) == 1
    assert len(single[0].points) == 1


GOOD = """
[device]
brand = "B"
model = "M"
measurement = "electricity"
protocol = "modbus"
confidence = "high"
source = "s"
[[point]]
name = "voltage_l1_n"
register = { table = "input", address = 0, type = "float32" }
unit = "V"
kind = "gauge"
confidence = "high"
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('unit = "V"', 'unit = "kWh"', "measures energy", id="unit of another quantity"),
        pytest.param('kind = "gauge"', 'kind = "counter"', "the quantity is a gauge", id="kind"),
        pytest.param("address = 0", "address = 70000", "point.0.register.address", id="address"),
        pytest.param('"float32"', '"float33"', "unknown register type 'float33'", id="type"),
        pytest.param('brand = "B"', 'brand = "B"\ncolour = "red"', "device.colour", id="unknown field"),
        pytest.param("voltage_l1_n", "juice", "unknown quantity 'juice'", id="quantity"),
        pytest.param("[device]", "[device", "profile x.toml", id="not TOML"),
        pytest.param('"input"', '"coils"', "point.0.register.table", id="table"),
        pytest.param('type = "float32"', 'type = "ascii"', "needs a length in bytes", id="text without length"),
        pytest.param('type = "float32"', 'type = "ascii", length = 4', "text is no reading", id="polled text"),
        pytest.param('"float32"', '"bool"', "table input does not hold values of type bool", id="bits elsewhere"),
        pytest.param('kind = "gauge"', 'kind = "gauge"\nmetering = true', "measures no carrier", id="metering"),
        pytest.param('kind = "gauge"', 'kind = "gauge"\ninvalid = ["ffff"]', "does not have the 4 bytes", id="marker"),
        pytest.param('kind = "gauge"', 'kind = "gauge"\ninvalid = ["zzzzzzzz"]', "not all hex", id="marker not hex"),
        pytest.param('kind = "gauge"', 'kind = "gauge"\nmask = 255', "unsigned type", id="mask on a float"),
        pytest.param('kind = "gauge"', 'kind = "gauge"\npoll = false', "no point to poll", id="nothing polled"),
        pytest.param("[[point]]", "max_registers = 1\n[[point]]", "longer than max_registers 1", id="too long"),
        pytest.param(
            'unit = "V"',
            'unit = "V"\nunit_from = { point = "state", units = { 0 = "mV" } }',
            "unit_from names 'state', which is not polled",
            id="unit from nowhere",
        ),
        pytest.param(
            'unit = "V"', 'unit = "V"\nunit_from = { point = "x", units = {} }', "say unverified", id="unknown codes"
        ),
    ],
)
def test_a_wrong_profile_is_refused_with_its_name_and_the_field(old: str, new: str, complaint: str) -> None:
    assert parse_profile(GOOD, "x.toml").point[0].name == "voltage_l1_n"
    with pytest.raises(ProfileError, match=complaint) as refusal:
        parse_profile(GOOD.replace(old, new, 1), "x.toml")
    assert "\n" not in str(refusal.value)
    assert "x.toml" in str(refusal.value)


def test_an_unknown_profile_names_the_shipped_ones() -> None:
    with pytest.raises(ProfileError, match="shipped: abb-terra-ac, eastron-sdm630, siemens-lmv5"):
        load_profile("eastron")


def device(name: str, **fields: object) -> dict:
    return {"institution": "o", "device": name, "profile": "eastron-sdm630", **fields}


def test_a_link_is_one_queue_and_a_name_is_one_device() -> None:
    link = {"host": "127.0.0.1", "port": 5020, "devices": [device("a")]}
    with pytest.raises(ValueError, match=r"two links to 127\.0\.0\.1:5020"):
        CollectorsConfig.model_validate({"modbus": [link, {**link, "devices": [device("b")]}]})
    with pytest.raises(ValueError, match="two devices are called 'a' at institution 'o'"):
        CollectorsConfig.model_validate({"modbus": [link, {**link, "port": 5021}]})


def test_sources_are_built_from_the_visible_table() -> None:
    link = {"host": "127.0.0.1", "port": 5020, "devices": [device("a", counts=False)]}
    [source] = build_sources(CollectorsConfig.model_validate({"modbus": [link]}))
    assert source.name == "modbus 127.0.0.1:5020"
    assert [(point.id, point.carrier, point.counts) for point in source.points()] == [("a", "electricity", False)]
