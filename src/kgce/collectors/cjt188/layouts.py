"""What a metering answer holds: the tables of layouts.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit byte stands for: `factor` times `symbol`."""

    code: int
    symbol: str
    factor: float
    confidence: str


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an answer."""

    name: str
    size: int  # bytes, without the unit byte
    decimals: int
    has_unit: bool
    unit: str  # where no unit byte says it
    confidence: str

    @property
    def whole_size(self) -> int:
        """Bytes with the unit byte."""
        return self.size + self.has_unit


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of an answer, in order."""

    name: str
    size: int
    unit_may_lead: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class MeterKind:
    """What a meter type measures."""

    title: str
    layout: Layout
    current: str  # quantity of the field `current`
    measurement: str
    confidence: str


def unit_of_code(code: int) -> Unit | None:
    """What a unit byte stands for; None when nobody said."""
    return _units().get(code)


def kind_of(meter_type: int) -> MeterKind | None:
    """What a meter of this type measures; None when nobody said."""
    return _kinds().get(meter_type)


def meter_types() -> tuple[int, ...]:
    """Every type that can be read."""
    return tuple(_kinds())


@cache
def _raw() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "layouts.toml").read_text(encoding="utf-8"))


@cache
def _units() -> Mapping[int, Unit]:
    return {
        one["code"]: Unit(one["code"], one["symbol"], one.get("factor", 1.0), one["confidence"])
        for one in _raw()["unit"]
    }


@cache
def _kinds() -> Mapping[int, MeterKind]:
    layouts = {one["name"]: _layout(one) for one in _raw()["layout"]}
    return {
        meter_type: MeterKind(
            one["title"], layouts[one["layout"]], one["current"], one["measurement"], one["confidence"]
        )
        for one in _raw()["meter"]
        for meter_type in one["types"]
    }


def _layout(raw: Mapping[str, Any]) -> Layout:
    fields = tuple(
        Field(
            name=one["name"],
            size=one["size"],
            decimals=one.get("decimals", 0),
            has_unit=one.get("has_unit", False),
            unit=one.get("unit", ""),
            confidence=one.get("confidence", UNVERIFIED),
        )
        for one in raw["field"]
    )
    return Layout(raw["name"], raw["size"], raw.get("unit_may_lead", False), fields)
