"""Subscriptions and configurations the MQTT tests share."""

from typing import Any

from kgce.collectors.mqtt.config import MqttConfig, SubscriptionConfig
from kgce.collectors.mqtt.mapping import Mapped, Mapping

ARRIVED_MS = 1_700_000_000_000

PLUG = {
    "topic": "tele/plug1/SENSOR",
    "institution": "office",
    "device": "plug",
    "measurement": "electricity",
    "time": {"path": "Time", "format": "iso", "tz": "Europe/Berlin"},
    "fields": {
        "active_power_total": {"path": "ENERGY.Power", "unit": "W"},
        "active_energy_import": {"path": "ENERGY.Total", "unit": "kWh"},
    },
    "metering": "active_energy_import",
}
TIMED = {
    "topic": "t",
    "institution": "office",
    "device": "meter",
    "measurement": "electricity",
    "time": {"path": "t", "format": "unix_s"},
    "fields": {"active_power": {"path": "p", "unit": "W"}},
}
SCALAR = {
    "topic": "s",
    "institution": "office",
    "device": "meter",
    "measurement": "electricity",
    "fields": {"active_power": {"path": "", "unit": "W"}},
}


def subscription(base: dict[str, Any], **changes: Any) -> SubscriptionConfig:
    return SubscriptionConfig.model_validate({**base, **changes})


def read(config: SubscriptionConfig, payload: bytes | str, *, retained: bool = False) -> Mapped:
    raw = payload.encode() if isinstance(payload, str) else payload
    return Mapping.of(config).read(raw, retained=retained, arrived_ms=ARRIVED_MS)


def values(mapped: Mapped) -> dict[str, float]:
    return {series.quantity: value for series, _, value, _ in mapped.rows}


def times(mapped: Mapped) -> set[int]:
    return {time_ms for _, time_ms, _, _ in mapped.rows}


def broker(*subscriptions: dict[str, Any], **fields: Any) -> MqttConfig:
    base = {"host": "127.0.0.1", "client_id": "kgce-test", "subscriptions": subscriptions}
    return MqttConfig.model_validate({**base, **fields})
