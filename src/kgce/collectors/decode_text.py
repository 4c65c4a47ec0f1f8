"""Raw registers as text or numbers in, values out: what `kgce decode` shows, without any device."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from kgce.collectors.modbus.block import NOT_AVAILABLE
from kgce.collectors.modbus.decode import Value, decoder
from kgce.collectors.modbus.derived import apply_derived
from kgce.collectors.modbus.plan import is_wide
from kgce.collectors.profile import Profile
from kgce.collectors.profile_point import ProfilePoint
from kgce.domain.batch import Quality
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion, unit_of

_REGISTER: Final = range(0x1_0000)


class Decoded(NamedTuple):
    """One point; the value is None where the quality is BAD."""

    name: str
    value: Value
    unit: str
    quality: Quality


def wire_bytes(hex_text: str) -> bytes:
    """Bytes of registers written in hex, as on the wire; spaces, commas, colons and 0x are ignored.

    Raises:
        InputError: not hex, or not whole registers.
    """
    plain = hex_text.lower().replace("0x", " ").translate(str.maketrans(",:;_", "    "))
    try:
        wire = bytes.fromhex(plain)
    except ValueError:
        raise InputError(f"{hex_text!r} is not hex; write bytes as on the wire, such as 4366199a") from None
    if not wire or len(wire) % 2:
        raise InputError(f"{len(wire)} bytes are not whole registers of 2 bytes")
    return wire


def registers_from(hex_text: str, address: int) -> dict[int, int]:
    """Registers by wire address, the first one at `address`.

    Raises:
        InputError: not hex, or not whole registers.
    """
    wire = wire_bytes(hex_text)
    return {address + at // 2: int.from_bytes(wire[at : at + 2], "big") for at in range(0, len(wire), 2)}


def decode_registers(
    hex_text: str, type_name: str, byte_order: str = "big", scale: float = 1.0, unit: str = ""
) -> Value:
    """Value in `unit` = raw x scale; None where the pattern means "not available".

    Raises:
        InputError: the bytes do not fit the type, or the unit is unknown.
        ProfileError: unknown type, or an order that does not fit it.
    """
    unit_of(unit)
    wire = wire_bytes(hex_text)
    decode = decoder(type_name, byte_order, scale=scale, length=len(wire))
    if decode.type.length not in {0, len(wire)}:
        raise InputError(f"{type_name} takes {decode.type.length} bytes, got {len(wire)}")
    return decode(wire)


def decode_with_profile(profile: Profile, registers: Mapping[int, int], table: str | None = None) -> list[Decoded]:
    """Every point of the profile whose registers are all there, in the canonical unit of its quantity.

    Enron devices give two words for one register number; number them word by word from the first address.

    Raises:
        InputError: a register is no number of 16 bits, or no point of the profile is covered.
    """
    check_registers(registers)
    covered = [
        point
        for point in profile.point
        if table in {None, point.register_.table} and is_covered(profile, point, registers)
    ]
    if not covered:
        raise InputError(f"no point of {profile.device.brand} {profile.device.model} lies in these registers")
    raw = [raw_value(profile, point, registers) for point in covered]
    numbers = [NOT_AVAILABLE if value is None or isinstance(value, str) else float(value) for value in raw]
    plain = [_plain(point, number) for point, number in zip(covered, numbers, strict=True)]
    canonical = apply_derived(covered, np.array(plain, np.float64)).tolist()
    return [_decoded(point, *values) for point, *values in zip(covered, raw, canonical, strict=True) if point.report]


def check_registers(registers: Mapping[int, int]) -> None:
    """Whether all are numbers of 16 bits.

    Raises:
        InputError: one is not.
    """
    for address, register in registers.items():
        if register not in _REGISTER:
            raise InputError(f"register {address} holds {register}, which is no number of 16 bits")


def is_covered(profile: Profile, point: ProfilePoint, registers: Mapping[int, int]) -> bool:
    """Whether all registers of a point are there."""
    return all(address in registers for address in _addresses(profile, point, registers))


def raw_value(profile: Profile, point: ProfilePoint, registers: Mapping[int, int]) -> Value:
    """A point's value in its profile's unit, before anything another register says about it."""
    return profile.decoder(point)(wire_of(registers_of(profile, point, registers)))


def registers_of(profile: Profile, point: ProfilePoint, registers: Mapping[int, int]) -> list[int]:
    """The registers of one point, as they came."""
    return [registers[address] for address in _addresses(profile, point, registers)]


def wire_of(words: Sequence[int]) -> bytes:
    """Registers as the bytes on the wire."""
    return b"".join(word.to_bytes(2, "big") for word in words)


def _addresses(profile: Profile, point: ProfilePoint, registers: Mapping[int, int]) -> range:
    """Where a point's words stand; an Enron answer is numbered word by word from its first address."""
    first = point.register_.address
    if is_wide(profile, point) and registers:
        start = min(registers)
        first = start + 2 * (first - start) if first >= start else -1
    return range(first, first + point.register_.words)


def _plain(point: ProfilePoint, value: float) -> float:
    if point.is_derived:
        return value
    scale, offset = conversion(point.unit, quantity_of(point.name).unit)
    return value * scale + offset


def _decoded(point: ProfilePoint, raw: Value, canonical: float) -> Decoded:
    unit = quantity_of(point.name).unit
    if isinstance(raw, str):
        return Decoded(point.name, raw, "", Quality.GOOD)
    if raw is None or canonical != canonical:  # noqa: PLR0124 - NaN
        return Decoded(point.name, None, unit, Quality.BAD)
    exact = not point.is_derived and conversion(point.unit, unit) == (1.0, 0.0)  # long serial numbers stay whole
    return Decoded(point.name, raw if exact else canonical, unit, Quality.GOOD)
