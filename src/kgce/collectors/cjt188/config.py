"""Configuration of a line with CJ/T 188 meters."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from kgce.collectors.cjt188.exchange import DiOrder
from kgce.collectors.cjt188.frame import wire_address
from kgce.collectors.cjt188.layouts import MeterKind, kind_of, meter_types
from kgce.collectors.cjt188.values import CURRENT, SETTLEMENT
from kgce.collectors.line.config import LineConfig
from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.place import Place

STATUS: Final = "error_code"  # the two status bytes as a number; makers disagree on the bits
_HEX: Final = 16


class Cjt188DeviceConfig(Place):
    """One meter on the line."""

    address: str  # as printed on the meter; fewer than fourteen digits are filled with zeros
    meter_type: str = "10"  # two hexadecimal digits: 10-13 water, 20 heat, 21 cooling, 30 gas, 40 electricity
    di_order: Literal["901F", "1F90", "auto"] = "auto"  # auto: found out by asking
    points: tuple[str, ...] | None = None  # field names; None: all but the settlement value
    metering: bool = True  # False: what it counts is no metering point
    interval_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0

    @property
    def type_code(self) -> int:
        """The meter type as it stands in a frame."""
        return int(self.meter_type, _HEX)

    @property
    def kind(self) -> MeterKind:
        """What a meter of this type measures."""
        found = kind_of(self.type_code)
        assert found is not None, "checked when the configuration was read"
        return found

    @property
    def known_order(self) -> DiOrder | None:
        """The byte order of the identifier, unless it must be found out."""
        return None if self.di_order == "auto" else DiOrder(self.di_order)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Field names to hand over."""
        return self.points if self.points is not None else _names(self.kind, with_settlement=False)

    @property
    def metered(self) -> str | None:
        """The counter that measures a carrier, if it is read and metered."""
        name = self.kind.current
        return name if self.metering and name in self.wanted and name in CARRIER_OF_QUANTITY else None

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        return wire_address(address)[::-1].hex()

    @field_validator("meter_type")
    @classmethod
    def _is_a_type(cls, meter_type: str) -> str:
        known = [f"{code:02X}" for code in meter_types()]
        if meter_type.upper() not in known:
            raise ValueError(f"meter type {meter_type!r} is not known; known: {', '.join(known)}")
        return meter_type.upper()

    @model_validator(mode="after")
    def _points_exist(self) -> Self:
        known = _names(self.kind, with_settlement=True)
        for name in self.points or ():
            if name not in known:
                raise ValueError(f"{self.device}: a {self.kind.title} meter has {', '.join(known)}, and no {name!r}")
        return self


class Cjt188LinkConfig(LineConfig):
    """One line; all meters on it share it, one request at a time."""

    baudrate: Annotated[int, Field(ge=300, le=1_000_000)] = 2400
    parity: Literal["N", "E", "O"] = "E"
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    pause_s: Annotated[float, Field(ge=0, le=10)] = 0.05  # silence between an answer and the next request
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    devices: Annotated[tuple[Cjt188DeviceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for device in self.devices:
            if self.timeout_s >= device.interval_s:
                raise ValueError(
                    f"{device.device}: timeout_s {self.timeout_s} is not below interval_s {device.interval_s}"
                )
        meters = [(device.type_code, device.address) for device in self.devices]
        for meter in meters:
            if meters.count(meter) > 1:
                raise ValueError(f"two meters of type {meter[0]:02X} on {self.address} have the address {meter[1]}")
        return self


def _names(kind: MeterKind, *, with_settlement: bool) -> tuple[str, ...]:
    """Field names a meter of this kind has."""
    names = []
    for field in kind.layout.fields:
        if field.name == CURRENT:
            names.append(kind.current)
        elif field.name == SETTLEMENT:
            names += [f"{kind.current}_settlement"] if with_settlement else []
        elif field.unit or field.has_unit:
            names.append(field.name)
    return (*names, STATUS)
