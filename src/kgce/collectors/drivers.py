"""The drivers kgce has, and the sources a configuration asks for; configuration in, sources out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, cast

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.profile_notices import tell_what_is_unsure
from kgce.domain.ports import Source

# By table of the configuration. Loaded when one is asked for: a gateway without chargers needs no OCPP in its memory.
DRIVERS: Final[dict[str, str]] = {
    "modbus": "kgce.collectors.modbus.source:ModbusSource",
    "dlt645": "kgce.collectors.dlt645.source:Dlt645Source",
    "cjt188": "kgce.collectors.cjt188.source:Cjt188Source",
    "mbus": "kgce.collectors.mbus.source:MbusSource",
    "mqtt": "kgce.collectors.mqtt.source:MqttSource",
    "sparkplug": "kgce.collectors.sparkplug.source:SparkplugSource",
    "ocpp": "kgce.collectors.ocpp.source:OcppSource",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a configuration; equal ones need no new source."""

    driver: str
    table: Any


def links(config: CollectorsConfig) -> list[Link]:
    """Every link; each table of the configuration is named after its driver."""
    return [Link(name, table) for name in DRIVERS for table in getattr(config, name)]


def build_source(link: Link, *, wall_clock: Callable[[], float] = time.time) -> Source:
    """The source behind a link, which stamps by this clock. Nothing is opened yet."""
    module, _, name = DRIVERS[link.driver].partition(":")
    return cast("Source", getattr(import_module(module), name)(link.table, wall_clock=wall_clock))


def build_links(config: CollectorsConfig, *, wall_clock: Callable[[], float] = time.time) -> list[tuple[Link, Source]]:
    """Every link with its source; what the profiles leave unsure is logged once."""
    tell_what_is_unsure((device.profile, device.map) for link in config.modbus for device in link.devices)
    return [(link, build_source(link, wall_clock=wall_clock)) for link in links(config)]


def build_sources(config: CollectorsConfig, *, wall_clock: Callable[[], float] = time.time) -> list[Source]:
    """One source per link."""
    return [source for _, source in build_links(config, wall_clock=wall_clock)]
