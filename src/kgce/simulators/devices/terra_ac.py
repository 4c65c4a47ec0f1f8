"""ABB Terra AC: EV charger, holding registers; session energy only, no lifetime counter.

Register addresses: ABB Terra AC Modbus documentation 1.7 and evcc@b29b49e charger/abb.go, as listed in the project's
register facts. The facts mark the set-point at 0x4100 as written; here it can be read back as well.
"""

from typing import Final

import numpy as np

from kgce.simulators.charger import MAX_CURRENT_A, VOLTS, Charger
from kgce.simulators.devices.encode import WordType
from kgce.simulators.devices.registers import Register, RegisterMap
from kgce.simulators.noise import derived_seed, drift

_UINT32: Final = WordType.UINT32
_MILLI: Final = 1000.0
_PHASES: Final = ("l1", "l2", "l3")
_STATE_BYTE: Final = 256  # the state is the third byte of its four, below that byte's top bit
_S_PER_H: Final = 3600

REGISTERS: Final = RegisterMap(
    function=3,
    registers=[
        Register("serial_number", 0x4000, WordType.UINT64),
        Register("firmware_version", 0x4004, _UINT32),
        Register("max_rated_current", 0x4006, _UINT32, _MILLI),
        Register("error_code", 0x4008, _UINT32),
        Register("socket_lock_state", 0x400A, _UINT32),
        Register("charging_state", 0x400C, _UINT32, _STATE_BYTE),
        Register("current_limit_active", 0x400E, _UINT32, _MILLI),
        *(Register(f"current_{phase}", 0x4010 + 2 * row, _UINT32, _MILLI) for row, phase in enumerate(_PHASES)),
        *(Register(f"voltage_{phase}", 0x4016 + 2 * row, _UINT32, 10) for row, phase in enumerate(_PHASES)),
        Register("active_power", 0x401C, _UINT32, _MILLI),
        Register("session_energy", 0x401E, _UINT32, _MILLI),
        Register("communication_timeout", 0x4020, _UINT32, _S_PER_H),
        Register("set_current_limit", 0x4100, _UINT32, _MILLI),
    ],
)


class TerraAc:
    """The charger's registers; phases are loaded evenly."""

    register_map = REGISTERS

    def __init__(self, charger: Charger, seed: int) -> None:
        self._charger = charger
        self._seed = seed
        self._serial = float(derived_seed(seed, "serial") % 10**12)

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units."""
        state = self._charger.state(time_ms)
        values = {
            "serial_number": self._serial,
            "firmware_version": float(0x010806),
            "max_rated_current": MAX_CURRENT_A,
            "error_code": 0.0,
            "socket_lock_state": 1.0 if state.state else 0.0,
            "charging_state": float(state.state),
            "current_limit_active": MAX_CURRENT_A,
            "active_power": state.power_kw,
            "session_energy": state.session_kwh,
            "communication_timeout": 60 / _S_PER_H,
            "set_current_limit": MAX_CURRENT_A,
        }
        for phase in _PHASES:
            wobble = float(drift(self._seed, f"voltage/{phase}", np.array([time_ms // 1000]), spacing=60)[0])
            volts = VOLTS + 1.5 * wobble
            values[f"voltage_{phase}"] = volts
            values[f"current_{phase}"] = state.power_kw * _MILLI / 3 / volts
        return values
