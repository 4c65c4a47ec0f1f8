"""What every simulated device has, and how a Modbus one stands behind a unit id."""

from collections.abc import Callable, Sequence
from typing import Protocol

from kgce.simulators.devices.registers import RegisterMap
from kgce.simulators.modbus_frames import ExceptionCode, Refusal

Clock = Callable[[], float]  # seconds since 1970, UTC


class SimulatedDevice(Protocol):
    """A device's planted truth."""

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units, before any rounding of the device."""
        ...


class ModbusDevice(SimulatedDevice, Protocol):
    """A device whose quantities live in registers."""

    @property
    def register_map(self) -> RegisterMap:
        """Where they live."""
        ...


def time_ms_of(clock: Clock) -> int:
    """The clock's time as UTC milliseconds."""
    return int(clock() * 1000)


class DeviceUnit:
    """A device behind a unit id: each request sees the device at one instant."""

    def __init__(self, device: ModbusDevice, clock: Clock) -> None:
        self._device = device
        self._clock = clock

    def read(self, function: int, address: int, count: int) -> Sequence[int]:
        """Registers now.

        Raises:
            Refusal: another function (01), or an address that does not exist (02).
        """
        if function not in self._device.register_map.functions:
            raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
        values = self._device.values(time_ms_of(self._clock))
        return self._device.register_map.read(address, count, values, function=function)
