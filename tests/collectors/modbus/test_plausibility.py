"""Word-order slips are seen by the values they give; right orders are left alone."""

import json
import struct
from pathlib import Path

import pytest

from kgce.collectors.modbus.plausibility import guesses, implausible, is_plausible, word_order_slip
from kgce.collectors.profile import Profile, load_profile

IMAGES = {
    "Eastron SDM630": "eastron-sdm630", "Schneider iEM3155/iEM3255 (iEM3000 series)": "schneider-iem3000",
    "ABB B23/B24 (also B21, A43/A44 same block)": "abb-b23", "Carlo Gavazzi EM24-E1 (Ethernet)": "carlo-gavazzi-em24-e1",
    "Chint DTSU666": "chint-dtsu666", "Acrel ADL400/ADL3000(-E)/DTSD1352 (base block)": "acrel-adl400",
    "ABB Terra AC": "abb-terra-ac", "Vestel EVC04 / Webasto Unite": "vestel-evc04",
}  # fmt: skip


@pytest.fixture(scope="module")
def images(shared_facts: Path) -> dict[str, dict[int, int]]:
    """Published register images by profile."""
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    return {
        IMAGES[vector["device"]]: {int(address): int(word, 16) for address, word in vector["registers"].items()}
        for vector in vectors
        if vector["protocol"] == "device-image" and vector["device"] in IMAGES
    }


def turned(profile: Profile, word_order: str) -> Profile:
    device = profile.device.model_copy(update={"word_order": word_order})
    return profile.model_copy(update={"device": device})


@pytest.mark.parametrize("name", IMAGES.values())
def test_a_right_order_is_no_slip(name: str, images) -> None:
    assert word_order_slip(load_profile(name), images[name]) is None
    assert implausible(load_profile(name), images[name]) == []


@pytest.mark.parametrize("name", IMAGES.values())
def test_a_wrong_word_order_is_seen_and_the_right_one_named(name: str, images) -> None:
    """EVlink and iEM3000 have the same addresses and opposite orders (devices.md 1.5): exactly this slip."""
    profile = load_profile(name)
    wrong = turned(profile, "big" if profile.device.word_order == "little" else "little")
    slip = word_order_slip(wrong, images[name])
    assert slip is not None
    assert {"big": "ABCD", "little": "CDAB"}[profile.device.word_order] in slip.better
    assert slip.configured == {"big": "ABCD", "little": "CDAB"}[wrong.device.word_order]
    assert "impossible values for" in str(slip)


def test_swapped_bytes_are_seen_too() -> None:
    profile = load_profile("eastron-sdm120")
    wire = struct.pack("<H", 0x4366) + struct.pack("<H", 0x199A)  # 230.1 V, the bytes of each word turned
    registers = {0: int.from_bytes(wire[:2], "big"), 1: int.from_bytes(wire[2:], "big")}
    slip = word_order_slip(profile, registers)
    assert slip is not None
    assert slip.better == ("BADC",)


@pytest.mark.parametrize(
    ("hex_text", "kind", "field", "order"),
    [
        ("4366199a", "float32", "voltage_l1_n", "ABCD"),  # vector img-sdm630
        ("199a4366", "float32", "voltage_l1_n", "CDAB"),
        ("66439a19", "float32", "voltage_l1_n", "BADC"),
        ("9a196643", "float32", "voltage_l1_n", "DCBA"),
    ],
)
def test_one_value_tells_its_order_where_the_quantity_is_known(
    hex_text: str, kind: str, field: str, order: str
) -> None:
    found = guesses(bytes.fromhex(hex_text), kind, field)
    assert [guess.order for guess in found] == ["ABCD", "CDAB", "BADC", "DCBA"]
    assert [guess.order for guess in found if guess.is_plausible] == [order]


def test_one_register_has_two_orders_only() -> None:
    """Vector img-em24e1: frequency 01f4 x 0.1 is 50 Hz."""
    found = guesses(bytes.fromhex("01f4"), "uint16", "frequency", scale=0.1)
    assert [(guess.order, guess.value, guess.is_plausible) for guess in found] == [
        ("ABCD", 50.0, True),
        ("BADC", 6246.5, False),
    ]


def test_a_counter_that_fell_since_the_last_read_shows_the_slip() -> None:
    """26.1 and then 6554.0 kWh arrive low word first as 0105 0000 and 0004 0001; high word first that is 1710489.6 and
    then 26214.5: both possible for a meter, but not one after the other."""
    wrong = turned(load_profile("carlo-gavazzi-em300"), "big")
    earlier, now = {52: 0x0105, 53: 0x0000}, {52: 0x0004, 53: 0x0001}
    assert word_order_slip(wrong, now) is None
    slip = word_order_slip(wrong, now, earlier=earlier)
    assert slip is not None
    assert slip.nonsense == ("active_energy_import",)
    assert "CDAB" in slip.better


@pytest.mark.hazard(32)
def test_a_pattern_one_beside_not_available_is_no_voltage() -> None:
    """FFFE beside the marker FFFF: Acrel ADW300 sends volts x 0.1 as uint16, so that is 6553.4 V."""
    profile = load_profile("acrel-adw300")
    assert implausible(profile, {20: 0xFFFF}) == []
    assert implausible(profile, {20: 0xFFFE}) == [("voltage_l1_n", pytest.approx(6553.4))]


def test_nothing_is_claimed_from_zeros_or_from_what_is_not_available() -> None:
    profile = load_profile("eastron-sdm630")
    assert word_order_slip(profile, dict.fromkeys(range(36), 0)) is None
    assert word_order_slip(profile, dict.fromkeys(range(36), 0xFFFF)) is None


@pytest.mark.parametrize(
    ("field", "value", "possible"),
    [
        ("voltage_l1_n", 79.9, False), ("voltage_l1_n", 80.0, True), ("voltage_l1_n", 300.1, False),
        ("voltage_l1_l2", 400.0, True), ("frequency", 44.9, False), ("frequency", 65.0, True), ("power_factor_total", 1.01, False),
        ("active_energy_import", -1.0, False), ("active_power_total", 1e-20, False), ("active_power_total", 0.0, True),
        ("other_value_x", 1e30, True),
    ],
)  # fmt: skip
def test_the_ranges_are_those_of_real_devices(field: str, value: float, possible: bool) -> None:
    assert is_plausible(field, value) is possible


def test_a_scale_that_cannot_be_is_named() -> None:
    """DTSU666: one map says x 0.1, another 1 (devices.md 1.7); 230.1 V sent unscaled reads 23.01 V."""
    word = struct.unpack(">2H", struct.pack(">f", 230.1))
    found = implausible(load_profile("chint-dtsu666"), {8198: word[0], 8199: word[1]})
    assert found == [("voltage_l1_n", pytest.approx(23.01, rel=1e-6))]
