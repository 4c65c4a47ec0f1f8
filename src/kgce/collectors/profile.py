"""Device profiles: data files that say where a device keeps its quantities. A new device is a new file, no code."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.modbus.decode import Decoder, decoder, register_type
from kgce.domain.errors import InputError, ProfileError
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.units import conversion

Order = Literal["big", "little"]
_ORDERS: Final = {
    ("big", "big"): "big",
    ("little", "big"): "little",
    ("big", "little"): "swapped",
    ("little", "little"): "little swapped",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisterPlace(_Strict):
    """Where a value lies on the wire; addresses are zero-based."""

    table: Literal["input", "holding", "coil", "discrete"]
    address: Annotated[int, Field(ge=0, le=65_535)]
    type: str
    length: Annotated[int, Field(gt=0, le=250)] | None = None  # bytes of a text

    @property
    def words(self) -> int:
        """Registers the value takes."""
        return ((register_type(self.type).length or self.length or 2) + 1) // 2

    @property
    def is_text(self) -> bool:
        """Whether the value is text, of as many bytes as stated."""
        return register_type(self.type).length == 0


class UnitFrom(_Strict):
    """The unit is set on the device; another point reads it as a code. A code that is not listed means BAD.

    Without any listed code the meaning is unknown: the point's own unit is assumed, and the point must say unverified.
    """

    point: str
    units: dict[int, str]


class ProfilePoint(_Strict):
    """One quantity of a device: value in `unit` = raw x scale + offset."""

    name: str
    register_: Annotated[RegisterPlace, Field(alias="register")]
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    unit_from: UnitFrom | None = None
    kind: Kind
    word_order: Order | None = None  # where it differs from the device's
    byte_order: Order | None = None
    invalid: tuple[str, ...] | None = None  # hex patterns in value order; none stated = the habits of the type
    mask: int | None = None
    shift: int = 0
    metering: bool = False  # the point that measures the device's total
    poll: bool = True  # False: identification and settings, read when asked for
    confidence: Literal["high", "medium", "low"]
    unverified: bool = False
    source: str = ""  # where it differs from the device's
    note: str = ""

    @property
    def reads_its_unit(self) -> bool:
        """Whether a code on the device decides the unit."""
        return self.unit_from is not None and bool(self.unit_from.units)

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        try:
            self._check_register()
            self._check_quantity()
        except (InputError, ProfileError, ValueError) as error:
            raise ValueError(f"{self.name}: {error}") from None
        return self

    def _check_register(self) -> None:
        register = self.register_
        if register.is_text and register.length is None:
            raise ValueError(f"type {register.type} needs a length in bytes")
        if register.is_text and self.poll:
            raise ValueError("text is no reading; say poll = false")
        if (register.type == "bool") is not (register.table in {"coil", "discrete"}):
            raise ValueError(f"table {register.table} does not hold values of type {register.type}")

    def _check_quantity(self) -> None:
        quantity = quantity_of(self.name)
        conversion(self.unit, quantity.unit)
        if self.kind is not quantity.kind:
            raise ValueError(f"kind is {self.kind}, the quantity is a {quantity.kind}")
        if self.metering and self.name not in CARRIER_OF_QUANTITY:
            raise ValueError(f"measures no carrier; these do: {', '.join(CARRIER_OF_QUANTITY)}")
        for unit in self.unit_from.units.values() if self.unit_from else ():
            conversion(unit, quantity.unit)
        if self.unit_from and not self.unit_from.units and not self.unverified:
            raise ValueError("the codes of its unit are not known; say unverified = true")


class ProfileDevice(_Strict):
    """What holds for the whole device."""

    brand: str
    model: str
    measurement: str
    protocol: Literal["modbus"]
    word_order: Order = "big"
    byte_order: Order = "big"
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
        polled = {point.name for point in self.point if point.poll}
        for point in self.point:
            if point.unit_from and point.unit_from.point not in polled:
                raise ValueError(f"{point.name}: unit_from names {point.unit_from.point!r}, which is not polled")
            if point.register_.words > self.device.max_registers:
                raise ValueError(f"{point.name}: longer than max_registers {self.device.max_registers}")
            self._checked_decoder(point)
        return self

    def _checked_decoder(self, point: ProfilePoint) -> None:
        try:
            self.decoder(point)
        except ProfileError as error:
            raise ValueError(f"{point.name}: {error}") from None

    def decoder(self, point: ProfilePoint) -> Decoder:
        """Decoder of a point into the profile's unit."""
        word_order = "big" if point.register_.is_text else point.word_order or self.device.word_order
        return decoder(
            point.register_.type,
            _ORDERS[word_order, point.byte_order or self.device.byte_order],
            scale=point.scale,
            offset=point.offset,
            invalid=point.invalid,
            mask=point.mask,
            shift=point.shift,
            length=point.register_.length,
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
        raise ProfileError(f"profile {name}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


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
