"""The notations of makers' lists: addresses, function codes, types, orders, scales, units."""

import pytest

from kgce.collectors.profile_import.devices import imported
from kgce.collectors.profile_import.notations import Notation, orders_of, scale_of, unit_of_text
from kgce.domain.errors import InputError
from tests.collectors.profile_import.test_import import rows


@pytest.mark.hazard(28)
@pytest.mark.parametrize(
    ("address", "notation", "table", "wire"),
    [
        ("3060", Notation.DOCUMENT, "holding", 3059), ("40001", Notation.CLASSIC, "holding", 0), ("30011", Notation.CLASSIC, "input", 10),
        ("400001", Notation.CLASSIC, "holding", 0), ("465536", Notation.CLASSIC, "holding", 65535), ("3059", Notation.WIRE, "holding", 3059),
        ("0x5B14", Notation.WIRE, "holding", 0x5B14), ("3059-3060", Notation.WIRE, "holding", 3059), ("100.0", Notation.WIRE, "holding", 100),
        ("40002/40003", Notation.CLASSIC, "holding", 1), ("1024 (0x0400)", Notation.WIRE, "holding", 1024), ("5B14h", Notation.WIRE, "holding", 0x5B14), ("40001", Notation.WIRE, "holding", 40001),
    ],
)  # fmt: skip
def test_addresses_are_wire_addresses_whatever_the_document_counts(
    address: str, notation: Notation, table: str, wire: int
) -> None:
    """Schneider's tables count from 1: 3060 is 3059 on the wire (devices.md 1.1)."""
    found = imported("Foo", rows(f"voltage_l1,3,{address},uint16,n/a,1,V,x,high"), notation)
    [place] = [entry.register_ for entry in found.profile.point]
    assert (place.table, place.address) == (table, wire)


@pytest.mark.parametrize(
    ("address", "notation"), [("0", Notation.DOCUMENT), ("70001", Notation.CLASSIC), ("40000", Notation.CLASSIC)]
)
def test_an_address_that_the_notation_does_not_have_is_refused(address: str, notation: Notation) -> None:
    with pytest.raises(InputError, match=r"address '\d+' is not"):
        imported("Foo", rows(f"voltage_l1,3,{address},uint16,n/a,1,V,x,high"), notation)


@pytest.mark.parametrize(
    ("stated", "ours", "length"),
    [
        ("FLOAT", "float32", None), ("real32", "float32", None), ("double", "float64", None), ("half", "float16", None),
        ("U16", "uint16", None), ("s32", "int32", None), ("INT32U", "uint32", None), ("dword", "uint32", None), ("long", "int32", None),
        ("unsigned long", "uint32", None), ("uint64", "uint64", None), ("enum16", "uint16", None), ("bcd48", "bcd", 6),
        ("bcd(6 bytes)", "bcd", 6), ("bcd 8 digits", "bcd", 4), ("string[20]", "ascii", 20), ("utf16be", "utf16be", 32), ("s8", "int8_low", None),
        ("byte", "uint8_low", None), ("int8_high", "int8_high", None), ("int48", "int48", None),
    ],
)  # fmt: skip
def test_types_are_known_by_their_usual_names(stated: str, ours: str, length: int | None) -> None:
    place = (
        imported("Foo", rows(f"other_value,3,0,{stated},big,1,,x,high", "voltage,3,99,uint16,n/a,1,V,x,high"))
        .profile.point[0]
        .register_
    )
    assert (place.type, place.length) == (ours, length)


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("big", ("big", "big")), ("n/a", ("big", "big")), ("", ("big", "big")), ("MSW first", ("big", "big")), ("hi-lo", ("big", "big")),
        ("little(LSW first)", ("little", "big")), ("little (manual says all numbers little-endian)", ("little", "big")),
        ("CDAB", ("little", "big")), ("3-4-1-2", ("little", "big")), ("swapped", ("little", "big")),
        ("BADC", ("big", "little")), ("DCBA", ("little", "little")), ("4-3-2-1", ("little", "little")),
        ("1-2-3-4 (configurable)", ("big", "big")), ("GHEFCDAB", ("little", "big")), ("BA", ("big", "little")), ("zigzag", None),
    ],
)  # fmt: skip
def test_orders_are_known_in_words_letters_and_digits(text: str, orders: tuple[str, str] | None) -> None:
    assert orders_of(text) == orders


@pytest.mark.parametrize(
    ("text", "factor"),
    [("", 1.0), ("0.1", 0.1), ("0,1", 0.1), ("x0.001", 0.001), ("1/1000", 0.001), ("/10", 0.1), ("10^-2", 0.01), ("1e-05", 1e-05), ("-1", -1.0),
     ("0.1 x PT x CT", 0.1), ("0.01*CT", 0.01), ("0.1 (V)", 0.1), ("ten", None), ("0", None), ("1/0", None)],
)  # fmt: skip
def test_scales_are_known_as_factors_and_divisors(text: str, factor: float | None) -> None:
    found = scale_of(text)
    assert found == (None if factor is None else pytest.approx(factor))


@pytest.mark.parametrize(
    ("text", "symbol", "factor"),
    [("°C", "°C", 1.0), ("℃", "degC", 1.0), ("KWH", "kWh", 1.0), ("0.1 kWh", "kWh", 0.1), ("10 Wh", "Wh", 10.0), ("A or 0.1 A", "A", 1.0),
     ("0.1 % (confirm)", "%", 0.1), ("l/min", "L/min", 1.0), ("x totaliser multiplier m3", "m3", 1.0), ("mW", "mW", 1.0), ("MW", "MW", 1.0)],
)  # fmt: skip
def test_units_are_known_in_their_usual_spellings(text: str, symbol: str, factor: float) -> None:
    found = unit_of_text(text)
    assert found is not None
    assert (found.symbol, found.factor) == (symbol, factor)


def test_a_unit_that_is_none_of_ours_is_not_guessed() -> None:
    assert unit_of_text("glorp") is None
