"""Shelly energy meters of the first and the second generation. Shapes: shared/facts/devices.md section 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kgce.simulators.mqtt_devices.words import Scales, Sent, json_of, numbers, plain

_GEN1: Final[Scales] = {
    "power": ("active_power", 1000),
    "voltage": ("voltage", 1),
    "current": ("current", 1),
    "pf": ("power_factor", 1),
    "total": ("active_energy_import", 1000),
    "total_returned": ("active_energy_export", 1000),
}
_POWERS: Final[Scales] = {
    "act_power": ("active_power", 1000),
    "aprt_power": ("apparent_power", 1000),
    "voltage": ("voltage", 1),
    "current": ("current", 1),
    "pf": ("power_factor", 1),
    "freq": ("frequency", 1),
}
_REGISTERS: Final[Scales] = {
    "total_act_energy": ("active_energy_import", 1000),
    "total_act_ret_energy": ("active_energy_export", 1000),
}


@dataclass(frozen=True, slots=True)
class ShellyGen1:
    """Phases count from 0; each quantity has a topic; nothing has a time. Truth: `active_power_l1` and so on."""

    id: str
    phases: int = 3

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:  # noqa: ARG002 - it knows no time
        """A scalar per topic."""
        base = f"shellies/{self.id}"
        return [(f"{base}/online", b"true", True)] + [
            (f"{base}/emeter/{phase}/{name}", plain(value), False)
            for phase in range(self.phases)
            for name, value in numbers(values, _GEN1, f"_l{phase + 1}").items()
        ]


@dataclass(frozen=True, slots=True)
class ShellyGen2:
    """Three phases: powers and registers are two components of one notification with its own time."""

    id: str

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:
        """Online, then what changed."""
        powers: dict[str, float] = {"id": 0}
        registers: dict[str, float] = {"id": 0}
        for letter, suffix in zip("abc", ("_l1", "_l2", "_l3"), strict=True):
            powers |= {f"{letter}_{name}": value for name, value in numbers(values, _POWERS, suffix).items()}
            registers |= {f"{letter}_{name}": value for name, value in numbers(values, _REGISTERS, suffix).items()}
        powers |= numbers(values, {"total_act_power": ("active_power", 1000)})
        totals: Scales = {"total_act": ("active_energy_import", 1000), "total_act_ret": ("active_energy_export", 1000)}
        registers |= numbers(values, totals)
        status = {"ts": time_ms / 1000, "em:0": powers, "emdata:0": registers}
        notice = {"src": self.id, "dst": f"{self.id}/events", "method": "NotifyStatus", "params": status}
        return [(f"{self.id}/online", b"true", True), (f"{self.id}/events/rpc", json_of(notice), False)]
