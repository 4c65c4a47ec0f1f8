"""Fixed data structure of EN 1434-3 (CI 73): two counters in 16 bytes, of meters from before the variable one."""

import math
from dataclasses import dataclass
from typing import Final

from kgce.collectors.mbus import values
from kgce.collectors.mbus.link import FrameError

LENGTH: Final = 16
BINARY_COUNTERS: Final = 0x01  # of the status byte; else BCD
STORED_VALUES: Final = 0x02  # of the status byte; else present ones
SAME_BUT_HISTORIC: Final = 0x3E
NO_UNIT: Final = 0x3F


@dataclass(frozen=True, slots=True)
class FixedUnit:
    """Unit code of a counter: value in unit = raw * 10 ** exponent."""

    quantity: str
    unit: str
    exponent: int = 0


@dataclass(frozen=True, slots=True)
class FixedValue:
    """One counter; NaN where it holds no number."""

    unit: FixedUnit
    value: float
    raw: float
    code: int
    is_stored: bool


@dataclass(frozen=True, slots=True)
class FixedData:
    """What the 16 bytes say."""

    identification: str
    access_number: int
    status: int
    medium: int
    values: tuple[FixedValue, ...]


def _steps(first: int, count: int, quantity: str, unit: str, exponent: int) -> dict[int, FixedUnit]:
    return {first + step: FixedUnit(quantity, unit, exponent + step) for step in range(count)}


# EN 1434-3:1997 table of units. 00 and 01 (time, date) are no counters.
UNITS: Final[dict[int, FixedUnit]] = (
    _steps(0x02, 9, "energy", "Wh", 0)
    | _steps(0x0B, 9, "energy", "J", 3)
    | _steps(0x14, 9, "power", "W", 0)
    | _steps(0x1D, 9, "power", "J/h", 3)
    | _steps(0x26, 9, "volume", "m3", -6)
    | _steps(0x2F, 9, "volume_flow", "m3/h", -6)
    | {0x38: FixedUnit("external_temperature", "degC", -3), 0x39: FixedUnit("heat_cost", "HCA units")}
)

_UNKNOWN: Final = FixedUnit("unknown", "")
_PLAIN: Final = FixedUnit("dimensionless", "")


def decode_fixed(data: bytes) -> FixedData:
    """The counters.

    Raises:
        FrameError: there are not 16 bytes.
    """
    if len(data) != LENGTH:
        raise FrameError(f"fixed data structure of {len(data)} bytes, needs {LENGTH}")
    status, first, second = data[5], data[6], data[7]
    # the two highest bits of both unit bytes make the medium
    medium = first >> 6 | second >> 6 << 2
    read = values.integer if status & BINARY_COUNTERS else values.bcd
    one = _value(first & 0x3F, float(read(data[8:12])), status)
    other_code = second & 0x3F
    other = _value(other_code, float(read(data[12:16])), status, same_as=one)
    return FixedData(data[3::-1].hex(), data[4], status, medium, (one, other))


def _value(code: int, raw: float, status: int, same_as: FixedValue | None = None) -> FixedValue:
    is_stored = bool(status & STORED_VALUES)
    if code == SAME_BUT_HISTORIC and same_as is not None:
        found, is_stored = UNITS.get(same_as.code, _UNKNOWN), True
    else:
        found = _PLAIN if code == NO_UNIT else UNITS.get(code, _UNKNOWN)
    scale: int = 10 ** abs(found.exponent)
    value = math.nan if found is _UNKNOWN else raw * scale if found.exponent >= 0 else raw / scale
    return FixedValue(found, value, raw, code, is_stored)
