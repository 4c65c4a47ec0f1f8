"""Which simulated devices speak a known MQTT convention, by model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from kgce.simulators.mqtt_devices.plugs import TasmotaPlug, ZigbeePlug
from kgce.simulators.mqtt_devices.shelly import ShellyGen1, ShellyGen2
from kgce.simulators.mqtt_publisher import Sent


class Speaking(Protocol):
    """A device's messages of one round."""

    def messages(self, values: Mapping[str, float], time_ms: int) -> Sequence[Sent]:
        """Topic, payload, retain."""
        ...


CONVENTIONS: Final[dict[str, Callable[[str], Speaking]]] = {
    "tasmota": TasmotaPlug,
    "zigbee2mqtt": ZigbeePlug,
    "shelly_gen1": ShellyGen1,
    "shelly_gen2": ShellyGen2,
}
