"""The collectors' configuration that fits a simulated site; plain data, so that nothing here imports collectors/."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgce.simulators.devices.pulse_meter import GAS, WATER, PulseKind
from kgce.simulators.modbus_framing import WireMode
from kgce.simulators.models import Measures, Model, Speaks
from kgce.simulators.site_config import (
    BuildingConfig,
    DeviceConfig,
    LinkKey,
    SiteConfig,
    device_name,
    link_of,
    topic_of,
)

HOST: Final = "127.0.0.1"  # simulated devices never listen elsewhere
PULSES: Final[dict[str, PulseKind]] = {Model.WATER_METER: WATER, Model.GAS_METER: GAS}
_LONGEST_TIMEOUT_S: Final = 1.0  # loopback answers in milliseconds
_LINES: Final = (Speaks.DLT645, Speaks.CJT188, Speaks.MBUS)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an MQTT broker listens."""

    host: str
    port: int


def gateway_config(
    config: SiteConfig, *, places: Mapping[LinkKey, dict[str, Any]], broker: Broker | None
) -> dict[str, Any]:
    """`{"modbus": [...], "mqtt": [...]}` and what else the site speaks; no broker, no MQTT part.

    `places` has the host and port, or the serial path, of each line.
    """
    links: dict[LinkKey, list[dict[str, Any]]] = {}
    subscriptions, publishing = [], []
    for building in config.buildings:
        for device in building.devices:
            if device.facts.speaks is Speaks.MQTT and device.facts.profile:
                publishing.append(_convention(building, device))
            elif device.facts.speaks is Speaks.MQTT:
                subscriptions.append(_subscription(building, device))
            else:
                entry = _DEVICE[device.facts.speaks](building, device)
                links.setdefault(link_of(building, device), []).append(entry)
    found: dict[str, Any] = {
        "modbus": [_modbus_link(link, places, rows) for link, rows in links.items() if link.speaks is Speaks.MODBUS],
        "mqtt": [
            {
                "host": broker.host,
                "port": broker.port,
                "client_id": f"kgce-gateway-{config.site.seed}",
                "subscriptions": subscriptions,
                **({"devices": publishing} if publishing else {}),
            }
        ]
        if broker is not None and (subscriptions or publishing)
        else [],
    }
    for speaks in _LINES:
        lines = [{**places[link], "devices": rows} for link, rows in links.items() if link.speaks is speaks]
        if lines:
            found[speaks.value] = lines
    return found


def _modbus_link(
    link: LinkKey, places: Mapping[LinkKey, dict[str, Any]], devices: list[dict[str, Any]]
) -> dict[str, Any]:
    place = dict(places[link])
    if link.mode is not WireMode.TCP:
        place["mode"] = link.mode.value
    return {**place, "timeout_s": _timeout_s(devices), "devices": devices}


def _place(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return {
        "device": device.id,
        "institution": building.institution,
        "building": building.building,
        "region": building.region,
    }


def _modbus_device(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    ratios = {"ratios": dict(device.ratios)} if device.ratios else {}
    return {
        **_place(building, device),
        "unit": device.unit_id,
        "profile": device.facts.profile,
        "interval_s": device.every_s,
        **ratios,
        # The building's main meter already holds what its charger takes; the gas meter holds the boiler's gas.
        "counts": device.facts.measures is Measures.ELECTRICITY and device.share == 1,
    }


def _dlt645_device(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return _meter(building, device) | {"address": device.address, "edition": device.facts.profile}


def _cjt188_device(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return _meter(building, device) | {"address": device.address, "meter_type": device.facts.profile}


def _mbus_device(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return _meter(building, device) | {"address": int(device.address), "medium": device.facts.profile}


def _meter(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return {**_place(building, device), "interval_s": device.every_s, "counts": device.share == 1}


_DEVICE: Final = {
    Speaks.MODBUS: _modbus_device,
    Speaks.DLT645: _dlt645_device,
    Speaks.CJT188: _cjt188_device,
    Speaks.MBUS: _mbus_device,
}


def _subscription(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    kind = PULSES[device.model]
    return {
        **_place(building, device),
        "topic": topic_of(building, device),
        "measurement": kind.measurement,
        "time": {"path": "time", "format": "iso"},
        "fields": {
            kind.volume: {"path": "volume_m3", "unit": "m3"},
            kind.flow: {"path": "flow_m3_h", "unit": "m3/h"},
        },
        "metering": kind.volume,
    }


def _convention(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    zone = {"tz": "Asia/Shanghai"} if device.facts.profile == "tasmota" else {}  # its times carry no offset
    return {
        **_place(building, device),
        "convention": device.facts.profile,
        "id": device_name(building, device),
        "counts": device.share == 1,
        **zone,
    }


def _timeout_s(devices: list[dict[str, Any]]) -> float:
    """Shorter than the shortest interval, as every request must be."""
    shortest: float = min(device["interval_s"] for device in devices)
    return min(_LONGEST_TIMEOUT_S, shortest / 2)
