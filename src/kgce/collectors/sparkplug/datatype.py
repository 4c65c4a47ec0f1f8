"""What the value field of a metric means under its datatype.

Source: shared/facts/devices.md 2.1: signed integers travel as two's complement in an unsigned field.
"""

from typing import Final

import numpy as np

from kgce.collectors.sparkplug.payload import Metric, Raw

NAMES: Final = {
    1: "Int8", 2: "Int16", 3: "Int32", 4: "Int64", 5: "UInt8", 6: "UInt16", 7: "UInt32", 8: "UInt64", 9: "Float",
    10: "Double", 11: "Boolean", 12: "String", 13: "DateTime", 14: "Text", 15: "UUID", 16: "DataSet", 17: "Bytes",
    18: "File", 19: "Template",
}  # fmt: skip
_SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED_BITS: Final = {5: 8, 6: 16, 7: 32, 8: 64, 13: 64}
_FIELD_BITS: Final = {"int_value": 32, "long_value": 64}
_FIELDS: Final = {
    9: {"float_value", "double_value"},
    10: {"double_value", "float_value"},
    11: {"boolean_value"},
    12: {"string_value"},
    14: {"string_value"},
    15: {"string_value"},
    17: {"bytes_value"},
    18: {"bytes_value"},
}


class DatatypeError(ValueError):
    """The value does not fit the datatype; the text is the reason it is counted under."""


def typed_value(metric: Metric, datatype: int) -> Raw:
    """The value of a metric that is not null.

    Raises:
        DatatypeError: there is none, or it does not fit.
    """
    if metric.raw is None or metric.field is None:
        raise DatatypeError("no value")
    if datatype in _SIGNED_BITS or datatype in _UNSIGNED_BITS:
        if metric.field not in _FIELD_BITS or not isinstance(metric.raw, int):
            raise DatatypeError(f"{metric.field} under datatype {NAMES[datatype]}")
        return _integer(metric.raw, datatype, _FIELD_BITS[metric.field])
    if datatype not in _FIELDS:
        raise DatatypeError("datatype without a single value")
    if metric.field not in _FIELDS[datatype]:
        raise DatatypeError(f"{metric.field} under datatype {NAMES[datatype]}")
    return metric.raw


def _integer(raw: int, datatype: int, field_bits: int) -> int:
    """Some nodes extend the sign to the whole field, others only to the width of the type; the ranges do not meet."""
    if datatype in _UNSIGNED_BITS:
        if raw >> _UNSIGNED_BITS[datatype]:
            raise DatatypeError(f"outside {NAMES[datatype]}")
        return raw
    bits = _SIGNED_BITS[datatype]
    for width in (bits, field_bits):
        value = raw - (1 << width) if raw >> (width - 1) else raw
        if raw < 1 << width and -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            return value
    raise DatatypeError(f"outside {NAMES[datatype]}")


def shortest(value: float) -> float:
    """The shortest decimal that is the same 32-bit float: 12.1, not 12.1000003815."""
    return float(str(np.float32(value)))
