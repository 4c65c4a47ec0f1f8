"""A block's one struct call and the point-by-point decoder give the same values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.modbus.block import Block, block_of
from kgce.collectors.modbus.derived import apply_derived
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.plan import plan_reads
from kgce.collectors.place import Place
from kgce.collectors.profile import Profile, load_profile, parse_profile
from kgce.domain.batch import FloatArray, Quality
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

POINT = """
[[point]]
name = "{name}"
register = {{ table = "holding", address = {address}, type = "{type}" }}
scale = {scale}
unit = "W"
kind = "gauge"
confidence = "high"
"""
DEVICE = """
[device]
brand = "B"
model = "M"
measurement = "electricity"
protocol = "modbus"
confidence = "high"
source = "this test"
"""
TYPES = [("int16", 1), ("uint16", 1), ("int32", 2), ("uint32", 2), ("int64", 4), ("uint64", 4), ("float16", 1),
         ("float32", 2), ("float64", 4), ("acc32", 2), ("int8_low", 1)]  # fmt: skip


def made(names: list[tuple[str, int]]) -> Profile:
    text, address = DEVICE, 0
    for place, (kind, words) in enumerate(names):
        text += POINT.format(name=f"active_power_{place}", address=address, type=kind, scale=0.1)
        address += words + place % 2  # every other one leaves a register unread
    return parse_profile(text, "made")


def by_point(block: Block, profile: Profile, registers: list[int]) -> FloatArray:
    """Each point through its own decoder, then to the canonical unit."""
    wire = b"".join(register.to_bytes(2, "big") for register in registers)
    values = []
    for point in block.read.points:
        start = 2 * (point.register_.address - block.read.address)
        raw = profile.decoder(point)(wire[start : start + 2 * point.register_.words])
        scale, offset = conversion(point.unit, quantity_of(point.name).unit)
        values.append(math.nan if raw is None else float(raw) * scale + offset)
    return np.array(values)


@given(st.data())
def test_the_fast_way_is_the_slow_way(data: st.DataObject) -> None:
    """Sentinels, NaN and infinities included: registers are anything, often all ones or the edges of the types."""
    profile = made(data.draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=8)))
    [block] = [block_of(profile, read) for read in plan_reads(profile)]
    word = st.sampled_from([0, 0x7FFF, 0x8000, 0xFFFF, 0x7F80, 0xFF80, 0x7FC0]) | st.integers(0, 0xFFFF)
    registers = data.draw(st.lists(word, min_size=block.read.count, max_size=block.read.count))
    batch = Layout.of(Place(institution="o", device="d"), "electricity", [block]).batch(block.raw(registers), 0)
    np.testing.assert_allclose(batch.value, by_point(block, profile, registers), rtol=1e-12)
    assert np.array_equal(batch.quality == Quality.BAD, np.isnan(batch.value))


def test_the_meter_takes_the_fast_way() -> None:
    profile = load_profile("eastron-sdm630")
    assert all(block_of(profile, read).fast is not None for read in plan_reads(profile))


def test_another_number_of_registers_is_no_answer() -> None:
    profile = load_profile("eastron-sdm630")
    block = block_of(profile, plan_reads(profile)[0])
    with pytest.raises(ValueError, match="asked for 36 registers, got 35"):
        block.raw([0] * 35)


@pytest.mark.parametrize("code", [math.nan, 7.0, 0.5])
def test_without_a_known_unit_there_is_no_value(code: float) -> None:
    """The code was not read, is not listed, or is none at all."""
    profile = load_profile("siemens-lmv5")
    points = [point for point in profile.point if point.name in {"actual_temperature", "temperature_unit"}]
    rule = points[0].unit_from
    assert rule is not None
    assert apply_derived(points, np.array([80.0, code])).tolist()[0] == 80.0, "no codes listed: degC is assumed"
    listed = points[0].model_copy(update={"unit_from": replace_units(rule)})
    found = apply_derived([listed, points[1]], np.array([80.0, code]))
    assert math.isnan(found[0])


def replace_units(rule):
    return rule.model_copy(update={"units": {0: "degC", 1: "degF"}})


def test_a_refused_unit_register_leaves_no_value() -> None:
    point = next(point for point in load_profile("siemens-lmv5").point if point.name == "actual_temperature")
    listed = point.model_copy(update={"unit_from": replace_units(point.unit_from)})
    assert math.isnan(apply_derived([listed], np.array([80.0]))[0])
