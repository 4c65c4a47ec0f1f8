"""Shipped profiles say what registers.csv says; wrong ones are refused with file and field."""

import csv
import json
import re
from pathlib import Path

import pytest

from kgce.collectors.profile import Profile, load_profile, parse_profile, profile_names
from kgce.collectors.profile_image import readings_of_image
from kgce.collectors.profile_point import ProfilePoint
from kgce.domain.errors import ProfileError

ROWS: dict[str, str] = {
    "Eastron SDM120": "eastron-sdm120",
    "Eastron SDM630": "eastron-sdm630",
    "Eastron SDM72D-M-2": "eastron-sdm72d",
    "Schneider iEM3155/iEM3255 (iEM3000 series)": "schneider-iem3000",
    "Schneider PM5xxx/PM8000": "schneider-pm5000",
    "ABB B23/B24 (also B21, A43/A44 same block)": "abb-b23",
    "Carlo Gavazzi EM24-DIN (RS485, AV/PFA)": "carlo-gavazzi-em24-din",
    "Carlo Gavazzi EM24-E1 (Ethernet)": "carlo-gavazzi-em24-e1",
    "Carlo Gavazzi EM330/EM340/ET340": "carlo-gavazzi-em300",
    "Janitza UMG 604/104": "janitza-umg604",
    "Siemens PAC2200 (FC3 and FC4 both answer)": "siemens-pac2200",
    "Acrel ADL400/ADL3000(-E)/DTSD1352 (base block)": "acrel-adl400",
    "Acrel ADL400 (primary-side float block 0x0800)": "acrel-adl400-primary",
    "Acrel ADW300": "acrel-adw300",
    "Chint DTSU666": "chint-dtsu666",
    "Kamstrup MULTICAL 403/603/803 (HC-003-67/-82, datagram 300)": "kamstrup-multical-403",
    "Kamstrup MULTICAL 602/801 legacy module": "kamstrup-multical-602",
    "Diehl Sharky 775": "diehl-sharky-775",
    "Sontex Supercal 531": "sontex-supercal-531",
    "TUF-2000M ultrasonic flow/heat (Modbus)": "tuf-2000m",
    "Seametrics iMAG 4700": "seametrics-imag-4700",
    "Lorric FU-LT clamp-on": "lorric-fu-lt",
    "MAG-11 (2flow) electromagnetic": "2flow-mag-11",
    "Smart-stuff P1-to-Modbus dongle (DSMR electricity+gas+water)": "smart-stuff-p1",
    "Fuxin FX gas flow meter with corrector": "fuxin-fx",
    "Plum MacBAT 5 (Enron Modbus: ONE 4-byte value per register number)": "plum-macbat-5",
    "SUTO S430/S450 thermal gas flow": "suto-s430",
    "Honeywell SOLA R7910 / CB Falcon boiler controller": "honeywell-sola",
    "Triangle Tube Prestige condensing boiler": "triangle-tube-prestige",
    "Lochinvar FTXL": "lochinvar-ftxl",
    "Patterson-Kelley Nuro controller": "patterson-kelley-nuro",
    "Siemens LMV5 + AZL52 burner management": "siemens-lmv5",
    "Bosch/Buderus Logamatic 5000 / Control 8000 (fw>=1.3)": "bosch-control-8000",
    "Danfoss ECL 120/220": "danfoss-ecl-120",
    "ABB Terra AC": "abb-terra-ac",
    "KEBA KeContact P30/P40 (unit 255; ONE value per request)": "keba-p30",
    "Phoenix Contact CHARX SEC (address = connector*1000 + offset; offsets for connector 1)": "phoenix-charx",
    "Schneider EVlink Pro AC (G3, unit 255)": "schneider-evlink-pro-ac",
    "Vestel EVC04 / Webasto Unite": "vestel-evc04",
    "Webasto/Ampure Next (unit 255)": "webasto-next",
    "Phoenix EM-CP-PP-ETH / Wallbe Eco": "phoenix-em-cp-pp-eth",
    "Heidelberg Energy Control": "heidelberg-energy-control",
}
# Points beside the rows, with the reason.
BESIDE = {
    "smart-stuff-p1": {"active_energy_import", "active_energy_export", "active_power_total", "active_power_outwards"},
    "triangle-tube-prestige": {"state_flame"},  # bit 4 of the row status_flags
}  # the P1 dongle's totals are sums of its rows: both tariffs, import less export
SAME_UNIT = {"°C": "degC"}  # two spellings of one unit


@pytest.fixture(scope="module")
def rows(shared_facts: Path) -> dict[str, list[dict[str, str]]]:
    """Rows of registers.csv by shipped profile."""
    found: dict[str, list[dict[str, str]]] = {name: [] for name in profile_names()}
    with (shared_facts / "registers.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[ROWS[row["device"]]].append(row)
    return found


def test_every_device_of_the_register_list_has_a_profile_and_every_profile_a_device(rows) -> None:
    assert set(rows) == set(ROWS.values())
    assert all(rows.values())
    assert sum(len(entry) for entry in rows.values()) == 643  # devices.md: 643 rows, 42 maps


@pytest.mark.parametrize("name", ROWS.values())
def test_every_row_of_the_register_list_is_in_the_profile_as_the_list_has_it(name: str, rows) -> None:
    """Both ways: no row lost, no point of our own without a stated reason."""
    profile = load_profile(name)
    points = [point for point in profile.point if point.name not in BESIDE.get(name, set())]
    by_place = {(point.register_.table, point.register_.address): point for point in points}
    places = [({"3": "holding", "4": "input"}[row["fc"]], int(row["address"])) for row in rows[name]]
    assert sorted(by_place) == sorted(places)
    for place, row in zip(places, rows[name], strict=True):
        assert differences(profile, by_place[place], row) == [], row["name"]


def differences(profile: Profile, point: ProfilePoint, row: dict[str, str]) -> list[str]:
    document = point.document_name or point.name
    scale = point.document_scale or point.scale
    unit = point.unit if point.document_unit is None else point.document_unit
    order = "little" if row["word_order"].startswith("little") else "big"
    source = point.source or profile.device.source
    pairs = {
        "name": (document, row["name"]),
        "type": (
            "bcd48" if (point.register_.type, point.register_.length) == ("bcd", 6) else point.register_.type,
            row["type"],
        ),
        "scale": (scale, float(row["scale"])),
        "unit": (SAME_UNIT.get(unit, unit), SAME_UNIT.get(row["unit"], row["unit"])),
        "confidence": (point.confidence, row["confidence"]),
        "order": (point.word_order or profile.device.word_order, order),
        "source": (row["source"] in source, True),
        "low is unverified": (row["confidence"] != "low" or point.unverified, True),
    }
    is_short = point.register_.words == 1 or point.register_.is_text
    return [f"{what}: {ours!r}, list {theirs!r}" for what, (ours, theirs) in pairs.items()
            if ours != theirs and not (what == "order" and is_short)]  # fmt: skip


def test_what_is_written_to_a_device_is_not_polled(rows) -> None:
    for name, entries in rows.items():
        written = {(row["fc"], row["address"]) for row in entries if re.search(r"\((R?W\b|write)", row["name"])}
        for point in load_profile(name).point:
            code = {"holding": "3", "input": "4"}[point.register_.table]
            assert not (point.poll and (code, str(point.register_.address)) in written), point.name


@pytest.mark.parametrize("image", ["shipped", "imported"])
def test_the_published_register_images_read_as_published(image: str, shared_facts: Path) -> None:
    """Vectors of kind device-image, through the shipped profiles and through ones imported from registers.csv."""
    from kgce.collectors.profile_import.table import import_profiles

    imported = {one.device: one.profile for one in import_profiles(shared_facts / "registers.csv")}
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    images = [vector for vector in vectors if vector["protocol"] == "device-image"]
    assert len(images) == 9
    for vector in images:
        profile = load_profile(ROWS[vector["device"]]) if image == "shipped" else imported[vector["device"]]
        registers = {int(address): int(word, 16) for address, word in vector["registers"].items()}
        found = {(one.name, one.fc, one.address): one for one in readings_of_image(profile, registers)}
        assert set(found) == {(one["name"], one["fc"], one["address"]) for one in vector["expect"]["readings"]}
        for one in vector["expect"]["readings"]:
            reading = found[one["name"], one["fc"], one["address"]]
            expected = one["value"] if one["value"] is None else pytest.approx(one["value"], rel=1e-6)
            assert (reading.value, reading.unit) == (expected, one["unit"]), (vector["id"], one["name"])


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
    with pytest.raises(ProfileError, match="unknown profile 'eastron'; shipped: 2flow-mag-11, abb-b23, abb-terra-ac"):
        load_profile("eastron")
