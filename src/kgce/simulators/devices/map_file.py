"""A device's register map out of a data file: a new simulated Modbus device is one file in maps/.

maps/<model>.toml --> DeviceMap --> RegisterMap
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion
from kgce.simulators.devices.encode import WordType
from kgce.simulators.devices.registers import Habits, Register, RegisterMap

_SHIPPED: Final = "devices/maps"
_TEXT: Final = "ascii"
_PARTS: Final = ("_whole", "_fraction")  # of a counter that lies in two registers


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a published register table."""

    name: str
    function: int
    address: int
    type: str
    order: str
    scale: float
    unit: str
    ratios: tuple[str, ...] = ()

    def register(self, ratios: Mapping[str, float]) -> Register:
        """The register, raw in the table's unit and scale."""
        if self.type.startswith(_TEXT):
            length = int(self.type.removeprefix(_TEXT))
            return Register(self.name, self.address, WordType.UINT16, function=self.function, text_length=length)
        quantity = self.name
        for part in _PARTS:
            quantity = quantity.removesuffix(part)
        canonical = quantity_of(quantity).unit if self.unit else ""
        factor, offset = conversion(canonical, self.unit) if self.unit else (1.0, 0.0)
        steps = self.scale * math.prod(ratios[name] for name in self.ratios)
        return Register(
            self.name,
            self.address,
            WordType[self.type.upper()],
            factor / steps,
            function=self.function,
            low_word_first=self.order == "little",
            raw_offset=offset / steps,
        )


@dataclass(frozen=True, slots=True)
class DeviceMap:
    """A device model as its file describes it."""

    device: str
    kind: str
    profile: str  # what the collectors call it
    rows: tuple[Row, ...]
    habits: Habits
    unit: int | None = None  # the unit id every such device has
    ratios: Mapping[str, float] = field(default_factory=dict)  # of transformers, unless the site says otherwise
    constants: Mapping[str, float | str] = field(default_factory=dict)
    reserved: tuple[range, ...] = ()

    def registers(self, ratios: Mapping[str, float] | None = None) -> RegisterMap:
        """Its register map.

        Raises:
            ConfigError: a ratio the device does not have.
        """
        unknown = set(ratios or {}) - set(self.ratios)
        if unknown:
            raise ConfigError(f"{self.device} has no ratio {min(unknown)!r}; it has {sorted(self.ratios)}")
        all_ratios = {**self.ratios, **(ratios or {})}
        return RegisterMap(
            function=self.rows[0].function,
            registers=[row.register(all_ratios) for row in self.rows],
            reserved=self.reserved,
            constants=self.constants,
            habits=self.habits,
        )


@cache
def map_names() -> tuple[str, ...]:
    """Models that have a map file."""
    files = resources.files("kgce.simulators").joinpath(_SHIPPED).iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


@cache
def load_map(name: str) -> DeviceMap:
    """A shipped map.

    Raises:
        ConfigError: no such file.
    """
    if name not in map_names():
        raise ConfigError(f"no simulated device {name!r}; known: {', '.join(map_names())}")
    text = resources.files("kgce.simulators").joinpath(_SHIPPED, f"{name}.toml").read_text(encoding="utf-8")
    return parse_map(text, name)


def parse_map(text: str, origin: str) -> DeviceMap:
    """A map from TOML text; origin names it in errors.

    Raises:
        ConfigError: not a map.
    """
    try:
        table = tomllib.loads(text)
        found = _device_map(table)
        found.registers()
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{origin}: not a device map: {error}") from None
    return found


def _device_map(table: dict[str, Any]) -> DeviceMap:
    habits = Habits(
        **{name: table[name] for name in ("most_per_read", "one_value", "enron") if name in table},
    )
    return DeviceMap(
        device=table["device"],
        kind=table["kind"],
        profile=table["profile"],
        rows=tuple(_row(*line) for line in table["rows"]),
        habits=habits,
        unit=table.get("unit"),
        ratios=table.get("ratios", {}),
        constants=table.get("constants", {}),
        reserved=tuple(range(*ends) for ends in table.get("reserved", ())),
    )


def _row(name: str, function: int, address: int, *rest: Any) -> Row:
    kind, order, scale, unit, *ratios = rest
    return Row(name, function, address, kind, order, scale, unit, tuple(*ratios))
