"""Configuration of a Modbus TCP link and the devices behind it."""

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from kgce.collectors.place import Place, Strict
from kgce.collectors.profile import Profile, load_profile
from kgce.domain.errors import ProfileError


class ModbusDeviceConfig(Place):
    """One device (unit id) on a link."""

    unit: Annotated[int, Field(ge=0, le=255)] = 1
    profile: str
    interval_s: Annotated[float, Field(gt=0, le=86_400)] = 10.0

    @cached_property
    def map(self) -> Profile:
        """The device's profile.

        Raises:
            ProfileError: no such profile, or it is wrong.
        """
        return load_profile(self.profile)

    @model_validator(mode="after")
    def _profile_fits(self) -> Self:
        try:
            _ = self.map
        except ProfileError as error:
            raise ValueError(f"{self.device}: {error}") from None
        return self


class ModbusLinkConfig(Strict):
    """One TCP connection; all devices behind it share it, one request at a time."""

    host: str
    port: Annotated[int, Field(gt=0, le=65_535)] = 502
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    devices: Annotated[tuple[ModbusDeviceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for device in self.devices:
            if self.timeout_s >= device.interval_s:
                raise ValueError(
                    f"{device.device}: timeout_s {self.timeout_s} is not below interval_s {device.interval_s}"
                )
        return self
