"""The collectors' configuration that fits a simulated site; plain data, so that nothing here imports collectors/."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgce.simulators.devices.pulse_meter import GAS, WATER, PulseKind
from kgce.simulators.site_config import BuildingConfig, DeviceConfig, Model, SiteConfig, link_of, topic_of

HOST: Final = "127.0.0.1"  # simulated devices never listen elsewhere
PROFILES: Final = {
    Model.SDM630: "eastron-sdm630",
    Model.LMV5: "siemens-lmv5",
    Model.TERRA_AC: "abb-terra-ac",
}
PULSES: Final[dict[Model, PulseKind]] = {Model.WATER_METER: WATER, Model.GAS_METER: GAS}
_LONGEST_TIMEOUT_S: Final = 1.0  # loopback answers in milliseconds


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an MQTT broker listens."""

    host: str
    port: int


def gateway_config(
    config: SiteConfig, *, ports: Mapping[tuple[str, str, int], int], broker: Broker | None
) -> dict[str, Any]:
    """`{"modbus": [...], "mqtt": [...]}` for every device of the site; no broker, no MQTT part."""
    links: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    subscriptions = []
    for building in config.buildings:
        for device in building.devices:
            if device.model.speaks_modbus:
                links.setdefault(link_of(building, device), []).append(_modbus_device(building, device))
            else:
                subscriptions.append(_subscription(building, device))
    return {
        "modbus": [
            {"host": HOST, "port": ports[link], "timeout_s": _timeout_s(devices), "devices": devices}
            for link, devices in links.items()
        ],
        "mqtt": [
            {
                "host": broker.host,
                "port": broker.port,
                "client_id": f"kgce-gateway-{config.site.seed}",
                "subscriptions": subscriptions,
            }
        ]
        if broker is not None and subscriptions
        else [],
    }


def _place(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return {
        "device": device.id,
        "institution": building.institution,
        "building": building.building,
        "region": building.region,
    }


def _modbus_device(building: BuildingConfig, device: DeviceConfig) -> dict[str, Any]:
    return {
        **_place(building, device),
        "unit": device.unit,
        "profile": PROFILES[device.model],
        "interval_s": device.every_s,
        # The building's main meter already holds what its charger takes; the gas meter holds the boiler's gas.
        "counts": device.model is Model.SDM630,
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


def _timeout_s(devices: list[dict[str, Any]]) -> float:
    """Shorter than the shortest interval, as every request must be."""
    shortest: float = min(device["interval_s"] for device in devices)
    return min(_LONGEST_TIMEOUT_S, shortest / 2)
