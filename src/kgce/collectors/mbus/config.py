"""Configuration of an M-Bus line, on a serial port or behind a TCP converter, and the meters on it."""

from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from kgce.collectors.line.config import LineConfig
from kgce.collectors.mbus.conversation import Target
from kgce.collectors.mbus.rules import Medium, RecordRule, usual_rules
from kgce.collectors.mbus.secondary import full_mask
from kgce.collectors.mbus.timing import Timing
from kgce.collectors.place import Place
from kgce.domain.carriers import CARRIERS, Carrier
from kgce.domain.tree import DEFAULT_TIMEZONE

CARRIER_OF_MEDIUM: Final[dict[Medium, Carrier | None]] = {
    "electricity": CARRIERS["electricity"],
    "gas": CARRIERS["natural_gas"],
    "heat": CARRIERS["heat"],
    "cooling": CARRIERS["cooling"],
    "water": CARRIERS["water"],
    "other": None,
}


class MbusDeviceConfig(Place):
    """One meter: by its bus address, or by its number wherever it sits."""

    address: Annotated[int, Field(ge=0, le=250)] | None = None
    secondary: str | None = None  # number on the meter, or 16 digits with manufacturer, version, medium; F for any
    number: str | None = None  # with address: the meter's number, checked, so that an exchanged meter is noticed
    medium: Medium
    interval_s: Annotated[float, Field(gt=0, le=86_400)] = 900.0  # a reading costs a battery-fed meter energy
    time: Literal["gateway", "meter"] = "gateway"  # meter: its own clock; no new sample while that stands still
    timezone: str = DEFAULT_TIMEZONE  # of the meter's clock
    storage: Annotated[int, Field(ge=0)] = 0  # some meters hold the last hour's values in storage 1 only
    records: tuple[RecordRule, ...] = ()  # tried before the usual ones

    @property
    def target(self) -> Target:
        """Whom to ask."""
        return Target.of_secondary(self.secondary) if self.secondary is not None else Target(self.address or 0)

    @property
    def rules(self) -> tuple[RecordRule, ...]:
        """Own rows, then the usual ones of the medium."""
        return self.records + usual_rules(self.medium)

    @property
    def measurement(self) -> str:
        """Device kind in the store."""
        carrier = CARRIER_OF_MEDIUM[self.medium]
        return carrier.measurement if carrier else self.medium

    @field_validator("secondary")
    @classmethod
    def _is_secondary(cls, secondary: str | None) -> str | None:
        return None if secondary is None else full_mask(secondary)

    @field_validator("number")
    @classmethod
    def _is_number(cls, number: str | None) -> str | None:
        return None if number is None else full_mask(number.zfill(8))

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (OSError, ValueError, KeyError):
            raise ValueError(f"unknown time zone {timezone!r}; write it like {DEFAULT_TIMEZONE}") from None
        return timezone

    @model_validator(mode="after")
    def _is_one_meter(self) -> Self:
        if (self.address is None) == (self.secondary is None):
            raise ValueError(f"{self.device}: say which meter with address or with secondary, and not both")
        return self


class MbusLinkConfig(LineConfig):
    """One bus; its meters share it one request at a time."""

    baudrate: Annotated[int, Field(ge=300, le=38_400)] = 2400  # of the bus, also behind a TCP converter
    parity: Literal["N", "E", "O"] = "E"
    extra_timeout_s: Annotated[float, Field(ge=0, le=30)] = 0.0  # beyond what the bit rate needs
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    devices: Annotated[tuple[MbusDeviceConfig, ...], Field(min_length=1)]

    @property
    def timing(self) -> Timing:
        """Time limits on this bus."""
        return Timing.at(self.baudrate, self.extra_timeout_s)

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for device in self.devices:
            if self.timing.answer_s >= device.interval_s:
                raise ValueError(
                    f"{device.device}: an answer may take {self.timing.answer_s:.1f} s at {self.baudrate} baud, "
                    f"interval_s {device.interval_s} is not above it"
                )
        targets = [device.target for device in self.devices]
        for target in targets:
            if targets.count(target) > 1:
                raise ValueError(f"two meters are {target} on {self.address}")
        return self
