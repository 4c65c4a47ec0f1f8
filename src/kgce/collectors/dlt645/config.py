"""Configuration of a line with DL/T 645 meters."""

from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from kgce.collectors.dlt645.frame import BROADCAST, wire_address
from kgce.collectors.dlt645.identifiers import Edition, identifier_of, names
from kgce.collectors.line.config import LineConfig
from kgce.collectors.place import Place
from kgce.domain.carriers import CARRIERS

USUAL_POINTS: Final = {
    Edition.Y2007: (
        "active_energy_import", "active_energy_export", "active_power_total",
        "voltage_l1_n", "voltage_l2_n", "voltage_l3_n", "current_l1", "current_l2", "current_l3",
        "power_factor_total", "frequency",
    ),
    Edition.Y1997: ("active_energy_import", "voltage_l1_n", "voltage_l2_n", "voltage_l3_n"),
}  # fmt: skip


class Dlt645DeviceConfig(Place):
    """One meter on the line."""

    address: str  # as printed on the meter; fewer than twelve digits are filled with zeros
    edition: Literal["2007", "1997", "auto"] = "auto"  # auto: found out by asking, meters of both share lines
    points: tuple[str, ...] | None = None  # field names; None: the usual ones of the edition
    voltage_ratio: Annotated[float, Field(gt=0)] = 1.0  # of transformers the meter does not know of
    current_ratio: Annotated[float, Field(gt=0)] = 1.0
    metering: tuple[str, ...] = (CARRIERS["electricity"].quantity,)
    measurement: str = "electricity"
    interval_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0

    @property
    def known_edition(self) -> Edition | None:
        """The edition, unless it must be found out."""
        return None if self.edition == "auto" else Edition(self.edition)

    def wanted(self, edition: Edition) -> tuple[str, ...]:
        """Field names to read from a meter of this edition."""
        chosen = USUAL_POINTS[edition] if self.points is None else self.points
        return tuple(name for name in chosen if identifier_of(edition, name) is not None)

    @cached_property
    def metered(self) -> tuple[str, ...]:
        """Counters that measure a carrier, of those that are read."""
        editions = [self.known_edition] if self.known_edition is not None else list(Edition)
        read = {name for edition in editions for name in self.wanted(edition)}
        return tuple(name for name in self.metering if name in read)

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        printed = wire_address(address)[::-1].hex()
        if printed == BROADCAST:
            raise ValueError("no meter answers to the broadcast address 999999999999")
        return printed

    @model_validator(mode="after")
    def _points_exist(self) -> Self:
        for name in self.points or ():
            if name not in names():
                raise ValueError(f"{self.device}: DL/T 645 has no point {name!r}; known: {', '.join(sorted(names()))}")
            if self.known_edition is not None and identifier_of(self.known_edition, name) is None:
                raise ValueError(f"{self.device}: meters of edition {self.edition} have no point {name!r}")
        return self


class Dlt645LinkConfig(LineConfig):
    """One line; all meters on it share it, one request at a time."""

    baudrate: Annotated[int, Field(ge=300, le=1_000_000)] = 2400
    parity: Literal["N", "E", "O"] = "E"
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.5  # the standard gives a meter half a second to begin
    pause_s: Annotated[float, Field(ge=0, le=10)] = 0.05  # silence between an answer and the next request
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    devices: Annotated[tuple[Dlt645DeviceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for device in self.devices:
            if self.timeout_s >= device.interval_s:
                raise ValueError(
                    f"{device.device}: timeout_s {self.timeout_s} is not below interval_s {device.interval_s}"
                )
        addresses = [device.address for device in self.devices]
        for address in addresses:
            if addresses.count(address) > 1:
                raise ValueError(f"two meters on {self.address} have the address {address}")
        return self
