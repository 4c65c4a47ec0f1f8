"""Device profiles: data files that say where a device keeps its quantities. A new device is a new file, no code."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kgce.collectors.modbus.decode import Decoder, decoder, register_type
from kgce.domain.errors import InputError, ProfileError
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.units import conversion


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisterPlace(_Strict):
    """Where a value lies on the wire; addresses are zero-based."""

    table: Literal["input", "holding"]
    address: Annotated[int, Field(ge=0, le=65_535)]
    type: str
    length: Annotated[int, Field(gt=0, le=250)] | None = None  # bytes of a text

    @property
    def words(self) -> int:
        """Registers the value takes."""
        return (register_type(self.type).length or self.length or 2) // 2


class ProfilePoint(_Strict):
    """One quantity of a device: value in `unit` = raw x scale + offset."""

    name: str
    register_: Annotated[RegisterPlace, Field(alias="register")]
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    kind: Kind
    order: str | None = None  # where it differs from the device's
    invalid: tuple[str, ...] | None = None  # hex patterns in value order; none stated = the habits of the type
    mask: int | None = None
    shift: int = 0
    metering: bool = False  # the point that measures the device's total
    poll: bool = True  # False: identification and settings, read when asked for
    confidence: Literal["high", "medium", "low"]
    unverified: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        register = self.register_
        known = register_type(register.type)
        if not known.length and register.length is None:
            raise ValueError(f"{self.name}: type {register.type} needs a length in bytes")
        if self.poll:
            quantity = quantity_of(self.name)
            conversion(self.unit, quantity.unit)
            if self.kind is not quantity.kind:
                raise ValueError(f"{self.name}: kind is {self.kind}, the quantity is a {quantity.kind}")
        return self


class ProfileDevice(_Strict):
    """What holds for the whole device."""

    brand: str
    model: str
    measurement: str
    protocol: Literal["modbus"]
    order: str = "big"
    max_registers: Annotated[int, Field(gt=0, le=125)] = 125
    max_gap: Annotated[int, Field(ge=0, le=124)] = 10  # unread registers worth bridging
    confidence: Literal["high", "medium", "low"]
    unverified: bool = False
    source: str


class Profile(_Strict):
    """A device model's whole map."""

    device: ProfileDevice
    point: tuple[ProfilePoint, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [point.name for point in self.point]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"points named twice: {', '.join(sorted(repeated))}")
        if not any(point.poll for point in self.point):
            raise ValueError("no point to poll")
        for point in self.point:
            self.decoder(point)
        return self

    def decoder(self, point: ProfilePoint) -> Decoder:
        """Decoder of a point into the profile's unit."""
        return decoder(
            point.register_.type,
            point.order or self.device.order,
            scale=point.scale,
            offset=point.offset,
            invalid=point.invalid,
            mask=point.mask,
            shift=point.shift,
        )

    @property
    def metering(self) -> tuple[ProfilePoint, ...]:
        """Points that measure the device's totals."""
        return tuple(point for point in self.point if point.metering)


def parse_profile(text: str, name: str) -> Profile:
    """A profile from TOML text.

    Raises:
        ProfileError: not TOML, or a field is wrong; one line that names the profile and the field.
    """
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {name}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise ProfileError(f"profile {name}: {place}: {first['msg']}") from None
    except (InputError, ProfileError) as error:
        raise ProfileError(f"profile {name}: {error}") from None


def profile_names() -> list[str]:
    """Names of the profiles shipped with kgce."""
    folder = resources.files("kgce.collectors").joinpath("profiles")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name: str) -> Profile:
    """A shipped profile by name, or any by the path of its file.

    Raises:
        ProfileError: no such profile, or it is wrong.
    """
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(f"profile {name}: {error}") from None
        return parse_profile(text, name)
    if name not in profile_names():
        raise ProfileError(f"unknown profile {name!r}; shipped: {', '.join(profile_names())}, or give a .toml file")
    return parse_profile(resources.files("kgce.collectors").joinpath(f"profiles/{name}.toml").read_text("utf-8"), name)
