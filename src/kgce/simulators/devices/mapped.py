"""A simulated Modbus device made of a register map and a truth."""

from kgce.simulators.devices.map_file import DeviceMap
from kgce.simulators.devices.measured import Measured
from kgce.simulators.devices.registers import RegisterMap


class MappedDevice:
    """Registers from a data file, values from the building."""

    def __init__(self, device_map: DeviceMap, measured: Measured, ratios: dict[str, float] | None = None) -> None:
        self._map = device_map.registers(ratios)
        self._measured = measured
        self._constants = {
            name: float(value) for name, value in device_map.constants.items() if not isinstance(value, str)
        }

    @property
    def register_map(self) -> RegisterMap:
        """Where the quantities live."""
        return self._map

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units."""
        return self._measured.values(time_ms) | self._constants
