"""Configuration of an MQTT broker and of the devices and topics on it; checked whole before any socket opens.

[[mqtt]] host, client_id, version, tls ...; [[mqtt.devices]] of a convention; [[mqtt.subscriptions]] of any topic.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kgce.collectors.mqtt.convention import convention_names
from kgce.collectors.mqtt.device_config import MqttDeviceConfig
from kgce.collectors.mqtt.subscription import SubscriptionConfig
from kgce.collectors.place import FileName, Strict

__all__ = ["MqttConfig", "MqttDeviceConfig", "SubscriptionConfig"]


class MqttConfig(Strict):
    """One broker; the client id must stay the same for ever, for the broker keeps what arrives meanwhile under it."""

    host: str
    port: Annotated[int, Field(gt=0, le=65_535)] = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    client_id: Annotated[str, Field(min_length=1)]
    username: str | None = None
    password_env: str | None = None
    password_file: FileName | None = None
    tls: bool = False
    ca_file: FileName | None = None  # None = the system's authorities
    cert_file: FileName | None = None  # this client's own certificate, and its key
    key_file: FileName | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    session_expiry_s: Annotated[int, Field(ge=60, le=0xFFFFFFFF)] = 7 * 86_400  # MQTT 5: how long the broker keeps
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 1000  # MQTT 5: unacknowledged messages on their way to us
    silent_after_s: Annotated[float, Field(gt=0)] = 3600.0  # a device without a message for so long counts as offline
    subscriptions: tuple[SubscriptionConfig, ...] = ()
    devices: tuple[MqttDeviceConfig, ...] = ()
    watch: tuple[str, ...] = ()  # conventions whose unknown devices are told, once each

    @model_validator(mode="after")
    def _secrets_are_there(self) -> Self:
        if (self.password_env or self.password_file) and self.username is None:
            raise ValueError(f"{'password_env' if self.password_env else 'password_file'} needs a username")
        if self.password_env and self.password_file:
            raise ValueError("password_env and password_file: give one of them")
        if self.password_env and self.password_env not in os.environ:
            raise ValueError(f"environment variable {self.password_env} is not set; export it, or leave this key out")
        for name in ("ca_file", "cert_file", "key_file", "password_file"):
            path = getattr(self, name)
            if path and not self.tls and name != "password_file":
                raise ValueError(f"{name} needs tls = true")
            if path and not Path(path).is_file():
                raise ValueError(f"{name}: no file {path}")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both")
        return self

    @model_validator(mode="after")
    def _somebody_is_heard(self) -> Self:
        if not self.subscriptions and not self.devices:
            raise ValueError("give [[mqtt.devices]] or [[mqtt.subscriptions]]: nobody is listened to")
        for name in self.watch:
            if name not in convention_names():
                raise ValueError(f"watch: unknown convention {name!r}; known: {', '.join(convention_names())}")
        heard = Counter((one.convention, one.prefix, one.id, one.channel) for one in self.devices)
        for (convention, _, name, channel), times in heard.items():
            if times > 1:
                which = f"{name}, channel {channel}" if channel else name
                raise ValueError(f"{convention} {which} stands in the file {times} times: one device, one place")
        return self

    @property
    def password(self) -> str | None:
        """The secret itself, from the environment or a file."""
        if self.password_file:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        return os.environ[self.password_env] if self.password_env else None
