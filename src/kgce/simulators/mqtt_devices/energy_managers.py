"""A boiler behind EMS-ESP, and charge points behind evcc or openWB 2. Shapes: shared/facts/devices.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kgce.simulators.mqtt_devices.words import Scales, Sent, json_of, numbers, plain

_BOILER: Final[Scales] = {
    "curflowtemp": ("supply_temperature", 1),
    "rettemp": ("return_temperature", 1),
    "exhausttemp": ("flue_temperature", 1),
    "curburnpow": ("firing_rate", 1),
}
_EVCC: Final[Scales] = {"chargePower": ("active_power", 1000), "chargedEnergy": ("session_energy", 1000)}
_OPENWB: Final[Scales] = {"power": ("active_power", 1000), "imported": ("active_energy_import", 1000)}


@dataclass(frozen=True, slots=True)
class EmsBoiler:
    """A boiler; no time in its messages."""

    id: str = "ems-esp"

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:  # noqa: ARG002 - it knows no time
        """Status, then the boiler's data."""
        data = json_of({**numbers(values, _BOILER), "heatingactive": "on"})
        return [(f"{self.id}/status", b"online", True), (f"{self.id}/boiler_data", data, False)]


@dataclass(frozen=True, slots=True)
class EvccLoadpoint:
    """A load point, counted from 1; every value is retained."""

    number: int = 1

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:  # noqa: ARG002 - values have no time
        """A scalar per topic."""
        base = f"evcc/loadpoints/{self.number}"
        said = numbers(values, _EVCC).items()
        return [("evcc/status", b"online", True), *((f"{base}/{name}", plain(value), True) for name, value in said)]


@dataclass(frozen=True, slots=True)
class OpenWbChargepoint:
    """A charge point; every value is JSON, currents are an array."""

    number: int = 1

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:  # noqa: ARG002 - values have no time
        """A value per topic."""
        base = f"openWB/chargepoint/{self.number}/get"
        said = [(f"{base}/{name}", json_of(value), True) for name, value in numbers(values, _OPENWB).items()]
        currents = [values[name] for name in ("current_l1", "current_l2", "current_l3") if name in values]
        said += [(f"{base}/currents", json_of(currents), True)] if currents else []
        return [*said, (f"{base}/fault_str", json_of("Kein Fehler."), True)]
