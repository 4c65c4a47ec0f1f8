"""Registers to numbers: order first, then sentinels, then scale. Our own, proven by other people's vectors."""

import math
from dataclasses import dataclass

from kgce.collectors.modbus.orders import byte_positions
from kgce.collectors.modbus.types import TYPES, RegisterType, Value, register_type
from kgce.domain.errors import ProfileError

__all__ = ["TYPES", "Decoder", "RegisterType", "Value", "byte_positions", "decoder", "register_type"]


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
    """Build a decoder; `invalid` are hex patterns in value order, None = the habits of the type.

    `length` is that of a text or of BCD digits, in bytes.

    Raises:
        ProfileError: unknown type, an order, a marker or a mask that does not fit.
    """
    found = register_type(type_name)
    if mask is not None and not type_name.startswith("uint"):
        raise ProfileError(f"a mask cuts bits out of an unsigned type, not out of {type_name}")
    if shift and mask is None:
        raise ProfileError("a shift goes with a mask")
    size = found.length or length or 0
    markers = _default_markers(found, size) if invalid is None else invalid
    for marker in markers:
        if size and not found.is_text and len(marker) != 2 * size:
            raise ProfileError(f"invalid marker {marker!r} does not have the {size} bytes of {type_name}")
    positions = byte_positions(order, size)
    stated = scale if scale != 1.0 else found.scale
    return Decoder(found, positions, _patterns(markers), stated, offset, mask, shift)


def _default_markers(found: RegisterType, size: int) -> tuple[str, ...]:
    """The habits of the type; digits of any length are "not available" when all ones."""
    return ("ff" * size,) if found.name == "bcd" and size else found.markers


def _patterns(markers: tuple[str, ...]) -> frozenset[bytes]:
    try:
        return frozenset(bytes.fromhex(marker) for marker in markers)
    except ValueError:
        raise ProfileError(f"invalid markers {', '.join(markers)} are not all hex digits") from None
