"""A convention: what a family of devices writes into which topic; a data file, read and checked here.

conventions/<name>.toml --> Convention --> read_message.py
"""

import tomllib
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from kgce.collectors.mqtt.json_path import Step, parse_path
from kgce.collectors.mqtt.topic_pattern import TopicPattern
from kgce.collectors.place import Strict
from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

_FOLDER: Final = "conventions"


class TimeSpec(Strict):
    """Where the time lies: looked for in the part, then in what encloses it."""

    path: str
    format: Literal["iso", "unix_s", "unix_ms", "iso_or_unix_ms"]
    required: bool = True  # False: devices may be set up to leave it out
    local: bool = False  # written without offset: the zone must be configured

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The path, parsed."""
        return parse_path(self.path)


class TakeSpec(Strict):
    """A word of the document that decides what a value means."""

    path: str
    default: str = ""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The path, parsed."""
        return parse_path(self.path)


class FieldSpec(Strict):
    """One quantity: where it lies, in which unit, of which channel."""

    quantity: str
    path: str = ""
    unit: str = ""  # {unit} = the word of that name
    scale: float = 1.0
    channels: bool = False  # an array holds one value per channel; a scalar belongs to all
    channel: str = ""  # "1", "total", "{n}"
    where: dict[str, str] = Field(default_factory=dict)
    stored: bool = True  # False: shown by decode, kept nowhere (an amount since the last message is no register)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The path, parsed."""
        return parse_path(self.path)

    @model_validator(mode="after")
    def _measures_what_it_says(self) -> Self:
        if self.stored and not self.unit.startswith("{"):
            conversion(self.unit, quantity_of(self.quantity).unit)
        return self


class MessageSpec(Strict):
    """One kind of message."""

    topic: str
    also: tuple[str, ...] = ()  # other topics with the same content
    says: Literal["values", "online", "unit", "text"] = "values"
    each: tuple[str, ...] = ()  # the way to the parts: a key, {variable} for any key, [] or [variable] for array items
    roots: tuple[str, ...] = ("",)  # the values lie in the first of these that is there
    time: TimeSpec | None = None
    take: dict[str, TakeSpec] = Field(default_factory=dict)
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # words a part must have to count
    fields: tuple[FieldSpec, ...] = ()
    name: str = ""  # open values: what the device calls a scalar, as a template
    open: bool = False  # the device names its values; the gateway's file says what they mean
    bad: str = ""  # open values: object of names that are "not available" now
    online: dict[str, bool] = Field(default_factory=dict)

    def patterns(self, prefix: str) -> tuple[TopicPattern, ...]:
        """Its topics below a prefix."""
        return _bound((self.topic, *self.also), prefix)


class Convention(Strict):
    """All messages of one family."""

    name: str
    source: Annotated[str, Field(min_length=1)]
    confidence: Literal["high", "medium", "low"]
    prefix: str = ""  # what {prefix} is unless configured
    measurement: str = "electricity"
    channel_base: int = 0  # number of the first channel in topics and keys
    channel_suffix: str = "_ch{channel}"
    repeats_within_s: float = 0.0  # the same text within this time is the same message again
    message: tuple[MessageSpec, ...]

    @property
    def is_open(self) -> bool:
        """The device names its values, so the gateway's file must say what they mean."""
        return any(message.open for message in self.message)

    @property
    def states_units(self) -> bool:
        """Devices say the unit themselves."""
        return any(message.says == "unit" for message in self.message)

    @property
    def has_local_time(self) -> bool:
        """Times come without offset."""
        return any(message.time is not None and message.time.local for message in self.message)

    def quantities(self) -> set[str]:
        """What can be stored, without channels."""
        return {field.quantity for message in self.message for field in message.fields if field.stored}


@lru_cache(maxsize=1024)
def _bound(topics: tuple[str, ...], prefix: str) -> tuple[TopicPattern, ...]:
    return tuple(TopicPattern(text).bound({"prefix": prefix}) for text in topics)


@cache
def convention_names() -> tuple[str, ...]:
    """Every convention kgce knows."""
    found = files("kgce.collectors.mqtt").joinpath(_FOLDER).iterdir()
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in found if entry.name.endswith(".toml")))


@cache
def load_convention(name: str) -> Convention:
    """A convention by name.

    Raises:
        ConfigError: nobody wrote it down.
    """
    if name not in convention_names():
        raise ConfigError(f"unknown convention {name!r}; known: {', '.join(convention_names())}")
    text = files("kgce.collectors.mqtt").joinpath(f"{_FOLDER}/{name}.toml").read_text(encoding="utf-8")
    return Convention.model_validate({"name": name, **tomllib.loads(text)})
