"""Configuration of an MQTT source: a broker, and what each topic's payload means."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from kgce.collectors.metering import metering_point
from kgce.collectors.mqtt.paths import parse_path
from kgce.collectors.place import Place, Strict
from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


class TimeRule(Strict):
    """Where a payload keeps its own time. Without a rule the time of arrival counts."""

    path: str
    format: Literal["iso", "unix_s", "unix_ms"]
    tz: str | None = None  # of ISO times without an offset; without it they are refused

    @model_validator(mode="after")
    def _names_a_zone(self) -> Self:
        parse_path(self.path)
        if self.tz is not None:
            try:
                ZoneInfo(self.tz)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(f"unknown time zone {self.tz!r}") from None
        return self


class FieldRule(Strict):
    """Where a quantity lies in the payload: `ENERGY.Power[0]`; an empty path is the whole payload."""

    path: str = ""
    unit: str = ""
    scale: float = 1.0


class SubscriptionConfig(Place):
    """One topic that carries one device."""

    topic: Annotated[str, Field(min_length=1)]
    measurement: Annotated[str, Field(min_length=1)]
    time: TimeRule | None = None
    fields: Annotated[dict[str, FieldRule], Field(min_length=1)]
    metering: str | None = None  # the quantity that measures the device's total

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        if "#" in self.topic or "+" in self.topic:
            raise ValueError(f"{self.topic}: a wildcard cannot say which device it is; give each device its topic")
        for name, rule in self.fields.items():
            parse_path(rule.path)
            conversion(rule.unit, quantity_of(name).unit)
        if self.metering is not None:
            if self.metering not in self.fields:
                raise ValueError(f"{self.topic}: metering names {self.metering}, which is not among the fields")
            metering_point(self, self.metering, self.measurement)
        return self


class MqttConfig(Strict):
    """One broker."""

    host: str
    port: Annotated[int, Field(gt=0, le=65_535)] = 1883
    client_id: Annotated[str, Field(min_length=1)]  # stable: the broker keeps the session under this name
    username: str | None = None
    password_env: str | None = None  # name of the environment variable that holds the password
    tls: bool = False
    ca_file: Path | None = None
    keepalive_s: Annotated[int, Field(gt=0, le=3600)] = 30
    subscriptions: Annotated[tuple[SubscriptionConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        topics = [subscription.topic for subscription in self.subscriptions]
        repeated = sorted({topic for topic in topics if topics.count(topic) > 1})
        if repeated:
            raise ValueError(f"topics subscribed twice: {', '.join(repeated)}")
        return self

    @cached_property
    def by_topic(self) -> dict[str, SubscriptionConfig]:
        """Subscriptions by their topic."""
        return {subscription.topic: subscription for subscription in self.subscriptions}

    def password(self) -> str | None:
        """The password from the environment.

        Raises:
            ConfigError: the variable is not set.
        """
        if self.password_env is None:
            return None
        found = os.environ.get(self.password_env)
        if found is None:
            raise ConfigError(f"mqtt {self.host}: environment variable {self.password_env} is not set")
        return found
