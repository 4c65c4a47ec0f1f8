"""Values that other registers complete: exponent, ratios, unit code, decimals, condition; into canonical units."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from kgce.collectors.profile_point import ProfilePoint
from kgce.domain.batch import FloatArray
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

UNKNOWN: Final = float("nan")
_MAX_EXPONENT: Final = 30  # beyond it the register holds anything but an exponent


def apply_derived(points: Sequence[ProfilePoint], values: FloatArray) -> FloatArray:
    """(points,) canonical values; NaN where a register they depend on was not read or says nothing known.

    Takes plain points in canonical units and derived ones in their profile's unit.
    """
    read = {point.name: value for point, value in zip(points, values.tolist(), strict=True)}
    result = dict(read)
    derived = [point for point in points if point.is_derived]
    for point in derived:
        result[point.name] = _canonical(point, read[point.name], read)
    for point in derived:
        if point.plus:
            result[point.name] += result.get(point.plus, UNKNOWN)
    completed = values.copy()
    for place, point in enumerate(points):
        completed[place] = result[point.name]
    return completed


def _canonical(point: ProfilePoint, value: float, read: Mapping[str, float]) -> float:
    if point.valid_if and not point.valid_if.holds(read.get(point.valid_if.point, UNKNOWN)):
        return UNKNOWN
    unit = _unit(point, read)
    if unit is None:
        return UNKNOWN
    scale, offset = conversion(unit, quantity_of(point.name).unit)
    return value * _factor(point, read) * scale + offset


def _factor(point: ProfilePoint, read: Mapping[str, float]) -> float:
    factor = math.prod(read.get(name, UNKNOWN) for name in point.multiplied_by)
    if point.exponent_from is None:
        return factor
    exponent = read.get(point.exponent_from.point, UNKNOWN)
    if not exponent.is_integer() or abs(exponent) > _MAX_EXPONENT:
        return UNKNOWN
    return factor * 10.0 ** (int(exponent) - point.exponent_from.minus)


def _unit(point: ProfilePoint, read: Mapping[str, float]) -> str | None:
    """The unit stated on the device where it states one; None = its code was not read or is not listed."""
    if point.unit_from is None or not point.reads_its_unit:
        return point.unit
    code = read.get(point.unit_from.point, UNKNOWN)
    return point.unit_from.units.get(int(code)) if code.is_integer() else None
