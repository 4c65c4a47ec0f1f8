"""What a gateway collects: every link and broker, checked wholly before any socket opens."""

from typing import Self

from pydantic import model_validator

from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.place import Place, Strict


class CollectorsConfig(Strict):
    """The `[[modbus]]` and `[[mqtt]]` tables of a gateway file."""

    modbus: tuple[ModbusLinkConfig, ...] = ()
    mqtt: tuple[MqttConfig, ...] = ()

    @model_validator(mode="after")
    def _devices_and_links_differ(self) -> Self:
        links = [(link.host, link.port) for link in self.modbus]
        for link in links:
            if links.count(link) > 1:
                raise ValueError(f"two links to {link[0]}:{link[1]}: put their devices on one, it is one queue")
        places: list[Place] = [device for link in self.modbus for device in link.devices]
        places += [row for broker in self.mqtt for row in broker.subscriptions]
        names = [(place.institution, place.device) for place in places]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two devices are called {name[1]!r} at institution {name[0]!r}")
        return self
