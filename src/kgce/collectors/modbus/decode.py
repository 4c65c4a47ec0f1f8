"""Registers to numbers: order first, then sentinels, then scale. Our own, proven by other people's vectors."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import ProfileError

Value = float | int | str | None
WORD_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class RegisterType:
    """How bytes in value order become a raw value; markers are raw byte patterns that mean "not available"."""

    name: str
    length: int  # bytes; 0 = as many as given
    unpack: Callable[[bytes], Value]
    markers: tuple[str, ...] = ()


def _struct(code: str) -> Callable[[bytes], Value]:
    packed = struct.Struct(f">{code}")

    def unpack(raw: bytes) -> Value:
        value: float | int = packed.unpack(raw)[0]
        return value

    return unpack


def _signed_low_byte(raw: bytes) -> Value:
    return int.from_bytes(raw[-1:], "big", signed=True)


def _text(raw: bytes) -> Value:
    return raw.split(b"\0", 1)[0].decode("latin-1").rstrip()


def _bcd(raw: bytes) -> Value:
    """None where a digit is no digit."""
    digits = raw.hex()
    return int(digits) if digits.isdecimal() else None


def _bcd48(raw: bytes) -> Value:
    """Twelve digits, four of them decimals: the totals of gas correctors (devices.md 1.3)."""
    whole = _bcd(raw)
    return None if whole is None else int(whole) / 10_000


# Patterns for "not available" are the field's habits (devices.md hazard 30, vectors dec-nan-*); a profile may differ.
TYPES: Final[dict[str, RegisterType]] = {
    entry.name: entry
    for entry in (
        RegisterType("bool", 2, _struct("H")),  # a coil or discrete input, handed on as a register of 0 or 1
        RegisterType("int16", 2, _struct("h"), ("8000", "7fff")),
        RegisterType("uint16", 2, _struct("H"), ("ffff",)),
        RegisterType("int32", 4, _struct("i"), ("80000000", "7fffffff")),
        RegisterType("uint32", 4, _struct("I"), ("ffffffff",)),
        RegisterType("int64", 8, _struct("q"), ("8000000000000000", "7fffffffffffffff")),
        RegisterType("uint64", 8, _struct("Q"), ("ffffffffffffffff",)),
        RegisterType("float16", 2, _struct("e")),
        RegisterType("float32", 4, _struct("f")),
        RegisterType("float64", 8, _struct("d")),
        RegisterType("acc32", 4, _struct("I"), ("00000000", "ffffffff")),  # an accumulator at 0 is not supported
        RegisterType("enum_temp_s16", 2, _struct("h"), ("8000",)),
        RegisterType("int8_low", 2, _signed_low_byte, ("8000", "ffc0")),
        RegisterType("bcd16", 2, _bcd, ("ffff",)),
        RegisterType("bcd32", 4, _bcd, ("ffffffff",)),
        RegisterType("bcd48", 6, _bcd48, ("ffffffffffff",)),
        RegisterType("ascii", 0, _text),
    )
}


def register_type(name: str) -> RegisterType:
    """The type behind a name.

    Raises:
        ProfileError: no such type.
    """
    found = TYPES.get(name)
    if found is None:
        raise ProfileError(f"unknown register type {name!r}; known: {', '.join(TYPES)}")
    return found


_SWAPS: Final = {"little": 0, "swapped": 1, "little swapped": 1}  # which byte of a word comes first in the value


def byte_positions(order: str, length: int) -> tuple[int, ...]:
    """Which wire byte stands at each place of the value, for an order of the field's notations.

    The value's bytes are A (most significant), B, C, ...; an order such as CDAB says how they arrive. Worked on the
    32-bit value 0x11223344: ABCD arrives as 11 22 33 44, CDAB as 33 44 11 22, BADC as 22 11 44 33, DCBA as 44 33 22 11.
    "big" is all in order, "little" is the low word first; "swapped" is BADC and "little swapped" DCBA at any length.

    Raises:
        ProfileError: the letters do not fit the length.
    """
    if order == "big" or length <= 1 or (order == "AB" and length % WORD_BYTES == 0):
        return tuple(range(length))
    if order in _SWAPS:
        words = range(0, length, WORD_BYTES) if order == "swapped" else range(length - WORD_BYTES, -1, -WORD_BYTES)
        first = _SWAPS[order]
        return tuple(place for word in words for place in (word + first, word + 1 - first))
    letters = [chr(ord("A") + place) for place in range(length)]
    if order == "ABCD" and length % WORD_BYTES == 0 and length != len(order):
        return tuple(range(length))  # how the sources call plain order of longer values
    if sorted(order) != letters:
        raise ProfileError(f"byte order {order!r} does not fit a value of {length} bytes")
    return tuple(order.index(letter) for letter in letters)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes one point: built once per profile, used at every poll."""

    type: RegisterType
    positions: tuple[int, ...]
    markers: frozenset[bytes]
    scale: float = 1.0
    offset: float = 0.0
    mask: int | None = None
    shift: int = 0

    def __call__(self, wire: bytes) -> Value:
        """Value in the source's unit; None where the device says "not available" or the bytes are no number."""
        raw = bytes([wire[place] for place in self.positions]) if self.positions else wire
        if raw in self.markers:
            return None
        value = self.type.unpack(raw)
        if value is None or isinstance(value, str):
            return value
        if self.mask is not None:
            value = (int(value) & self.mask) >> self.shift
        if not math.isfinite(value):
            return None
        return value if self.scale == 1.0 and self.offset == 0.0 else value * self.scale + self.offset


def decoder(
    type_name: str,
    order: str,
    *,
    scale: float = 1.0,
    offset: float = 0.0,
    invalid: tuple[str, ...] | None = None,
    mask: int | None = None,
    shift: int = 0,
    length: int | None = None,
) -> Decoder:
    """Build a decoder; `invalid` are hex patterns in value order, None = the habits of the type; length is a text's.

    Raises:
        ProfileError: unknown type, an order, a marker or a mask that does not fit.
    """
    found = register_type(type_name)
    if mask is not None and not type_name.startswith("uint"):
        raise ProfileError(f"a mask cuts bits out of an unsigned type, not out of {type_name}")
    markers = found.markers if invalid is None else invalid
    for marker in markers:
        if found.length and len(marker) != 2 * found.length:
            raise ProfileError(f"invalid marker {marker!r} does not have the {found.length} bytes of {type_name}")
    positions = byte_positions(order, found.length or length or 0)
    return Decoder(found, positions, _patterns(markers), scale, offset, mask, shift)


def _patterns(markers: tuple[str, ...]) -> frozenset[bytes]:
    try:
        return frozenset(bytes.fromhex(marker) for marker in markers)
    except ValueError:
        raise ProfileError(f"invalid markers {', '.join(markers)} are not all hex digits") from None
