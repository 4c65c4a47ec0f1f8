"""Configuration of all collectors: Modbus links and MQTT subscriptions; checked whole before any socket opens."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import Self, TypeVar

from pydantic import model_validator

from kgce.collectors.modbus.config import ModbusDeviceConfig, ModbusLinkConfig
from kgce.collectors.mqtt.config import MqttConfig, SubscriptionConfig
from kgce.collectors.place import Strict

_T = TypeVar("_T", bound=Hashable)

__all__ = ["CollectorsConfig", "ModbusDeviceConfig", "ModbusLinkConfig", "MqttConfig", "SubscriptionConfig"]


class CollectorsConfig(Strict):
    """The tables `[[modbus]]` and `[[mqtt]]` of a gateway's file."""

    modbus: tuple[ModbusLinkConfig, ...] = ()
    mqtt: tuple[MqttConfig, ...] = ()

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for link in _repeated((link.host, link.port) for link in self.modbus):
            raise ValueError(f"two links to {link[0]}:{link[1]}: put their devices on one, it is one queue")
        for who, where in _repeated(self._devices()):
            raise ValueError(f"two devices are called {who!r} at institution {where!r}")
        for name, who, where in _repeated(self._quantities_by_mqtt()):
            raise ValueError(f"two topics give {name} of {who!r} at institution {where!r}")
        for client, host, port in _repeated((link.client_id, link.host, link.port) for link in self.mqtt):
            raise ValueError(f"two clients are called {client!r} at {host}:{port}: they would throw each other out")
        return self

    def _devices(self) -> Iterator[tuple[str, str]]:
        """Every device once per link that reads it: topics of one broker may share a device."""
        for link in self.modbus:
            yield from ((device.device, device.institution) for device in link.devices)
        for broker in self.mqtt:
            yield from {(topic.device, topic.institution) for topic in broker.subscriptions}

    def _quantities_by_mqtt(self) -> Iterator[tuple[str, str, str]]:
        for broker in self.mqtt:
            for topic in broker.subscriptions:
                yield from ((name, topic.device, topic.institution) for name in topic.fields)


def _repeated(found: Iterable[_T]) -> list[_T]:
    return [entry for entry, times in Counter(found).items() if times > 1]
