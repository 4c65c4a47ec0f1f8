"""Configuration of all collectors: a table per driver; checked whole before any socket opens."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import Self, TypeVar

from pydantic import model_validator

from kgce.collectors.cjt188.config import Cjt188LinkConfig
from kgce.collectors.dlt645.config import Dlt645LinkConfig
from kgce.collectors.line.config import LineConfig
from kgce.collectors.mbus.config import MbusLinkConfig
from kgce.collectors.modbus.config import ModbusDeviceConfig, ModbusLinkConfig
from kgce.collectors.mqtt.config import MqttConfig, SubscriptionConfig
from kgce.collectors.ocpp.config import OcppConfig
from kgce.collectors.place import Place, Strict
from kgce.collectors.sparkplug.config import SparkplugConfig

_T = TypeVar("_T", bound=Hashable)

__all__ = ["CollectorsConfig", "ModbusDeviceConfig", "ModbusLinkConfig", "MqttConfig", "SubscriptionConfig"]


class CollectorsConfig(Strict):
    """The tables of a gateway's file, each named after its driver."""

    modbus: tuple[ModbusLinkConfig, ...] = ()
    dlt645: tuple[Dlt645LinkConfig, ...] = ()
    cjt188: tuple[Cjt188LinkConfig, ...] = ()
    mbus: tuple[MbusLinkConfig, ...] = ()
    mqtt: tuple[MqttConfig, ...] = ()
    sparkplug: tuple[SparkplugConfig, ...] = ()
    ocpp: tuple[OcppConfig, ...] = ()

    @property
    def lines(self) -> tuple[LineConfig, ...]:
        """Everything that is a line with devices to ask, whatever they speak."""
        return (*self.modbus, *self.dlt645, *self.cjt188, *self.mbus)

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for address in _repeated(line.address for line in self.lines):
            raise ValueError(f"two links to {address}: put their devices on one, it is one queue")
        for who, where in _repeated(self._devices()):
            raise ValueError(f"two devices are called {who!r} at institution {where!r}")
        for name, who, where in _repeated(self._quantities_by_mqtt()):
            raise ValueError(f"two topics give {name} of {who!r} at institution {where!r}")
        for address in _repeated(system.address for system in self.ocpp if system.port):
            raise ValueError(f"two central systems listen on {address}")
        for client, host, port in _repeated(self._clients()):
            raise ValueError(f"two clients are called {client!r} at {host}:{port}: they would throw each other out")
        return self

    def _devices(self) -> Iterator[tuple[str, str]]:
        """Every device once per link that reads it: topics of one broker may share a device."""
        for place in self._places():
            yield place.device, place.institution
        for broker in self.mqtt:
            yield from {(topic.device, topic.institution) for topic in (*broker.subscriptions, *broker.devices)}
        for system in self.ocpp:
            yield from ((device, charger.institution) for charger in system.devices for device in charger.devices)

    def _clients(self) -> Iterator[tuple[str, str, int]]:
        yield from ((link.client_id, link.host, link.port) for link in self.mqtt)
        yield from ((link.client_id, link.host, link.port) for link in self.sparkplug)

    def _places(self) -> Iterator[Place]:
        for modbus in self.modbus:
            yield from modbus.devices
        for dlt645 in self.dlt645:
            yield from dlt645.devices
        for cjt188 in self.cjt188:
            yield from cjt188.devices
        for mbus in self.mbus:
            yield from mbus.devices
        for sparkplug in self.sparkplug:
            yield from sparkplug.devices

    def _quantities_by_mqtt(self) -> Iterator[tuple[str, str, str]]:
        for broker in self.mqtt:
            for topic in broker.subscriptions:
                yield from ((name, topic.device, topic.institution) for name in topic.fields)


def _repeated(found: Iterable[_T]) -> list[_T]:
    return [entry for entry, times in Counter(found).items() if times > 1]
