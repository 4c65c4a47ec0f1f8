"""One topic of one device, described in the gateway's file: the generic way, for devices of no known convention."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kgce.collectors.files.times import zone
from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.mqtt.json_path import Step, parse_path
from kgce.collectors.place import Place, Strict
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


def _path(text: str) -> str:
    parse_path(text)
    return text


JsonPath = Annotated[str, AfterValidator(_path)]


class TimeRule(Strict):
    """Where a message keeps its time."""

    path: JsonPath
    format: Literal["iso", "unix_s", "unix_ms"]
    tz: str | None = None  # zone of ISO times without offset; without it they are refused

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The path, parsed."""
        return parse_path(self.path)

    @model_validator(mode="after")
    def _zone_fits(self) -> Self:
        if self.tz is not None and self.format != "iso":
            raise ValueError(f"tz belongs to ISO times; {self.format} is UTC already")
        if self.tz is not None:
            zone(self.tz)
        return self


class FieldRule(Strict):
    """Where a message keeps one quantity, and in which unit."""

    path: JsonPath = ""  # "" = the whole payload is the value
    unit: str = ""
    scale: float = 1.0  # value in unit = number in the message x scale

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The path, parsed."""
        return parse_path(self.path)


class SubscriptionConfig(Place):
    """One topic of one device; a device may have several topics, a topic several devices."""

    topic: Annotated[str, Field(min_length=1)]
    measurement: Annotated[str, Field(min_length=1)]
    samples: JsonPath | None = None  # an array of samples, each with its own time and fields
    time: TimeRule | None = None  # None = the time of arrival
    fields: Annotated[dict[str, FieldRule], Field(min_length=1)]
    metering: str | None = None  # the field that measures the device's total

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if set("+#") & set(self.topic):
            raise ValueError(f"{self.topic}: one topic belongs to one device, a wildcard would mix several")
        if self.samples is not None and self.time is None:
            raise ValueError(f"{self.topic}: samples of one message need a time each: add time")
        for name, rule in self.fields.items():
            try:
                conversion(rule.unit, quantity_of(name).unit)
            except InputError as error:
                raise ValueError(f"{self.topic}: {name}: {error}") from None
        if self.metering is not None and self.metering not in self.fields:
            raise ValueError(f"{self.topic}: metering names {self.metering!r}, which is not among the fields")
        if self.metering is not None and self.metering not in CARRIER_OF_QUANTITY:
            raise ValueError(f"{self.topic}: {self.metering} measures no carrier")
        return self
