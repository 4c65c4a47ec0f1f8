"""A meter that follows Homie 4 or 5: a topic per property, units said beside them. Shapes: devices.md section 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kgce.simulators.mqtt_devices.words import Sent, json_of, plain

# property -> (quantity, unit, device's number per canonical unit)
PROPERTIES: Final[Mapping[str, tuple[str, str, float]]] = {
    "power": ("active_power", "W", 1000),
    "energy": ("active_energy_import", "kWh", 1),
    "voltage": ("voltage", "V", 1),
}


@dataclass(frozen=True, slots=True)
class HomieMeter:
    """One node `main`; everything is retained, nothing has a time."""

    id: str
    version: Literal[4, 5] = 5

    def messages(self, values: Mapping[str, float], time_ms: int) -> list[Sent]:  # noqa: ARG002 - it knows no time
        """Description first, then ready, then the values."""
        present = {name: rule for name, rule in PROPERTIES.items() if rule[0] in values}
        base = f"homie/5/{self.id}" if self.version == 5 else f"homie/{self.id}"  # noqa: PLR2004 - Homie's version
        if self.version == 5:  # noqa: PLR2004 - Homie's version
            kinds = {name: {"datatype": "float", "unit": unit} for name, (_, unit, _) in present.items()}
            about: list[Sent] = [(f"{base}/$description", json_of({"nodes": {"main": {"properties": kinds}}}), True)]
        else:
            units = {name: unit for name, (_, unit, _) in present.items()}
            about = [(f"{base}/main/{name}/$unit", unit.encode(), True) for name, unit in units.items()]
        said = [(f"{base}/main/{name}", plain(values[rule[0]] * rule[2]), True) for name, rule in present.items()]
        return [*about, (f"{base}/$state", b"ready", True), *said]
