"""The drivers kgce has, and the sources a configuration asks for; configuration in, sources out."""

from collections.abc import Callable
from typing import Any, Final

from kgce.collectors.cjt188.source import Cjt188Source
from kgce.collectors.config import CollectorsConfig
from kgce.collectors.dlt645.source import Dlt645Source
from kgce.collectors.mbus.source import MbusSource
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.mqtt.source import MqttSource
from kgce.collectors.ocpp.source import OcppSource
from kgce.collectors.profile_notices import tell_what_is_unsure
from kgce.collectors.sparkplug.source import SparkplugSource
from kgce.domain.ports import Source

DRIVERS: Final[dict[str, Callable[[Any], Source]]] = {
    "modbus": ModbusSource,
    "dlt645": Dlt645Source,
    "cjt188": Cjt188Source,
    "mbus": MbusSource,
    "mqtt": MqttSource,
    "sparkplug": SparkplugSource,
    "ocpp": OcppSource,
}


def build_sources(config: CollectorsConfig) -> list[Source]:
    """One source per link; each table of the configuration is named after its driver. Nothing is opened yet.

    What the profiles leave unsure is logged once.
    """
    tell_what_is_unsure((device.profile, device.map) for link in config.modbus for device in link.devices)
    return [build(link) for name, build in DRIVERS.items() for link in getattr(config, name)]
