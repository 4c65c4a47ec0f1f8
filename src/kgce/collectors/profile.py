"""Device profiles: data files that say where a device keeps its quantities. A new device is a new file, no code."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Final, Self

from pydantic import Field, ValidationError, model_validator

from kgce.collectors.modbus.decode import Decoder, decoder
from kgce.collectors.profile_device import Hole, Identify, ProfileDevice
from kgce.collectors.profile_point import Order, ProfilePoint, ProfileTable, RegisterPlace, UnitFrom
from kgce.domain.errors import ProfileError

__all__ = [
    "Profile", "ProfileDevice", "ProfilePoint", "RegisterPlace", "UnitFrom",
    "load_profile", "parse_profile", "profile_names",
]  # fmt: skip

_ORDERS: Final = {
    ("big", "big"): "big",
    ("little", "big"): "little",
    ("big", "little"): "swapped",
    ("little", "little"): "little swapped",
}


class Profile(ProfileTable):
    """A device model's whole map."""

    device: ProfileDevice
    point: tuple[ProfilePoint, ...]
    identify: tuple[Identify, ...] = ()
    hole: tuple[Hole, ...] = ()
    ratios: dict[str, float] = Field(default={}, exclude=True)  # those configured; the scales hold them already

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        repeated = [name for name, count in Counter(point.name for point in self.point).items() if count > 1]
        if repeated:
            raise ValueError(f"points named twice: {', '.join(sorted(repeated))}")
        if self.ratios:
            raise ValueError("ratios belong to [device]; those of one meter to the gateway's file")
        if not any(point.poll for point in self.point):
            raise ValueError("no point to poll")
        for point in self.point:
            self._check_needs(point)
            self._checked_decoder(point)
        self._check_lengths()
        return self

    def _check_needs(self, point: ProfilePoint) -> None:
        polled = {other.name: other for other in self.point if other.poll}
        if point.unit_from and point.unit_from.point not in polled:
            raise ValueError(f"{point.name}: unit_from names {point.unit_from.point!r}, which is not polled")
        for name in point.needs:
            if name not in polled and not (name in self.device.ratios and name in point.multiplied_by):
                raise ValueError(
                    f"{point.name}: depends on {name!r}, which is neither polled nor a ratio of the device"
                )
            if name == point.plus and polled[name].plus:
                raise ValueError(f"{point.name}: {name} is itself a sum")
            if name != point.plus and name in polled and polled[name].is_derived:
                raise ValueError(f"{point.name}: {name} depends on other registers itself")

    def _check_lengths(self) -> None:
        from kgce.collectors.modbus.plan import first_too_long  # noqa: PLC0415 - the planner reads profiles

        name = first_too_long(self)
        if name:
            raise ValueError(f"{name}: longer than max_registers {self.device.max_registers}")

    def _checked_decoder(self, point: ProfilePoint) -> None:
        try:
            self.decoder(point)
        except ProfileError as error:
            raise ValueError(f"{point.name}: {error}") from None

    def order(self, point: ProfilePoint | Identify) -> str:
        """The order of a value's bytes on the wire, in the decoder's words."""
        word_order: Order = "big" if point.register_.is_text else point.word_order or self.device.word_order
        byte_order = point.byte_order if isinstance(point, ProfilePoint) else None
        return _ORDERS[word_order, byte_order or self.device.byte_order]

    def decoder(self, point: ProfilePoint) -> Decoder:
        """Decoder of a point into the profile's unit."""
        return decoder(
            point.register_.type,
            self.order(point),
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

    @property
    def is_unverified(self) -> bool:
        """Whether anything in it still has to be compared with a real device."""
        return self.device.unverified or any(point.unverified for point in self.point)

    def remarks(self) -> Iterator[str]:
        """What whoever uses the profile must know, one line each."""
        unsure = [point.name for point in self.point if point.unverified and point.poll]
        if unsure:
            shown = ", ".join(unsure[:5]) + (f" and {len(unsure) - 5} more" if len(unsure) > 5 else "")  # noqa: PLR2004 - a line's worth
            yield f"unverified, compare with the device's display: {shown}"
        for name, usual in self.device.ratios.items():
            if name not in self.ratios:
                yield f"ratio {name} is not configured, {usual:g} is assumed"


def _with_ratios(profile: Profile, ratios: Mapping[str, float]) -> Profile:
    """The profile as its file says, with the ratios of one device in the scales."""
    device = profile.device
    for name, value in ratios.items():
        if name not in device.ratios:
            known = ", ".join(device.ratios) or "none"
            raise ProfileError(f"{device.brand} {device.model} has no ratio {name!r}; it has: {known}")
        if not 0 < value < float("inf"):
            raise ProfileError(f"ratio {name} is {value}; a positive number is needed")
    factors = device.ratios | dict(ratios)
    points = tuple(_scaled(point, factors) for point in profile.point)
    return profile.model_copy(update={"point": points, "ratios": dict(ratios)})


def _scaled(point: ProfilePoint, factors: Mapping[str, float]) -> ProfilePoint:
    """The point with its ratios in scale and offset; factors read from registers stay."""
    scale, offset = point.scale, point.offset
    for name in point.multiplied_by:
        scale, offset = scale * factors.get(name, 1.0), offset * factors.get(name, 1.0)
    rest = tuple(name for name in point.multiplied_by if name not in factors)
    return point.model_copy(update={"scale": scale, "offset": offset, "multiplied_by": rest})


def parse_profile(text: str, name: str, ratios: Mapping[str, float] | None = None) -> Profile:
    """A profile from TOML text, with one device's ratios in its scales.

    Raises:
        ProfileError: not TOML, or a field is wrong; one line that names the profile and the field.
    """
    try:
        return _with_ratios(Profile.model_validate(tomllib.loads(text)), ratios or {})
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


def load_profile(name: str, ratios: Mapping[str, float] | None = None) -> Profile:
    """A shipped profile by name, or any by the path of its file, with one device's ratios in its scales.

    Raises:
        ProfileError: no such profile, it is wrong, or it has no such ratio.
    """
    return parse_profile(profile_text(name), name, ratios)


def profile_text(name: str) -> str:
    """The file behind a name or path.

    Raises:
        ProfileError: there is none.
    """
    if name.endswith(".toml"):
        try:
            return Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(f"profile {name}: {error}") from None
    if name not in profile_names():
        raise ProfileError(f"unknown profile {name!r}; shipped: {', '.join(profile_names())}, or give a .toml file")
    return resources.files("kgce.collectors").joinpath(f"profiles/{name}.toml").read_text("utf-8")
