"""The values in a metering answer; what cannot be read is None, never zero and never a guess."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kgce.collectors.cjt188.layouts import UNVERIFIED, Field, MeterKind, Unit, kind_of, unit_of_code
from kgce.domain.errors import InputError, UnknownUnit
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

SETTLEMENT: Final = "settlement"
CURRENT: Final = "current"


@dataclass(frozen=True, slots=True)
class Value:
    """One field of an answer, in the meter's own unit."""

    field: Field
    raw: bytes
    unit_code: int | None
    unit: str
    factor: float
    is_verified: bool

    @property
    def number(self) -> float | None:
        """The number in `unit`; None when the digits are none (FF is "not available") or the unit is unknown."""
        digits = self.raw[::-1].hex()
        if not digits.isdecimal() or not self.unit:
            return None
        number = int(digits) / float(10**self.field.decimals)
        return number if self.factor == 1.0 else number * self.factor


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole metering answer."""

    kind: MeterKind
    values: tuple[Value, ...]
    clock: datetime | None  # the meter's own, in local time
    status: bytes

    @property
    def current(self) -> Value:
        """What the meter counts."""
        return next(value for value in self.values if value.field.name == CURRENT)

    def quantity(self, value: Value) -> str:
        """Field name of a value, see domain/quantities.py."""
        if value.field.name == CURRENT:
            return self.kind.current
        if value.field.name == SETTLEMENT:
            return f"{self.kind.current}_settlement"
        return value.field.name

    def canonical(self, value: Value) -> float | None:
        """The number in the unit of its quantity; None also when the unit measures something else."""
        try:
            scale, offset = conversion(value.unit, quantity_of(self.quantity(value)).unit)
        except UnknownUnit:
            return None
        number = value.number
        return None if number is None else number * scale + offset


def decode(meter_type: int, payload: bytes) -> Reading:
    """The values of an answer, from what follows identifier and serial number.

    Raises:
        InputError: an unknown meter type, or a length that does not fit it.
    """
    kind = kind_of(meter_type)
    if kind is None:
        raise InputError(f"meter type {meter_type:02X} is not known: add it to layouts.toml")
    if len(payload) != kind.layout.size:
        raise InputError(
            f"a {kind.title} meter answers {kind.layout.size} bytes, not {len(payload)}: "
            "its maker uses another layout, or the meter type is another one"
        )
    places = dict(_places(kind, payload))
    leads = kind.layout.unit_may_lead and _fits(kind, payload, leads=True) and not _fits(kind, payload, leads=False)
    values = tuple(_value(field, raw, leads=leads) for field, raw in places.items() if field.unit or field.has_unit)
    others = {field.name: raw for field, raw in places.items()}
    return Reading(kind, values, _clock(others["clock"]), others["status"])


def _places(kind: MeterKind, payload: bytes) -> Iterator[tuple[Field, bytes]]:
    at = 0
    for field in kind.layout.fields:
        yield field, payload[at : at + field.whole_size]
        at += field.whole_size


def _fits(kind: MeterKind, payload: bytes, *, leads: bool) -> bool:
    """Whether a unit that measures the field stands at this end of every field that has one."""
    return all(
        _measures(kind, field, unit_of_code(raw[0] if leads else raw[-1]))
        for field, raw in _places(kind, payload)
        if field.has_unit
    )


def _measures(kind: MeterKind, field: Field, unit: Unit | None) -> bool:
    if unit is None:
        return False
    name = kind.current if field.name in {CURRENT, SETTLEMENT} else field.name
    try:
        conversion(unit.symbol, quantity_of(name).unit)
    except UnknownUnit:
        return False
    return True


def _value(field: Field, raw: bytes, *, leads: bool) -> Value:
    if not field.has_unit:
        return Value(field, raw, None, field.unit, 1.0, field.confidence != UNVERIFIED)
    code, digits = (raw[0], raw[1:]) if leads else (raw[-1], raw[:-1])
    unit = unit_of_code(code)
    if unit is None:
        return Value(field, digits, code, "", 1.0, is_verified=False)
    is_verified = UNVERIFIED not in {field.confidence, unit.confidence}
    return Value(field, digits, code, unit.symbol, unit.factor, is_verified)


def _clock(raw: bytes) -> datetime | None:
    """Second, minute, hour, day, month, year (two bytes), low first; None when it is no time."""
    digits = raw[::-1].hex()
    if not digits.isdecimal():
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the meter does not know its zone
    except ValueError:
        return None
