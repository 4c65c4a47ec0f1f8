"""Configuration of an MQTT broker and of the devices and topics on it; checked whole before any socket opens.

[[mqtt]] host, client_id, version, tls ...; [[mqtt.devices]] of a convention; [[mqtt.subscriptions]] of any topic.
"""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.mqtt.convention import convention_names
from kgce.collectors.mqtt.device_config import MqttDeviceConfig
from kgce.collectors.mqtt.subscription import SubscriptionConfig

__all__ = ["MqttConfig", "MqttDeviceConfig", "SubscriptionConfig"]


class MqttConfig(BrokerConfig):
    """One broker; the client id must stay the same for ever, for the broker keeps what arrives meanwhile under it."""

    version: Literal["3.1.1", "5"] = "3.1.1"
    client_id: Annotated[str, Field(min_length=1)]
    session_expiry_s: Annotated[int, Field(ge=60, le=0xFFFFFFFF)] = 7 * 86_400  # MQTT 5: how long the broker keeps
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 1000  # MQTT 5: unacknowledged messages on their way to us
    silent_after_s: Annotated[float, Field(gt=0)] = 3600.0  # a device without a message for so long counts as offline
    subscriptions: tuple[SubscriptionConfig, ...] = ()
    devices: tuple[MqttDeviceConfig, ...] = ()
    watch: tuple[str, ...] = ()  # conventions whose unknown devices are told, once each

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
