"""Raw registers as text or numbers in, values out: what `kgce decode` shows, without any device."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from kgce.collectors.modbus.decode import Value, decoder
from kgce.collectors.profile import Profile, ProfilePoint
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

    Raises:
        InputError: a register is no number of 16 bits, or no point of the profile is covered.
    """
    for address, register in registers.items():
        if register not in _REGISTER:
            raise InputError(f"register {address} holds {register}, which is no number of 16 bits")
    covered = [point for point in profile.point if _is_covered(point, registers, table)]
    if not covered:
        raise InputError(f"no point of {profile.device.brand} {profile.device.model} lies in these registers")
    raw = {point.name: _raw(profile, point, registers) for point in covered}
    return [_decoded(point, raw) for point in covered]


def _is_covered(point: ProfilePoint, registers: Mapping[int, int], table: str | None) -> bool:
    place = point.register_
    wanted = range(place.address, place.address + place.words)
    return table in {None, place.table} and all(address in registers for address in wanted)


def _raw(profile: Profile, point: ProfilePoint, registers: Mapping[int, int]) -> Value:
    place = point.register_
    words = [registers[place.address + word] for word in range(place.words)]
    return profile.decoder(point)(b"".join(word.to_bytes(2, "big") for word in words))


def _decoded(point: ProfilePoint, raw: Mapping[str, Value]) -> Decoded:
    quantity = quantity_of(point.name)
    value, unit = raw[point.name], _unit(point, raw)
    if value is None or unit is None:
        return Decoded(point.name, None, quantity.unit, Quality.BAD)
    if isinstance(value, str):
        return Decoded(point.name, value, "", Quality.GOOD)
    scale, offset = conversion(unit, quantity.unit)
    exact = (scale, offset) == (1.0, 0.0)  # long serial numbers stay whole
    return Decoded(point.name, value if exact else value * scale + offset, quantity.unit, Quality.GOOD)


def _unit(point: ProfilePoint, raw: Mapping[str, Value]) -> str | None:
    """The unit stated on the device where it states one; None = its code is not there or not listed."""
    if point.unit_from is None or not point.reads_its_unit:
        return point.unit
    code = raw.get(point.unit_from.point)
    return point.unit_from.units.get(int(code)) if isinstance(code, int | float) else None
