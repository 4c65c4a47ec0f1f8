"""Whether an energy register labelled Wh counts kWh: told once, never changed (devices.md section 2, OCPP-J)."""

from dataclasses import dataclass
from typing import Final

_HOUR_MS: Final = 3_600_000
_LEAST_KWH: Final = 1.0  # by the power reported; less says nothing against rounding
_TIMES: Final = (300.0, 3000.0)  # around 1000; power between two samples is not constant


@dataclass(slots=True)
class UnitWatch:
    """Compares the growth of one register with the power reported beside it."""

    register_kwh: float | None = None
    power_kw: float | None = None
    time_ms: int = 0
    flowed_kwh: float = 0.0  # by power, since `first_kwh`
    first_kwh: float = 0.0
    told: bool = False

    def saw(self, time_ms: int, register_kwh: float | None, power_kw: float | None) -> bool:
        """Take the values of one sample; True once, when the register grows a thousand times too slowly."""
        if self.register_kwh is not None and self.power_kw is not None and time_ms > self.time_ms:
            self.flowed_kwh += max(self.power_kw, 0.0) * (time_ms - self.time_ms) / _HOUR_MS
        if register_kwh is not None:
            if self.register_kwh is None or register_kwh < self.register_kwh:
                self.first_kwh, self.flowed_kwh = register_kwh, 0.0
            self.register_kwh = register_kwh
        self.power_kw = power_kw if power_kw is not None else self.power_kw
        self.time_ms = max(time_ms, self.time_ms)
        return self._is_slow()

    def _is_slow(self) -> bool:
        if self.told or self.register_kwh is None or self.flowed_kwh < _LEAST_KWH:
            return False
        grown = self.register_kwh - self.first_kwh
        self.told = grown > 0 and _TIMES[0] < self.flowed_kwh / grown < _TIMES[1]
        return self.told
