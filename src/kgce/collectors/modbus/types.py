"""Register types: bytes in value order to a raw value, with the patterns that mean "not available"."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import ProfileError

Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class RegisterType:
    """How bytes in value order become a raw value; markers are raw byte patterns that mean "not available"."""

    name: str
    length: int  # bytes; 0 = as many as the point states
    unpack: Callable[[bytes], Value]
    markers: tuple[str, ...] = ()
    is_text: bool = False
    scale: float = 1.0  # where the type itself implies decimals and nobody states a scale


def _struct(code: str) -> Callable[[bytes], Value]:
    packed = struct.Struct(f">{code}")

    def unpack(raw: bytes) -> Value:
        value: float | int = packed.unpack(raw)[0]
        return value

    return unpack


def _byte(place: int, *, signed: bool) -> Callable[[bytes], Value]:
    """One byte of a register: place 1 is the low one."""
    return lambda raw: int.from_bytes(raw[place : place + 1], "big", signed=signed)


def _whole(*, signed: bool) -> Callable[[bytes], Value]:
    return lambda raw: int.from_bytes(raw, "big", signed=signed)


def _ascii(raw: bytes) -> Value:
    return raw.split(b"\0", 1)[0].decode("latin-1").rstrip()


def _utf16(raw: bytes) -> Value:
    return raw.decode("utf-16-be", errors="replace").split("\0", 1)[0].rstrip()


def _bcd(raw: bytes) -> Value:
    """None where a digit is no digit."""
    digits = raw.hex()
    return int(digits) if digits.isdecimal() else None


# Patterns for "not available" are the field's habits (devices.md hazard 30, vectors dec-nan-*); a profile may differ.
TYPES: Final[dict[str, RegisterType]] = {
    entry.name: entry
    for entry in (
        RegisterType("bool", 2, _struct("H")),  # a coil or discrete input, handed on as a register of 0 or 1
        RegisterType("int16", 2, _struct("h"), ("8000", "7fff")),
        RegisterType("uint16", 2, _struct("H"), ("ffff",)),
        RegisterType("int32", 4, _struct("i"), ("80000000", "7fffffff")),
        RegisterType("uint32", 4, _struct("I"), ("ffffffff",)),
        RegisterType("int48", 6, _whole(signed=True), ("800000000000", "7fffffffffff")),
        RegisterType("uint48", 6, _whole(signed=False), ("ffffffffffff",)),
        RegisterType("int64", 8, _struct("q"), ("8000000000000000", "7fffffffffffffff")),
        RegisterType("uint64", 8, _struct("Q"), ("ffffffffffffffff",)),
        RegisterType("float16", 2, _struct("e")),
        RegisterType("float32", 4, _struct("f")),
        RegisterType("float64", 8, _struct("d")),
        RegisterType("acc32", 4, _struct("I"), ("00000000", "ffffffff")),  # an accumulator at 0 is not supported
        RegisterType("acc64", 8, _struct("Q"), ("0" * 16, "f" * 16)),
        RegisterType("enum_temp_s16", 2, _struct("h"), ("8000",)),
        RegisterType("int8_low", 2, _byte(1, signed=True), ("8000", "ffc0")),
        RegisterType("uint8_low", 2, _byte(1, signed=False), ("8000", "ffff")),
        RegisterType("int8_high", 2, _byte(0, signed=True), ("ffff",)),
        RegisterType("uint8_high", 2, _byte(0, signed=False), ("ffff",)),
        RegisterType("bcd16", 2, _bcd, ("ffff",)),
        RegisterType("bcd32", 4, _bcd, ("ffffffff",)),
        RegisterType("bcd48", 6, _bcd, ("ffffffffffff",), scale=1e-4),  # totals of gas correctors (devices.md 1.3)
        RegisterType("bcd64", 8, _bcd, ("f" * 16,)),
        RegisterType("bcd", 0, _bcd),  # as many digits as its length says; the scale is stated
        RegisterType("ascii", 0, _ascii, is_text=True),
        RegisterType("utf16be", 0, _utf16, is_text=True),
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
