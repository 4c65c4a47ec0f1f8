"""Every driver in one visible table."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.ports import Source

DRIVERS: Final[dict[str, Callable[[Any], Source]]] = {"modbus": ModbusSource, "mqtt": MqttSource}


def build_sources(config: CollectorsConfig) -> Sequence[Source]:
    """One source per link and broker, in the configuration's order.

    Raises:
        ConfigError: a secret is missing from the environment.
    """
    return [build(entry) for name, build in DRIVERS.items() for entry in getattr(config, name)]
