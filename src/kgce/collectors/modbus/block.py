"""Decodes the answer of one request: all its points, into canonical units.

A point whose unit the device itself states stays in that unit; declared_units.py converts it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from kgce.collectors.modbus.decode import Decoder
from kgce.collectors.modbus.plan import Read
from kgce.collectors.profile import Profile, ProfilePoint
from kgce.domain.batch import FloatArray
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

STRUCT_CODE: Final = {
    "bool": "H", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One request with what turns its registers into values of canonical unit (NaN = not available).

    Where every point is a plain number in wire order one struct call unpacks them all; otherwise point by point.
    """

    read: Read
    decoders: tuple[Decoder, ...]
    scale: FloatArray  # to canonical, the profile's own scale included
    offset: FloatArray
    fast: struct.Struct | None
    markers: tuple[frozenset[int], ...] = field(default=())

    def decode(self, registers: Sequence[int]) -> FloatArray:
        """(points,) canonical values; NaN where the device says "not available".

        Raises:
            ValueError: another number of registers than asked for.
        """
        if len(registers) != self.read.count:
            raise ValueError(f"asked for {self.read.count} registers, got {len(registers)}")
        wire = struct.pack(f">{len(registers)}H", *registers)
        if self.fast is not None:
            numbers = self.fast.unpack(wire)
            raw = np.array(numbers, np.float64)
            absent = [number in known for number, known in zip(numbers, self.markers, strict=True)]
            raw[absent] = np.nan
            raw[np.isinf(raw)] = np.nan
        else:
            raw = np.array([self._one(place, wire) for place in range(len(self.decoders))], np.float64)
        return raw * self.scale + self.offset

    def _one(self, place: int, wire: bytes) -> float:
        register = self.read.points[place].register_
        start = 2 * (register.address - self.read.address)
        value = self.decoders[place](wire[start : start + 2 * register.words])
        return float("nan") if value is None or isinstance(value, str) else float(value)


def block_of(profile: Profile, read: Read) -> Block:
    """Prepare the decoding of one request."""
    decoders = tuple(profile.decoder(point) for point in read.points)
    units = [(1.0, 0.0) if point.reads_its_unit else _to_canonical(point) for point in read.points]
    fast = _struct_of(read, decoders)
    if fast is None:
        scale, offset = (np.array(column, np.float64) for column in zip(*units, strict=True))
        return Block(read, decoders, scale, offset, None)
    scale = np.array([point.scale * unit[0] for point, unit in zip(read.points, units, strict=True)])
    offset = np.array([point.offset * unit[0] + unit[1] for point, unit in zip(read.points, units, strict=True)])
    return Block(read, decoders, scale, offset, fast, tuple(_numbers(decoder) for decoder in decoders))


def _to_canonical(point: ProfilePoint) -> tuple[float, float]:
    return conversion(point.unit, quantity_of(point.name).unit)


def _struct_of(read: Read, decoders: Sequence[Decoder]) -> struct.Struct | None:
    parts, at = [">"], read.address
    for point, decoder in zip(read.points, decoders, strict=True):
        register = point.register_
        plain = decoder.positions == tuple(range(decoder.type.length)) and decoder.mask is None
        if not plain or register.type not in STRUCT_CODE or register.address < at:
            return None
        parts += [f"{2 * (register.address - at)}x", STRUCT_CODE[register.type]]
        at = register.address + register.words
    parts.append(f"{2 * (read.address + read.count - at)}x")
    return struct.Struct("".join(parts))


def _numbers(decoder: Decoder) -> frozenset[int]:
    """A decoder's markers as the whole numbers they stand for; floats have none that are finite."""
    if decoder.type.name.startswith("float"):
        return frozenset()
    code = struct.Struct(f">{STRUCT_CODE[decoder.type.name]}")
    return frozenset(int(code.unpack(marker)[0]) for marker in decoder.markers)
