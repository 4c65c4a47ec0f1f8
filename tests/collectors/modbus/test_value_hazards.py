"""Field hazards of values (devices.md 4.4): not available is missing, in whatever order it arrives, never a number."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from kgce.collectors.modbus.block import block_of
from kgce.collectors.modbus.decode import TYPES, decoder
from kgce.collectors.modbus.layout import Layout
from kgce.collectors.modbus.plan import plan_reads
from kgce.collectors.place import Place
from kgce.collectors.profile import load_profile, profile_names
from kgce.domain.batch import Quality

DATATYPES = {
    "int16": "INT16", "uint16": "UINT16", "int32": "INT32", "uint32": "UINT32", "int64": "INT64", "uint64": "UINT64",
    "float32": "FLOAT32", "float64": "FLOAT64",
}  # fmt: skip
SPECIAL = ("int8_low", "uint8_low", "int8_high", "uint8_high")


def numbers(kind: str) -> st.SearchStrategy:
    if kind.startswith("float"):
        return st.floats(width=int(kind[5:]), allow_nan=False, allow_infinity=False)
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 2) if kind.startswith("u") else (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 2)
    return st.integers(low, high)  # the ends are markers


def as_wire(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


@pytest.mark.parametrize("kind", DATATYPES)
@given(data=st.data())
def test_decoding_undoes_pymodbus_own_encoding_in_both_word_orders(kind: str, data: st.DataObject) -> None:
    value = data.draw(numbers(kind))
    order = data.draw(st.sampled_from(["big", "little"]))
    words = ModbusClientMixin.convert_to_registers(value, ModbusClientMixin.DATATYPE[DATATYPES[kind]], word_order=order)
    assert decoder(kind, order)(as_wire(words)) == value


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30))
def test_decoding_undoes_pymodbus_own_text(text: str) -> None:
    words = ModbusClientMixin.convert_to_registers(text, ModbusClientMixin.DATATYPE.STRING)
    assert decoder("ascii", "big", length=2 * len(words))(as_wire(words)) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20))
def test_decoding_undoes_pythons_own_utf_16(text: str) -> None:
    wire = text.encode("utf-16-be")
    assert decoder("utf16be", "big", length=len(wire) + 4)(wire + bytes(4)) == text


@given(st.integers(1, 8), st.data())
def test_digits_of_any_length_are_the_number_they_spell(words: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 10 ** (4 * words) - 1))
    wire = bytes.fromhex(f"{number:0{4 * words}d}")
    assert decoder("bcd", "big", length=2 * words)(wire) == number


@pytest.mark.parametrize(("kind", "bits", "code"), [("int48", 48, "q"), ("uint48", 48, "Q")])
@given(data=st.data())
def test_three_registers_are_one_number(kind: str, bits: int, code: str, data: st.DataObject) -> None:
    value = data.draw(numbers(kind))
    assert decoder(kind, "big")(struct.pack(f">{code}", value)[2:]) == value


@pytest.mark.parametrize(("kind", "code", "place"), [("int8_low", "b", 1), ("uint8_low", "B", 1), ("int8_high", "b", 0), ("uint8_high", "B", 0)])  # fmt: skip
@given(data=st.data())
def test_a_byte_of_a_register_is_a_number_of_its_own(kind: str, code: str, place: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-128, 127) if code == "b" else st.integers(0, 255))
    other = data.draw(st.integers(1, 0x7E))
    byte = struct.pack(f">{code}", value)
    assert decoder(kind, "big")(bytes([other]) + byte if place else byte + bytes([other])) == value


@pytest.mark.hazard(29)
@given(st.integers(0, 15), st.integers(0, 0xFFFE))
def test_a_bit_is_numbered_from_the_lowest_one(bit: int, register: int) -> None:
    """Triangle Tube: flame is bit 4 of the flags (devices.md 1.4)."""
    assert decoder("uint16", "big", mask=1 << bit, shift=bit)(register.to_bytes(2, "big")) == bool(register & 2**bit)


@pytest.mark.hazard(30)
@pytest.mark.parametrize("order", ["big", "little", "swapped", "little swapped"])
@pytest.mark.parametrize("kind", [name for name, entry in TYPES.items() if entry.markers and entry.length])
def test_not_available_is_none_in_every_order_and_before_scaling(kind: str, order: str) -> None:
    decode = decoder(kind, order, scale=0.1, offset=-50)
    for marker in TYPES[kind].markers:
        value = bytes.fromhex(marker)
        wire = bytearray(len(value))
        for at, place in enumerate(decode.positions):
            wire[place] = value[at]
        assert decode(bytes(wire)) is None


@pytest.mark.hazard(30)
@pytest.mark.parametrize(("kind", "size", "code"), [("float16", 2, "e"), ("float32", 4, "f"), ("float64", 8, "d")])
@given(data=st.data())
def test_every_nan_and_infinity_is_none(kind: str, size: int, code: str, data: st.DataObject) -> None:
    """NaN has many payloads, such as 7FBFFF80 (devices.md hazard 30): struct says which patterns are none."""
    wire = data.draw(st.binary(min_size=size, max_size=size))
    value = struct.unpack(f">{code}", wire)[0]
    found = decoder(kind, "big")(wire)
    assert found == (value if math.isfinite(value) else None)


@pytest.mark.hazard(30)
def test_several_markers_of_a_point_are_compared_in_value_order() -> None:
    """EM340: the overflow marker 7FFFFFFF arrives as FFFF 7FFF; beside it a marker of the point's own."""
    decode = decoder("int32", "little", scale=0.1, invalid=("7fffffff", "80000000", "0000ffff"))
    assert decode(bytes.fromhex("ffff7fff")) is None
    assert decode(bytes.fromhex("ffff0000")) is None
    assert decode(bytes.fromhex("00000001")) == pytest.approx(6553.6)


@pytest.mark.hazard(30, 31)
@pytest.mark.parametrize("name", profile_names())
def test_a_device_that_sends_not_available_everywhere_gives_bad_readings_and_no_numbers(name: str) -> None:
    """All ones is NaN as a float, no digit as BCD, and the marker of unsigned types; signed ones need 7FFF.. or 8000.."""
    profile = load_profile(name)
    blocks = [block_of(profile, read) for read in plan_reads(profile)]
    raw: list[float] = []
    for block in blocks:
        words = [0xFFFF] * block.read.words
        for point in block.read.points:
            marker = TYPES[point.register_.type].markers if point.invalid is None else point.invalid
            signed = [one for one in marker if not one.startswith("f")]
            if signed and point.mask is None:
                value = bytes.fromhex(signed[0])
                positions = profile.decoder(point).positions
                wire = bytearray(len(value))
                for at, place in enumerate(positions):
                    wire[place] = value[at]
                first = block.read.first_word(point)
                words[first : first + point.register_.words] = [
                    int.from_bytes(wire[at : at + 2], "big") for at in range(0, len(wire), 2)
                ]
        raw += block.raw(words)
    batch = Layout.of(Place(institution="o", device="d"), "m", blocks).batch(raw, 0)
    flags = {place for place, series in enumerate(batch.series) if series.quantity == "state_flame"}  # one bit of a set
    for place, (value, quality) in enumerate(zip(batch.value.tolist(), batch.quality.tolist(), strict=True)):
        if place not in flags:
            assert (math.isnan(value), quality) == (True, Quality.BAD), batch.series[place].quantity


@pytest.mark.hazard(31)
def test_a_sentinel_after_a_good_value_is_neither_zero_nor_the_last_value() -> None:
    profile = load_profile("eastron-sdm630")
    block = block_of(profile, plan_reads(profile)[0])
    layout = Layout.of(Place(institution="o", device="d"), "m", [block])
    good = layout.batch(block.raw([0x4366, 0x199A] * 18), 1)
    bad = layout.batch(block.raw([0x7FC0, 0x0000] * 18), 2)
    assert good.value[0] == pytest.approx(230.1, rel=1e-6)
    assert np.isnan(bad.value).all()
    assert (bad.quality == Quality.BAD).all()


@pytest.mark.hazard(36)
def test_a_negative_scale_turns_the_sign_and_nothing_else() -> None:
    assert decoder("int16", "big", scale=-0.1)(b"\x00\x64") == pytest.approx(-10.0)
    assert decoder("int16", "big", scale=-0.1)(b"\xff\x9c") == pytest.approx(10.0)
    assert decoder("int16", "big", scale=-0.1)(b"\x80\x00") is None


@given(
    st.sampled_from([name for name in TYPES if TYPES[name].length]),
    st.sampled_from(["big", "CDAB", "BADC", "DCBA", "3-4-1-2"]),
    st.binary(max_size=16),
)
def test_any_bytes_of_the_right_length_are_a_number_or_none(kind: str, order: str, noise: bytes) -> None:
    size = TYPES[kind].length
    found = decoder(kind, order)(noise.ljust(size, b"\0")[:size])
    assert found is None or (isinstance(found, int | float) and math.isfinite(found))


@pytest.mark.parametrize(
    ("digits", "letters"),
    [
        ("1-2-3-4", "ABCD"),
        ("3-4-1-2", "CDAB"),
        ("2-1-4-3", "BADC"),
        ("4-3-2-1", "DCBA"),
        ("3412", "CDAB"),
        ("2 1", "BA"),
    ],
)
def test_orders_in_digits_are_those_in_letters(digits: str, letters: str) -> None:
    wire = bytes(range(len(letters)))
    kind = {4: "uint32", 2: "uint16"}[len(letters)]
    assert decoder(kind, digits)(wire) == decoder(kind, letters)(wire)


@pytest.mark.parametrize(
    ("four", "eight"), [("CDAB", "GHEFCDAB"), ("BADC", "BADCFEHG"), ("DCBA", "HGFEDCBA"), ("ABCD", "ABCDEFGH")]
)
def test_a_four_letter_order_means_the_same_habit_for_longer_values(four: str, eight: str) -> None:
    """Vector dec-pm-04-lsw: 81157de910f41122 with the low word first is 1234567890123456789."""
    wire = bytes.fromhex("81157de910f41122")
    assert decoder("uint64", four)(wire) == decoder("uint64", eight)(wire)
    assert decoder("uint64", "CDAB")(wire) == 1234567890123456789


@pytest.mark.parametrize("name", profile_names())
@settings(max_examples=20)
@given(data=st.data())
def test_any_registers_give_finite_readings_or_bad_ones(name: str, data: st.DataObject) -> None:
    profile = load_profile(name)
    blocks = [block_of(profile, read) for read in plan_reads(profile)]
    noise = data.draw(st.binary(min_size=2, max_size=64))
    raw: list[float] = []
    for block in blocks:
        wire = (noise * (2 * block.read.words // len(noise) + 1))[: 2 * block.read.words]
        raw += block.raw(struct.unpack(f">{block.read.words}H", wire))
    batch = Layout.of(Place(institution="o", device="d"), "m", blocks).batch(raw, 0)
    assert np.array_equal(np.isfinite(batch.value), batch.quality == Quality.GOOD)
