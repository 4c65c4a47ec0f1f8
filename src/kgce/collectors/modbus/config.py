"""Configuration of a Modbus line, TCP or serial, and the devices behind it."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from kgce.collectors.line.config import LineConfig
from kgce.collectors.place import Place
from kgce.collectors.profile import Profile, load_profile
from kgce.domain.errors import ProfileError

WireMode = Literal["tcp", "rtu", "rtu-over-tcp", "ascii"]
MODBUS_PORT: Final = 502
SERIAL_PAUSE_MS: Final = 20.0  # Neuron's default; more than the 3.5 characters the standard asks for, from 1200 baud on


class ModbusLineConfig(LineConfig):
    """How the devices of one TCP endpoint or serial port are spoken to."""

    mode: WireMode
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0  # a serial line gets the time its bytes take on top
    connections: Annotated[int, Field(ge=1, le=16)] = 1  # parallel ones to host:port, its devices are split over them
    pause_ms: Annotated[float, Field(ge=0, le=10_000)] | None = None  # silence from the end of an answer on
    unit_pause_ms: Annotated[float, Field(ge=0, le=10_000)] = 0  # more of it before another unit is asked
    connect_pause_ms: Annotated[float, Field(ge=0, le=10_000)] = 0  # before the first request of a connection
    wake_up_read: bool = False  # the first request of a poll only wakes the device
    accept_unit: Literal["strict", "direct"] = "strict"  # direct: a TCP device may answer as unit 0 or 255
    echo_transaction: bool = True  # False: a gateway that never repeats the transaction number
    echo: bool = False  # an adapter that repeats every request before its answer
    close_after_poll: bool = False

    @model_validator(mode="before")
    @classmethod
    def _usual_mode(cls, given: Any) -> Any:
        """A host speaks TCP at port 502, a serial port RTU, unless the file says otherwise."""
        if not isinstance(given, dict):
            return given
        filled: dict[str, Any] = {"mode": "rtu" if given.get("serial") else "tcp"} | given
        if filled["mode"] == "tcp" and given.get("host"):
            filled = {"port": MODBUS_PORT} | filled
        return filled

    @model_validator(mode="after")
    def _mode_fits_line(self) -> Self:
        if self.serial is not None and self.mode not in {"rtu", "ascii"}:
            raise ValueError(f'mode {self.mode} does not go over a serial port; say mode = "rtu" or "ascii"')
        if self.host is not None and self.mode == "rtu":
            raise ValueError(
                'mode rtu is for a serial port; a converter with a TCP port speaks "rtu-over-tcp" or "tcp"'
            )
        if self.serial is not None and self.connections > 1:
            raise ValueError("a serial port is one connection")
        if self.mode != "tcp" and (self.accept_unit != "strict" or not self.echo_transaction):
            raise ValueError("accept_unit and echo_transaction belong to mode tcp")
        return self

    @property
    def pause_s(self) -> float:
        """Silence between the end of an answer and the next request."""
        usual = 0.0 if self.mode == "tcp" else SERIAL_PAUSE_MS
        return (usual if self.pause_ms is None else self.pause_ms) / 1000

    def wire_s(self, length: int) -> float:
        """Time this many bytes take on a serial line; 0 on a network."""
        if self.serial is None:
            return 0.0
        bits = 1 + self.bytesize + (self.parity != "N") + self.stopbits
        return length * (2 if self.mode == "ascii" else 1) * bits / self.baudrate


class ModbusDeviceConfig(Place):
    """One device (unit id) on a link."""

    unit: Annotated[int, Field(ge=0, le=255)] = 1
    profile: str
    interval_s: Annotated[float, Field(gt=0, le=86_400)] = 10.0
    ratios: Annotated[
        dict[str, Annotated[float, Field(gt=0)]], Field(default_factory=dict)
    ]  # of its transformers, where the profile asks for them

    @field_validator("profile")
    @classmethod
    def _beside_the_file(cls, profile: str, info: ValidationInfo) -> str:
        """A profile's own file, not a shipped name, starts where the gateway's file lies."""
        folder: Path = (info.context or {}).get("folder", Path())
        return str(folder / profile) if profile.endswith(".toml") else profile

    @cached_property
    def map(self) -> Profile:
        """The device's profile.

        Raises:
            ProfileError: no such profile, or it is wrong.
        """
        return load_profile(self.profile, self.ratios)

    @model_validator(mode="after")
    def _profile_fits(self) -> Self:
        try:
            least_s = self.map.device.min_interval_s
        except ProfileError as error:
            raise ValueError(f"{self.device}: {error}") from None
        if self.interval_s < least_s:
            raise ValueError(f"{self.device}: interval_s {self.interval_s} is below the {least_s} s its profile allows")
        return self


class ModbusLinkConfig(ModbusLineConfig):
    """One line with its devices, which share it one request at a time (for each connection)."""

    devices: Annotated[tuple[ModbusDeviceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for device in self.devices:
            if self.timeout_s >= device.interval_s:
                raise ValueError(
                    f"{device.device}: timeout_s {self.timeout_s} is not below interval_s {device.interval_s}"
                )
            if device.unit == 0 and self.mode != "tcp":
                raise ValueError(f"{device.device}: unit 0 is the broadcast of a serial line, nobody answers to it")
        return self
