"""Values that other registers complete are right when those say something known, and missing otherwise."""

import math

import numpy as np
import pytest

from kgce.collectors.modbus.block import block_of
from kgce.collectors.modbus.derived import apply_derived
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.plan import plan_reads
from kgce.collectors.place import Place
from kgce.collectors.profile import Profile, load_profile, parse_profile
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import ProfileError

HEAD = (
    '[device]\nbrand = "B"\nmodel = "M"\nmeasurement = "m"\nprotocol = "modbus"\nconfidence = "high"\nsource = "test"\n'
)
HEAT = """
[[point]]
name = "heat_energy"
register = {{ table = "holding", address = 0, type = "uint32" }}
unit = "Wh"
{rule}
kind = "counter"
confidence = "high"

[[point]]
name = "state_code"
register = {{ table = "holding", address = 2, type = "int16" }}
kind = "state"
confidence = "high"
"""


def heat(rule: str) -> Profile:
    return parse_profile(HEAD + HEAT.format(rule=rule), "made")


def polled(profile: Profile, registers: dict[int, int]) -> dict[str, float]:
    """One poll through plan, block and layout: NaN where the reading is BAD."""
    blocks = [block_of(profile, read) for read in plan_reads(profile)]
    raw = [
        value
        for block in blocks
        for value in block.raw([registers.get(block.read.address + at, 0) for at in range(block.read.words)])
    ]
    batch: Batch = Layout.of(Place(institution="o", device="d"), "m", blocks).batch(raw, 0)
    assert np.array_equal(batch.quality == Quality.BAD, np.isnan(batch.value))
    return {
        batch.series[place].quantity: value
        for place, value in zip(batch.index.tolist(), batch.value.tolist(), strict=True)
    }


@pytest.mark.parametrize(
    ("exponent", "expected_kwh"),
    [(3, 1234.0), (0, 1.234), (6, 1_234_000.0), (-32768, math.nan), (31, math.nan)],
)
def test_an_exponent_read_from_another_register_scales_the_value(exponent: int, expected_kwh: float) -> None:
    """ADFweb M-Bus gateway (devices.md 1.3): energy = value x 10^(x - 3) Wh; 1234 kWh is 1234000 Wh at x = 3."""
    profile = heat('exponent_from = { point = "state_code", minus = 3 }')
    value = 1_234_000
    found = polled(profile, {0: value >> 16, 1: value & 0xFFFF, 2: exponent & 0xFFFF})
    assert found["heat_energy"] == pytest.approx(expected_kwh, nan_ok=True)


@pytest.mark.parametrize(("code", "expected_kwh"), [(0, 5.0), (1, 5000.0), (2, math.nan)])
def test_a_unit_code_decides_the_unit_and_an_unlisted_one_leaves_no_value(code: int, expected_kwh: float) -> None:
    profile = heat('unit_from = { point = "state_code", units = { 0 = "Wh", 1 = "kWh" } }')
    found = polled(profile, {0: 0, 1: 5000, 2: code})
    assert found["heat_energy"] == pytest.approx(expected_kwh, nan_ok=True)


@pytest.mark.parametrize(("ratio", "expected_kwh"), [(40, 200.0), (0x7FFF, math.nan)])
def test_a_ratio_read_from_a_register_multiplies_the_value(ratio: int, expected_kwh: float) -> None:
    """7FFF in a signed register is "not available"; a value times an unknown ratio is unknown."""
    found = polled(heat('multiplied_by = ["state_code"]'), {0: 0, 1: 5000, 2: ratio})
    assert found["heat_energy"] == pytest.approx(expected_kwh, nan_ok=True)


@pytest.mark.parametrize(("code", "is_there"), [(7, True), (1, False), (0x8000, False)])
def test_a_value_under_a_condition_is_there_only_while_it_holds(code: int, is_there: bool) -> None:
    found = polled(heat('valid_if = { point = "state_code", one_of = [7] }'), {0: 0, 1: 5000, 2: code})
    assert math.isnan(found["heat_energy"]) is not is_there


def test_a_condition_that_was_not_read_does_not_hold() -> None:
    profile = heat('valid_if = { point = "state_code", none_of = [3] }')
    assert math.isnan(apply_derived([profile.point[0]], np.array([5.0]))[0])


def test_a_sum_of_registers_is_one_reading() -> None:
    """TUF-2000M: 1234 as int32 and 0.75 as float32, low word first; x 0.1 as configured. Its parts are not reported."""
    profile = load_profile("tuf-2000m", {"totaliser_multiplier": 0.1})
    registers = {8: 1234, 9: 0, 10: 0x0000, 11: 0x3F40}
    found = polled(profile, registers)
    assert found["water_volume"] == pytest.approx(123.475, rel=1e-12)
    assert "water_volume_fraction" not in found


def test_half_a_sum_is_no_reading() -> None:
    profile = load_profile("tuf-2000m")
    found = polled(profile, {8: 1234, 9: 0, 10: 0, 11: 0x7FC0})  # the fraction is NaN
    assert math.isnan(found["water_volume"])


def test_transformer_ratios_of_the_gateways_file_scale_secondary_values() -> None:
    """Acrel ADL400 with 10 kV / 100 V and 200 A / 5 A: power x 4000, voltage x 100, current x 40, frequency as it is."""
    registers = {97: 1000, 100: 250, 119: 5000, 363: 1000}
    plain = polled(load_profile("acrel-adl400"), registers)
    scaled = polled(load_profile("acrel-adl400", {"pt": 100, "ct": 40}), registers)
    names = ("voltage_l1_n", "current_l1", "active_power_total", "frequency")
    assert [plain[name] for name in names] == pytest.approx([100.0, 2.5, 1.0, 50.0])
    assert [scaled[name] for name in names] == pytest.approx([10_000.0, 100.0, 4000.0, 50.0])


def test_an_unconfigured_ratio_is_said_to_be_assumed() -> None:
    assumed = ["ratio ct is not configured, 1 is assumed", "ratio pt is not configured, 1 is assumed"]
    assert [one for one in load_profile("acrel-adl400").remarks() if "ratio" in one] == assumed
    assert [one for one in load_profile("acrel-adl400", {"pt": 1}).remarks() if "ratio" in one] == assumed[:1]


@pytest.mark.parametrize(
    ("ratios", "complaint"),
    [
        ({"vt": 1}, "has no ratio 'vt'; it has: ct, pt"),
        ({"ct": 0}, "ratio ct is 0"),
        ({"ct": math.inf}, "ratio ct is inf"),
    ],
)
def test_a_wrong_ratio_is_refused(ratios: dict[str, float], complaint: str) -> None:
    with pytest.raises(ProfileError, match=complaint):
        load_profile("acrel-adl400", ratios)


@pytest.mark.hazard(36)
def test_a_device_that_counts_export_as_positive_is_turned_by_a_negative_scale() -> None:
    """P1 dongle: 16 holds export as a positive number; total power is import positive."""
    found = polled(load_profile("smart-stuff-p1"), {14: 0, 15: 0, 16: 0, 17: 1500})
    assert found["active_power_total"] == pytest.approx(-1.5)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ('plus = "heat_energy"', "depends on itself"),
        ('plus = "nothing"', "depends on 'nothing', which is neither polled nor a ratio"),
        ('valid_if = { point = "state_code" }', "say one_of or none_of"),
        ("scale = 0.0", "scale 0 leaves nothing"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_when_the_profile_is_read(rule: str, complaint: str) -> None:
    with pytest.raises(ProfileError, match=complaint):
        heat(rule)
