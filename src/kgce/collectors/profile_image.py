"""A device's register image in the terms of the list its profile came from: name, code, address, value, unit."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from kgce.collectors.decode_text import check_registers, is_covered, raw_value
from kgce.collectors.modbus.decode import Value
from kgce.collectors.profile import Profile
from kgce.collectors.profile_point import ProfilePoint

CODE_OF_TABLE: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


class ImageReading(NamedTuple):
    """What one row of the list reads; the value is None where the device says "not available"."""

    name: str
    fc: int
    address: int
    value: Value
    unit: str


def readings_of_image(profile: Profile, registers: Mapping[int, int], table: str | None = None) -> list[ImageReading]:
    """Every row whose registers are all there, each by itself: conditions and sums over several rows are not applied.

    Raises:
        InputError: a register is no number of 16 bits.
    """
    check_registers(registers)
    return [
        ImageReading(
            document_name(point),
            CODE_OF_TABLE[point.register_.table],
            point.register_.address,
            _in_document_scale(point, raw_value(profile, point, registers)),
            point.unit if point.document_unit is None else point.document_unit,
        )
        for point in profile.point
        if table in {None, point.register_.table} and is_covered(profile, point, registers)
    ]


def _in_document_scale(point: ProfilePoint, value: Value) -> Value:
    """The list's own number where its unit is one such as 0.1 %."""
    if point.document_scale is None or value is None or isinstance(value, str):
        return value
    return value / point.scale * point.document_scale


def document_name(point: ProfilePoint) -> str:
    """What the list calls the point, without the remarks it puts in brackets."""
    return (point.document_name or point.name).split("(", 1)[0].strip()
