"""Registers as text: what a person types is decoded, or refused in one line."""

import pytest

from kgce.collectors.decode_text import decode_registers, decode_with_profile, registers_from
from kgce.collectors.profile import load_profile
from kgce.domain.batch import Quality
from kgce.domain.errors import InputError, ProfileError


@pytest.mark.parametrize("text", ["4366199a", "43 66 19 9a", "0x4366, 0x199A", "43:66:19:9a", "4366_199A"])
def test_every_usual_way_to_write_registers_is_understood(text: str) -> None:
    """Vector img-sdm630: 4366 199a is 230.10000610351562 V."""
    assert decode_registers(text, "float32", unit="V") == 230.10000610351562


def test_order_and_scale_are_applied() -> None:
    """Vector dec-tg-04: d8ffffff as uint32 DCBA x 0.001 is 4294967.256."""
    assert decode_registers("d8ffffff", "uint32", "DCBA", 0.001) == pytest.approx(4294967.256, rel=1e-12)


def test_text_takes_as_many_registers_as_there_are() -> None:
    assert decode_registers("4142 3132 0000", "ascii") == "AB12"


def test_not_available_is_none() -> None:
    assert decode_registers("ffffffff", "uint32") is None


@pytest.mark.parametrize(
    ("text", "kind", "unit", "complaint"),
    [
        ("43661", "float32", "V", "is not hex"),
        ("volt", "float32", "V", "is not hex"),
        ("", "float32", "V", "0 bytes"),
        ("436619", "float32", "V", "3 bytes are not whole registers"),
        ("4366", "float32", "V", "float32 takes 4 bytes, got 2"),
        ("4366199a", "float33", "V", "unknown register type 'float33'"),
        ("4366199a", "float32", "Volt", "unknown unit 'Volt'"),
    ],
)
def test_what_cannot_be_decoded_is_refused_in_one_line(text: str, kind: str, unit: str, complaint: str) -> None:
    with pytest.raises((InputError, ProfileError), match=complaint) as refusal:
        decode_registers(text, kind, unit=unit)
    assert "\n" not in str(refusal.value)


def test_a_profile_names_what_it_finds_in_canonical_units() -> None:
    """Vector img-sdm630: active_power_l1 is 1150 W at registers 12 and 13."""
    found = decode_with_profile(load_profile("eastron-sdm630"), registers_from("448fc000", 12))
    assert [(one.name, one.value, one.unit, one.quality) for one in found] == [
        ("active_power_l1", pytest.approx(1.15, rel=1e-12), "kW", Quality.GOOD)
    ]


def test_half_a_value_is_no_value() -> None:
    with pytest.raises(InputError, match="no point of Eastron SDM630 lies in these registers"):
        decode_with_profile(load_profile("eastron-sdm630"), registers_from("448f", 12))


def test_registers_of_another_table_are_not_taken() -> None:
    with pytest.raises(InputError, match="no point of Eastron SDM630"):
        decode_with_profile(load_profile("eastron-sdm630"), registers_from("448fc000", 12), "holding")


def test_a_register_beyond_16_bits_is_refused() -> None:
    with pytest.raises(InputError, match="register 0 holds 65536"):
        decode_with_profile(load_profile("eastron-sdm630"), {0: 65_536, 1: 0})
