"""Numbers and identifiers: digits low first, the sign in the top bit, never a guess."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.dlt645.bcd import number
from kgce.collectors.dlt645.identifiers import (
    Block,
    Edition,
    Identifier,
    blocks,
    identifier_of,
    meaning_of,
    names,
    split,
)
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion
from kgce.simulators.dlt645.codec import bcd


@given(st.integers(-79_999_999, 79_999_999), st.integers(0, 4))
def test_a_signed_number_is_read_back_from_an_independent_encoder(digits: int, decimals: int) -> None:
    value = digits / 10**decimals
    assert number(bcd(value, 4, decimals, signed=True), decimals, is_signed=True) == value


@given(st.integers(0, 99_999_999), st.integers(0, 4))
def test_an_unsigned_number_is_read_back_from_an_independent_encoder(digits: int, decimals: int) -> None:
    value = digits / 10**decimals
    assert number(bcd(value, 4, decimals), decimals) == value


@pytest.mark.hazard(30, 31)
@pytest.mark.parametrize("raw", ["ffff", "0e00", "000a", "ff00", "00f0"])
def test_what_is_no_digit_is_not_available_and_never_zero(raw: str) -> None:
    assert math.isnan(number(bytes.fromhex(raw), 1))


@pytest.mark.hazard(30)
def test_all_ones_are_not_available_in_a_signed_value_too() -> None:
    assert math.isnan(number(b"\xff\xff\xff", 3, is_signed=True))


@pytest.mark.hazard(36)
def test_the_top_bit_is_the_sign_of_power_and_a_digit_of_energy() -> None:
    assert number(bytes.fromhex("563412")[:2] + b"\x92", 4, is_signed=True) == -12.3456
    assert number(bytes.fromhex("00000080"), 2) == 800000.0


@given(st.binary(min_size=1, max_size=8), st.booleans())
def test_any_bytes_give_a_number_or_none(raw: bytes, is_signed: bool) -> None:
    value = number(raw, 2, is_signed=is_signed)
    assert math.isnan(value) or abs(value) < 10 ** (2 * len(raw))


def test_every_identifier_is_a_known_quantity_in_a_convertible_unit() -> None:
    for name in names():
        for edition in Edition:
            one = identifier_of(edition, name)
            if one is not None:
                conversion(one.unit, quantity_of(name).unit)
                assert one.confidence in {"high", "medium", "unverified"}
                assert len(one.di) == 2 * edition.di_bytes


@pytest.mark.parametrize(
    ("edition", "di", "name"),
    [
        pytest.param("2007", "00010000", "active_energy_import", id="facts 3.1"),
        pytest.param("2007", "00010400", "active_energy_import_tariff_4", id="facts 3.1: tariff n is 00010n00"),
        pytest.param("2007", "00013F00", "active_energy_import_tariff_63", id="the highest tariff"),
        pytest.param("1997", "9012", "active_energy_import_tariff_2", id="dd645: 9012 is 00010200"),
        pytest.param("1997", "B611", "voltage_l1_n", id="facts 3.1, 1997"),
    ],
)
def test_an_identifier_has_its_published_meaning(edition: str, di: str, name: str) -> None:
    found = meaning_of(Edition(edition), di)
    assert isinstance(found, Identifier)
    assert found.name == name
    assert identifier_of(Edition(edition), name) is found


def test_a_1997_meter_counts_volts_whole() -> None:
    ((voltage, raw),) = split(Edition.Y1997, "B611", bytes.fromhex("3002"))
    assert voltage.canonical(raw) == 230.0


@pytest.mark.hazard(8)
@pytest.mark.parametrize(
    ("di", "size"),
    [
        ("00010000", 3),
        ("00010000", 5),
        ("0201FF00", 4),
        ("0201FF00", 5),
        ("0201FF00", 8),
        ("0001FF00", 0),
        ("12345678", 4),
    ],
)
def test_an_answer_of_another_length_gives_no_value(di: str, size: int) -> None:
    with pytest.raises(InputError):
        split(Edition.Y2007, di, bytes(size))


def test_a_tariff_block_is_as_long_as_the_meter_has_tariffs() -> None:
    payload = b"".join(bcd(value, 4, 2) for value in (10.0, 1.0, 2.0, 3.0, 4.0))
    values = {one.name: one.canonical(raw) for one, raw in split(Edition.Y2007, "0001FF00", payload)}
    assert values == {"active_energy_import": 10.0} | {
        f"active_energy_import_tariff_{tariff}": float(tariff) for tariff in (1, 2, 3, 4)
    }


def test_every_block_consists_of_values_of_one_length() -> None:
    for edition in Edition:
        for block in blocks(edition):
            assert isinstance(block, Block)
            assert len({one.size for one in block.members}) == 1
