"""One row of a register list as a point of a profile, with what had to be assumed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from kgce.collectors.modbus.types import register_type
from kgce.collectors.profile_import import notations
from kgce.collectors.profile_import.given import Given, words_of
from kgce.collectors.profile_import.naming import Named, named
from kgce.collectors.profile_import.notations import Notation, TypeOfValue, UnitOfValue
from kgce.domain.errors import InputError
from kgce.domain.units import UNITS

Row = Mapping[str, str]
_WRITABLE: Final = re.compile(r"\bRW\b|\bR/W\b|\bW\b|\bwrite|\bwritable|\btoggle", re.IGNORECASE)
_SETTINGS: Final = frozenset({
    "set", "setpoint", "failsafe", "lifebit", "alive", "enable", "trigger", "setting", "watchdog", "limit", "reset",
    "application", "control",
})  # fmt: skip
_IDENTITIES: Final = frozenset({"serial_number", "firmware_version", "device_model", "device_setting"})
_TEXT_BYTES: Final = 32  # a text of unstated length ends at the next register, or here
_CONFIDENCES: Final = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A row read: fields as the profile has them, the words of the source beside."""

    row: Row
    table: str
    address: int
    type: TypeOfValue
    orders: tuple[str, str]
    scale: float
    stated_scale: float  # without the factor of a unit such as 0.1 kWh
    unit: UnitOfValue
    named: Named
    remarks: str
    is_writable: bool
    ratios: tuple[str, ...]
    confidence: str
    assumed: tuple[str, ...]

    @property
    def words(self) -> int:
        """Registers the value takes."""
        length = register_type(self.type.name).length or self.type.length or 2
        return -(-length // 2)

    @property
    def is_unverified(self) -> bool:
        """Whether a real device has to confirm it."""
        return self.confidence == "low" or bool(self.assumed) or bool(self.unit.remark)

    @property
    def symbol(self) -> str:
        """The unit of the profile's value: as stated, or as the quantity implies where nothing usable is."""
        if self.named.unit is not None:
            return self.named.unit
        unit = UNITS[self.unit.symbol].dimension
        wanted = UNITS[self.named.quantity.unit]
        return self.unit.symbol if unit == wanted.dimension else wanted.symbol

    @property
    def is_polled(self) -> bool:
        """Not text, not a setting, not what the device is."""
        return not (
            register_type(self.type.name).is_text or self.is_writable or self.named.quantity.name in _IDENTITIES
        )


def point_of(row: Row, notation: Notation) -> Point:
    """A row of a register list.

    Raises:
        InputError: table, address or type cannot be read; the message says which.
    """
    assumed: list[str] = []
    words, remarks = words_of(row.get("name", ""))
    table, writes = notations.table_of(row.get("fc", ""))
    address, stated_table = notations.address_of(row.get("address", ""), notation)
    kind_of_value = notations.type_of(row.get("type", ""))
    if kind_of_value is None:
        raise InputError(f"type {row.get('type', '')!r} is not known")
    if register_type(kind_of_value.name).length == 0 and kind_of_value.length is None:
        kind_of_value = replace(kind_of_value, length=_length_in(remarks))
    kind = re.sub(r"\W+", "_", row.get("kind", "").strip().lower())
    unit, dimension = _unit(row, words, kind, assumed)
    is_text = register_type(kind_of_value.name).is_text
    name = named(Given(words, remarks, kind, dimension, is_text), f"{table}_{address}")
    stated = _stated_scale(row, assumed)
    scale = _scale(stated, unit, assumed)
    return Point(
        row, _table(stated_table or table, kind_of_value), address, kind_of_value, _orders(row, assumed), scale, stated,
        unit, name, remarks,
        is_writable=writes or bool(_WRITABLE.search(remarks)) or bool(_SETTINGS & set(words)),
        ratios=tuple(dict.fromkeys(
            (*notations.ratios_in(remarks), *notations.ratios_in(row.get("scale", "")), *unit.ratios)
        )),
        confidence=_confidence(row, assumed), assumed=(*assumed, *name.assumed),
    )  # fmt: skip


def _table(table: str, kind: TypeOfValue) -> str:
    if (table in {"coil", "discrete"}) is not (kind.name == "bool"):
        raise InputError(f"table {table} does not hold values of type {kind.name}")
    return table


def unit_text(row: Row) -> str:
    """The unit as the list has it: in its column, or behind the name as in Voltage [V]."""
    stated = row.get("unit", "").strip()
    behind = re.search(r"\[([^\]]+)\]", row.get("name", ""))
    return behind[1].strip() if behind and not stated else stated


def _unit(row: Row, words: tuple[str, ...], kind: str, assumed: list[str]) -> tuple[UnitOfValue, str]:
    """(unit, dimension); where the device decides or the unit is unknown, the dimension comes from the name."""
    text = unit_text(row)
    unit = notations.unit_of_text(text)
    if unit is None:
        assumed.append(f"unit {text!r} is not known, the number is kept as it is")
        return UnitOfValue("", remark="unknown unit"), "one"
    if unit.remark == "set on the device":
        dimension = _dimension_of(words, kind)
        assumed.append(f"unit {text!r} is set on the device, the usual one is assumed")
        return unit, dimension
    return unit, UNITS[unit.symbol].dimension if unit.symbol else ""


_DIMENSIONS: Final = (
    ({"temperature", "temp"}, "temperature"), ({"power"}, "power"), ({"energy"}, "energy"),
    ({"flow", "throughput"}, "volume_flow"), ({"volume", "total", "totaliser", "consumption"}, "volume"),
    ({"pressure"}, "pressure"), ({"current"}, "current"), ({"voltage"}, "voltage"),
)  # fmt: skip


def _dimension_of(words: tuple[str, ...], kind: str) -> str:
    if kind in {"water_meter", "gas_meter", "gas_corrector"} and "total" in words:
        return "volume"
    return next((dimension for shown, dimension in _DIMENSIONS if shown & set(words)), "")


def _stated_scale(row: Row, assumed: list[str]) -> float:
    scale = notations.scale_of(row.get("scale", ""))
    if scale is None:
        assumed.append(f"scale {row.get('scale', '')!r} is no factor, 1 assumed")
    return 1.0 if scale is None else scale


def _scale(scale: float, unit: UnitOfValue, assumed: list[str]) -> float:
    if unit.factor not in {1.0, scale}:
        return scale * unit.factor
    if unit.factor != 1.0 and unit.factor == scale:
        assumed.append(f"scale and unit both say {scale:g}, applied once")
    return scale


def _orders(row: Row, assumed: list[str]) -> tuple[str, str]:
    text = row.get("word_order", "")
    orders = notations.orders_of(text)
    if orders is None:
        assumed.append(f"order {text!r} is not known, high word first assumed")
        return "big", "big"
    return orders


def _confidence(row: Row, assumed: list[str]) -> str:
    stated = row.get("confidence", "").strip().lower()
    if stated in _CONFIDENCES:
        return stated
    assumed.append("no confidence stated, low assumed")
    return "low"


def _length_in(remarks: str) -> int | None:
    """Bytes a remark such as (20 regs) states."""
    found = re.search(r"(\d+)\s*(reg|word|byte|char)", remarks)
    return None if found is None else int(found[1]) * (2 if found[2] in {"reg", "word"} else 1)


def text_length(point: Point, following: int | None) -> int:
    """Bytes of a text whose length nobody states: up to the next known register."""
    return min(2 * (following - point.address), _TEXT_BYTES) if following is not None else _TEXT_BYTES


def markers_of(point: Point) -> tuple[str, ...] | None:
    """Patterns that mean "not available" where a remark states some beside the habits of the type."""
    stated = re.findall(r"invalid\s+0x([0-9a-fA-F]+)", point.remarks)
    kind = register_type(point.type.name)
    if not stated or not kind.length:
        return None
    patterns = {one.lower().zfill(2 * kind.length) for one in stated} | set(kind.markers)
    return None if patterns == set(kind.markers) else tuple(sorted(patterns))


def fields_of(point: Point) -> dict[str, Any]:
    """A point's own fields in the profile, in the order people read them; names and references come from the device."""
    place: dict[str, Any] = {"table": point.table, "address": point.address, "type": point.type.name}
    if register_type(point.type.name).length == 0:
        place["length"] = point.type.length
    fields: dict[str, Any] = {"name": point.named.field, "register": place}
    if point.scale != 1.0:
        fields["scale"] = point.scale
    if point.symbol:
        fields["unit"] = point.symbol
    return fields
