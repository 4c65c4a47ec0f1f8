"""What a message said: values as spoken, whether the device is there, units it declared, why something was refused."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from kgce.collectors.mqtt.json_number import Refused
from kgce.domain.errors import UnknownUnit
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


@dataclass(frozen=True, slots=True)
class Said:
    """One value in the device's own words."""

    device: str  # as the topic or the document names it
    name: str  # as the device names it; the quantity where the convention knows it
    quantity: str  # "" = only the gateway's file can say
    value: float  # NaN only when bad
    unit: str | None  # None = not said
    channel: str = ""  # "" = of the whole device
    time_ms: int | None = None
    time_problem: str = ""  # why time_ms is None although the convention has a time
    bad: bool = False  # the device says "not available"
    problem: str = ""  # why it is no number
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Understood:
    """Everything one message said."""

    said: tuple[Said, ...] = ()
    device: str = ""
    online: bool | None = None  # None = nothing was said about it
    text: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)  # learnt: device/name -> unit; "" = taken back
    has_time: bool = False  # the convention has a place for the time
    refused: tuple[str, ...] = ()


def canonical(value: float, unit: str, quantity: str) -> float:
    """The value in the quantity's unit.

    Raises:
        Refused: the unit is unknown or measures something else, or the result is no finite number.
    """
    try:
        scale, offset = conversion(unit, quantity_of(quantity).unit)
    except UnknownUnit:
        raise Refused("unit does not fit") from None
    result = value * scale + offset
    if not math.isfinite(result):
        raise Refused("not finite")
    return result
