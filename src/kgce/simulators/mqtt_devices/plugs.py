"""Plugs: Tasmota with one or two channels, and one behind zigbee2mqtt. Shapes: shared/facts/devices.md section 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from kgce.simulators.mqtt_devices.words import Scales, Sent, json_of, numbers

_TASMOTA: Final[Scales] = {
    "Total": ("active_energy_import", 1),
    "Power": ("active_power", 1000),
    "ApparentPower": ("apparent_power", 1000),
    "ReactivePower": ("reactive_power", 1000),
    "Factor": ("power_factor", 1),
    "Current": ("current", 1),
}
_SHARED: Final[Scales] = {"Voltage": ("voltage", 1), "Frequency": ("frequency", 1)}
_ZIGBEE: Final[Scales] = {
    "energy": ("active_energy_import", 1),
    "power": ("active_power", 1000),
    "voltage": ("voltage", 1),
    "current": ("current", 1),
    "ac_frequency": ("frequency", 1),
}


@dataclass(frozen=True, slots=True)
class TasmotaPlug:
    """One channel, or arrays over several (`active_power_ch1` in the truth) beside one voltage; local times."""

    id: str
    timezone: str = "Asia/Shanghai"
    channels: int = 1

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:
        """The retained birth, then the sensor's message."""
        if self.channels == 1:
            energy: dict[str, object] = dict(numbers(values, _TASMOTA))
        else:
            rows = [numbers(values, _TASMOTA, f"_ch{number}") for number in range(1, self.channels + 1)]
            energy = {name: [row[name] for row in rows] for name in _TASMOTA if all(name in row for row in rows)}
        energy |= numbers(values, _SHARED)
        local = datetime.fromtimestamp(time_ms // 1000, ZoneInfo(self.timezone)).replace(tzinfo=None)
        sensor = json_of({"Time": local.isoformat(), "ENERGY": energy})
        return [(f"tele/{self.id}/LWT", b"Online", True), (f"tele/{self.id}/SENSOR", sensor, False)]


@dataclass(frozen=True, slots=True)
class ZigbeePlug:
    """A plug behind zigbee2mqtt: one retained message with last_seen."""

    id: str

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:
        """Availability, then the state."""
        seen = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        state = json_of({**numbers(values, _ZIGBEE), "last_seen": seen, "linkquality": 76, "state": "ON"})
        base = f"zigbee2mqtt/{self.id}"
        return [(f"{base}/availability", b'{"state":"online"}', True), (base, state, True)]
