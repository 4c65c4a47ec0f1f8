"""Configuration of all collectors: Modbus links and MQTT subscriptions; checked whole before any socket opens."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Self

from pydantic import model_validator

from kgce.collectors.modbus.config import ModbusDeviceConfig, ModbusLinkConfig
from kgce.collectors.mqtt.config import MqttConfig, SubscriptionConfig
from kgce.collectors.place import Strict

__all__ = ["CollectorsConfig", "ModbusDeviceConfig", "ModbusLinkConfig", "MqttConfig", "SubscriptionConfig"]


class CollectorsConfig(Strict):
    """The tables `[[modbus]]` and `[[mqtt]]` of a gateway's file."""

    modbus: tuple[ModbusLinkConfig, ...] = ()
    mqtt: tuple[MqttConfig, ...] = ()

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        _refuse_repeated("device", (f"{who} of {where}" for where, who in self._devices()))
        _refuse_repeated("quantity", self._mqtt_quantities())
        _refuse_repeated("Modbus link", (f"{link.host}:{link.port}" for link in self.modbus))
        _refuse_repeated("MQTT client", (f"{link.client_id} at {link.host}:{link.port}" for link in self.mqtt))
        return self

    def _devices(self) -> Iterator[tuple[str, str]]:
        """Every device once per source that reads it; topics of one MQTT link may share a device."""
        for link in self.modbus:
            yield from ((device.institution, device.device) for device in link.devices)
        for broker in self.mqtt:
            yield from {(topic.institution, topic.device) for topic in broker.subscriptions}

    def _mqtt_quantities(self) -> Iterator[str]:
        for broker in self.mqtt:
            for topic in broker.subscriptions:
                yield from (f"{name} of {topic.device} of {topic.institution}" for name in topic.fields)


def _refuse_repeated(what: str, found: Iterable[str]) -> None:
    repeated = [name for name, times in Counter(found).items() if times > 1]
    if repeated:
        raise ValueError(f"{what} configured twice: {', '.join(repeated)}")
