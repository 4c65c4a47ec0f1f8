"""Turns the answer of one request into the raw values of its points; layout.py makes them canonical."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kgce.collectors.modbus.decode import Decoder
from kgce.collectors.modbus.plan import Read
from kgce.collectors.profile import Profile, ProfilePoint

STRUCT_CODE: Final = {
    "bool": "H", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d",
}  # fmt: skip
NOT_AVAILABLE: Final = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One request with what decodes it.

    Where every point is a plain number in wire order one struct call unpacks them all; otherwise point by point, with
    the profile's scale applied by each decoder.
    """

    read: Read
    words: struct.Struct
    decoders: tuple[Decoder, ...]
    fast: struct.Struct | None
    markers: tuple[tuple[int, frozenset[int]], ...]  # places of points that have any; for the fast way

    def raw(self, registers: Sequence[int]) -> list[float]:
        """(points,) values; NaN where the device says "not available", infinities still as they came.

        Raises:
            ValueError: another number of registers than asked for.
        """
        if len(registers) != self.read.words:
            raise ValueError(f"asked for {self.read.words} registers, got {len(registers)}")
        wire = self.words.pack(*registers)
        if self.fast is None:
            return [self._one(place, wire) for place in range(len(self.decoders))]
        values = list(self.fast.unpack(wire))
        for place, known in self.markers:
            if values[place] in known:
                values[place] = NOT_AVAILABLE
        return values

    def _one(self, place: int, wire: bytes) -> float:
        register = self.read.points[place].register_
        start = 2 * self.read.first_word(self.read.points[place])
        value = self.decoders[place](wire[start : start + 2 * register.words])
        return NOT_AVAILABLE if value is None or isinstance(value, str) else float(value)

    def scaling(self, place: int) -> tuple[float, float]:
        """(scale, offset) from a raw value to the profile's unit."""
        point = self.read.points[place]
        return (point.scale, point.offset) if self.fast is not None else (1.0, 0.0)


def block_of(profile: Profile, read: Read) -> Block:
    """Prepare the decoding of one request."""
    decoders = tuple(profile.decoder(point) for point in read.points)
    fast = _struct_of(read, decoders)
    found = [_numbers(decoder) for decoder in decoders] if fast is not None else []
    markers = tuple((place, numbers) for place, numbers in enumerate(found) if numbers)
    return Block(read, struct.Struct(f">{read.words}H"), decoders, fast, markers)


def _struct_of(read: Read, decoders: Sequence[Decoder]) -> struct.Struct | None:
    parts, at = [">"], 0
    for point, decoder in zip(read.points, decoders, strict=True):
        first = read.first_word(point)
        if not _is_plain(point, decoder) or first < at:
            return None
        parts += [f"{2 * (first - at)}x", STRUCT_CODE[point.register_.type]]
        at = first + point.register_.words
    parts.append(f"{2 * (read.words - at)}x")
    return struct.Struct("".join(parts))


def _is_plain(point: ProfilePoint, decoder: Decoder) -> bool:
    in_wire_order = decoder.positions == tuple(range(decoder.type.length))
    marked_float = decoder.type.name.startswith("float") and bool(
        decoder.markers
    )  # compared as patterns, not as numbers
    return in_wire_order and decoder.mask is None and point.register_.type in STRUCT_CODE and not marked_float


def _numbers(decoder: Decoder) -> frozenset[int]:
    """A decoder's markers as the whole numbers they stand for; those of floats are compared as NaN anyway."""
    if decoder.type.name.startswith("float"):
        return frozenset()
    code = struct.Struct(f">{STRUCT_CODE[decoder.type.name]}")
    return frozenset(int(code.unpack(marker)[0]) for marker in decoder.markers)
