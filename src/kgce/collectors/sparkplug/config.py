"""Configuration of a Sparkplug broker, the devices heard there, and what their metrics mean."""

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.place import FileName, Place, Strict
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

TopicName = Annotated[str, StringConstraints(pattern=r"^[^+#/\x00]+$")]  # one level of a topic, no wildcard


class MetricRule(Strict):
    """What one metric is."""

    quantity: str
    unit: str | None = None  # None = the unit the birth states as a property
    scale: float = 1.0  # value in unit = number in the message x scale


class SparkplugDeviceConfig(Place):
    """One device behind an edge node, or the node itself."""

    group: TopicName
    node: TopicName
    sparkplug_device: TopicName | None = None  # None = metrics of the node itself
    measurement: Annotated[str, Field(min_length=1)]
    metrics: Annotated[dict[str, MetricRule], Field(min_length=1)]
    metering: str | None = None  # the quantity that measures the device's total

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        for name, rule in self.metrics.items():
            try:
                quantity = quantity_of(rule.quantity)
                if rule.unit is not None:
                    conversion(rule.unit, quantity.unit)
            except InputError as error:
                raise ValueError(f"{self.device}: {name}: {error}") from None
        quantities = Counter(rule.quantity for rule in self.metrics.values())
        for quantity_name, times in quantities.items():
            if times > 1:
                raise ValueError(f"{self.device}: two metrics give {quantity_name}")
        if self.metering is not None and self.metering not in quantities:
            raise ValueError(f"{self.device}: metering names {self.metering!r}, which is not among the quantities")
        if self.metering is not None and self.metering not in CARRIER_OF_QUANTITY:
            raise ValueError(f"{self.device}: {self.metering} measures no carrier")
        return self

    @property
    def address(self) -> tuple[str, str, str]:
        """(group, node, device), where "" is the node itself."""
        return self.group, self.node, self.sparkplug_device or ""


class SparkplugConfig(Strict):
    """One broker on which kgce is a host application."""

    host: str
    port: Annotated[int, Field(gt=0, le=65_535)] = 1883
    client_id: Annotated[str, Field(min_length=1)]
    host_id: TopicName  # names the STATE topic; nodes that wait for a primary host wait for this name
    version: Literal["3.1.1", "5"] = "3.1.1"
    username: str | None = None
    password_env: str | None = None
    tls: bool = False
    ca_file: FileName | None = None  # None = the system's authorities
    cert_file: FileName | None = None
    key_file: FileName | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    reorder_s: Annotated[float, Field(ge=0, le=60)] = 2.0  # how long a missing message is waited for
    rebirth_every_s: Annotated[float, Field(gt=0)] = 60.0  # a node is asked for its births no more often
    birth_max_age_s: Annotated[float, Field(gt=0)] = 300.0  # an older value in a birth is no sample
    devices: Annotated[tuple[SparkplugDeviceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_connect(self) -> Self:
        if self.password_env and self.username is None:
            raise ValueError("password_env needs a username")
        if self.password_env and self.password_env not in os.environ:
            raise ValueError(f"environment variable {self.password_env} is not set; export it, or leave this key out")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("ca_file and cert_file need tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        for file in filter(None, (self.ca_file, self.cert_file, self.key_file)):
            if not Path(file).is_file():
                raise ValueError(f"no file {file}")
        return self

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for (group, node, device), times in Counter(one.address for one in self.devices).items():
            if times > 1:
                raise ValueError(f"{group}/{node}/{device} is configured {times} times: list its metrics once")
        return self

    @property
    def password(self) -> str | None:
        """The secret itself, from the environment."""
        return os.environ[self.password_env] if self.password_env else None
