"""One simulated CJ/T 188 meter: a request frame in, its answer frame out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from kgce.simulators.cjt188.codec import clock_bytes, digits, frame
from kgce.simulators.devices.device import Clock, SimulatedDevice, time_ms_of

WATER, HEAT, COOLING, GAS = 0x10, 0x20, 0x21, 0x30
_READ: Final = 0x01
_ANSWER: Final = 0x80
_METERING: Final = (b"\x90\x1f", b"\x1f\x90")
_M3, _KWH, _KW, _M3_H = 0x2C, 0x05, 0x17, 0x35
_BEIJING: Final = timezone(timedelta(hours=8))  # meters are set to local time
_COUNTS: Final = {WATER: "water_volume", 0x11: "water_volume", 0x12: "water_volume", 0x13: "water_volume",
                  HEAT: "heat_energy", COOLING: "cooling_energy", GAS: "gas_volume"}  # fmt: skip
NOT_AVAILABLE: Final = 0xFF


@dataclass(frozen=True, slots=True)
class Habits:
    """What makers do differently."""

    order: bytes | None = None  # the identifier's bytes it answers to; None: both
    unit_leads: bool = False
    knows_settlement: bool = True
    knows_time: bool = True
    status: bytes = b"\x00\x00"


class Cjt188Meter:
    """A meter of one type; what it measures comes from a simulated device."""

    def __init__(
        self, address: str, device: SimulatedDevice, *, meter_type: int = WATER, habits: Habits | None = None
    ) -> None:
        self.address = address
        self.meter_type = meter_type
        self._device = device
        self._habits = habits or Habits()

    def answer(self, request: bytes, clock: Clock) -> bytes | None:
        """Its answer; None where a meter stays silent: another type's question, another identifier, a write."""
        control, data = request[9], request[11:-2]
        known = (self._habits.order,) if self._habits.order is not None else _METERING
        if request[1] not in {self.meter_type, 0xAA} or control != _READ or data[:2] not in known:
            return None
        time_ms = time_ms_of(clock)
        body = self._body(self._device.values(time_ms))
        if self._habits.knows_time:
            body += clock_bytes(datetime.fromtimestamp(time_ms / 1000, _BEIJING))
        else:
            body += bytes([NOT_AVAILABLE]) * 7
        return frame(self.meter_type, self.address, _READ | _ANSWER, data[:3] + body + self._habits.status)

    def _body(self, values: Mapping[str, float]) -> bytes:
        name = _COUNTS[self.meter_type]
        unit = _KWH if name.endswith("energy") else _M3
        current = self._with_unit(digits(values[name], 4, 2), unit)
        settled = values.get(f"{name}_settlement", 0.0)
        known = digits(settled, 4, 2) if self._habits.knows_settlement else bytes([NOT_AVAILABLE]) * 4
        settlement = self._with_unit(known, unit)
        if self.meter_type not in {HEAT, COOLING}:
            return current + settlement
        return (
            settlement
            + current
            + self._with_unit(digits(values.get("heat_power", 0.0), 4, 2), _KW)
            + self._with_unit(digits(values.get("water_flow", 0.0), 4, 4), _M3_H)
            + self._with_unit(digits(values.get("water_volume", 0.0), 4, 2), _M3)
            + digits(values.get("supply_temperature", 0.0), 3, 2)
            + digits(values.get("return_temperature", 0.0), 3, 2)
            + digits(values.get("operating_hours", 0.0), 3, 0)
        )

    def _with_unit(self, number: bytes, unit: int) -> bytes:
        return bytes([unit]) + number if self._habits.unit_leads else number + bytes([unit])
