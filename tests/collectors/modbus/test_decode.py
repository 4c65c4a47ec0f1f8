"""Register decoding against vectors other people published, and against struct's own encoder."""

import csv
import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.modbus.decode import TYPES, byte_positions, decoder
from kgce.domain.errors import ProfileError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "facts"


def vectors(protocol: str) -> list:
    """Published vectors as parameters; none where shared/ is absent (a test below says so loudly)."""
    path = SHARED / "protocol_vectors.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in found if vector["protocol"] == protocol]


def test_the_published_vectors_are_there(shared_facts: Path) -> None:
    assert len(vectors("register-decode")) == 67
    assert len(vectors("device-image")) == 9


def same(found, expected: dict) -> bool:
    value = expected["value"]
    if value is None or isinstance(value, str):
        return found == value
    return found is not None and math.isclose(found, value, rel_tol=expected.get("tolerance_rel", 1e-12))


@pytest.mark.parametrize("vector", vectors("register-decode"))
def test_a_published_register_decodes_to_its_published_value(vector: dict) -> None:
    decode = decoder(vector["type"], vector["byte_order"], scale=vector.get("scale", 1.0))
    assert same(decode(bytes.fromhex(vector["hex"])), vector["expect"])


@pytest.mark.parametrize("vector", vectors("device-image"))
def test_a_devices_register_image_decodes_to_its_published_readings(vector: dict) -> None:
    """Points from registers.csv, values from the vector; KEBA-like tables with one value per request included."""
    with (SHARED / "registers.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["device"] == vector["device"]]
    for reading in vector["expect"]["readings"]:
        row = next((row for row in rows if _wire(row) == reading["address"]), None)
        row = row or next(row for row in rows if _wire(row) is not None and _wire(row) + 1000 == reading["address"])
        order = "little" if row["word_order"].startswith("little") else "big"
        decode = decoder(row["type"], order, scale=_scale(row["scale"]))
        words = TYPES[row["type"]].length // 2
        wire = bytes.fromhex("".join(vector["registers"][str(reading["address"] + word)] for word in range(words)))
        expected = {"tolerance_rel": vector["expect"]["tolerance_rel"], **reading}
        assert same(decode(wire), expected), (row["name"], decode(wire), reading)


def _wire(row: dict) -> int | None:
    return int(row["address"]) if row["address"].isdigit() else None


def _scale(text: str) -> float:
    return float(text.split(maxsplit=1)[0].split("*", maxsplit=1)[0])


NUMBERS = {
    "int16": ("h", st.integers(-(2**15) + 1, 2**15 - 2)),
    "uint16": ("H", st.integers(0, 2**16 - 2)),
    "int32": ("i", st.integers(-(2**31) + 1, 2**31 - 2)),
    "uint32": ("I", st.integers(0, 2**32 - 2)),
    "int64": ("q", st.integers(-(2**63) + 1, 2**63 - 2)),
    "uint64": ("Q", st.integers(0, 2**64 - 2)),
    "float16": ("e", st.floats(width=16, allow_nan=False, allow_infinity=False)),
    "float32": ("f", st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "float64": ("d", st.floats(allow_nan=False, allow_infinity=False)),
}
ORDERS = {2: ["AB", "BA"], 4: ["ABCD", "CDAB", "BADC", "DCBA"], 8: ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"]}


def on_the_wire(value_order: bytes, order: str) -> bytes:
    """How bytes in value order arrive, by swapping words and bytes outright."""
    words = [value_order[place : place + 2] for place in range(0, len(value_order), 2)]
    if order in {"CDAB", "GHEFCDAB", "DCBA", "HGFEDCBA"}:
        words.reverse()
    if order in {"BA", "BADC", "DCBA", "BADCFEHG", "HGFEDCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


@pytest.mark.parametrize("name", NUMBERS)
@given(data=st.data())
def test_decoding_undoes_structs_own_encoding_in_every_order(name: str, data: st.DataObject) -> None:
    code, values = NUMBERS[name]
    value = data.draw(values)
    encoded = struct.pack(f">{code}", value)
    order = data.draw(st.sampled_from(ORDERS[len(encoded)]))
    assert decoder(name, order)(on_the_wire(encoded, order)) == value


def test_sentinels_are_compared_after_the_order_and_before_the_scale() -> None:
    """devices.md: the overflow marker 0x7FFFFFFF arrives word-swapped from an EM340."""
    assert decoder("int32", "little", scale=0.1)(bytes.fromhex("ffff7fff")) is None
    assert decoder("int32", "little", scale=0.1)(bytes.fromhex("7fffffff")) == pytest.approx(-3276.9)


def test_a_profile_may_say_that_a_pattern_is_a_value() -> None:
    assert decoder("uint16", "AB", invalid=())(b"\xff\xff") == 65535
    assert decoder("uint16", "AB", invalid=("fffe",))(b"\xff\xfe") is None


def test_a_mask_and_a_shift_cut_bits_out() -> None:
    """ABB Terra AC: charging state is byte 2 & 0x7F (registers.csv)."""
    assert decoder("uint32", "big", mask=0x7F00, shift=8)(bytes.fromhex("00008200")) == 2


def test_digits_that_are_none_are_no_number() -> None:
    assert decoder("bcd32", "big")(bytes.fromhex("0000123a")) is None
    assert decoder("bcd32", "big")(bytes.fromhex("00001234")) == 1234


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: decoder("int24", "AB"), "unknown register type 'int24'"),
        (lambda: decoder("int32", "ABCE"), "'ABCE' does not fit a value of 4 bytes"),
        (lambda: decoder("int32", "BA"), "'BA' does not fit"),
        (lambda: decoder("int32", "big", invalid=("ffff",)), "does not have the 4 bytes"),
    ],
)
def test_what_cannot_fit_is_refused_when_the_decoder_is_built(build, complaint: str) -> None:
    with pytest.raises(ProfileError, match=complaint):
        build()


def test_the_orders_are_those_of_the_docstring() -> None:
    value = bytes.fromhex("11223344")
    arrivals = {"ABCD": "11223344", "CDAB": "33441122", "BADC": "22114433", "DCBA": "44332211", "little": "33441122"}
    for order, arrival in arrivals.items():
        wire = bytes.fromhex(arrival)
        assert bytes(wire[place] for place in byte_positions(order, 4)) == value
