"""Values whose unit the device itself states, as a code in another register, into canonical units."""

from collections.abc import Sequence

from kgce.collectors.profile import ProfilePoint
from kgce.domain.batch import FloatArray
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


def apply_declared_units(points: Sequence[ProfilePoint], values: FloatArray) -> FloatArray:
    """(points,) canonical values; NaN where the code was not read or is not listed: the value could be anything."""
    codes = {point.name: value for point, value in zip(points, values.tolist(), strict=True)}
    result = values.copy()
    for place, point in enumerate(points):
        if point.unit_from is None or not point.reads_its_unit:
            continue
        code = codes.get(point.unit_from.point, float("nan"))
        unit = point.unit_from.units.get(int(code)) if code.is_integer() else None
        if unit is None:
            result[place] = float("nan")
        else:
            scale, offset = conversion(unit, quantity_of(point.name).unit)
            result[place] = values[place] * scale + offset
    return result
