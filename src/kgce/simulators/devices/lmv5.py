"""Siemens LMV5 with AZL52: burner management of a gas boiler, holding registers.

Register addresses: Siemens AZL52/LMV5x Modbus user documentation, as listed in the project's register facts. The
codes of the unit registers 16-19 are not in any public source found, so they all read 0 here; temperatures are whole
degC and throughput whole m3/h. The 0.1 % step of the O2 register is unconfirmed.
"""

from typing import Final

import numpy as np

from kgce.simulators.boiler import Boiler
from kgce.simulators.devices.encode import WordType
from kgce.simulators.devices.registers import Register, RegisterMap

_UINT16, _INT32 = WordType.UINT16, WordType.INT32

REGISTERS: Final = RegisterMap(
    function=3,
    registers=[
        Register("fuel_type", 9, _UINT16),
        Register("actual_temperature", 12, _UINT16),
        Register("flame_signal", 13, _UINT16),
        Register("fuel_throughput", 14, _UINT16),
        Register("flue_gas_o2", 15, _UINT16, 10),
        Register("volume_unit_gas", 16, _UINT16),
        Register("volume_unit_oil", 17, _UINT16),
        Register("temperature_unit", 18, _UINT16),
        Register("pressure_unit", 19, _UINT16),
        Register("startups_total", 21, _INT32),
        Register("operating_hours", 23, _INT32),
        Register("error_code", 25, _UINT16),
        Register("oil_volume", 80, _INT32),
        Register("extra_temperature_sensor", 83, _UINT16),
    ],
    reserved=[range(10, 12), range(20, 21), range(82, 83)],
)


class Lmv5:
    """The boiler's controller; its extra sensor sits in the flue.

    Supply, return and flue temperature and the firing rate are truths without a register of their own.
    """

    register_map = REGISTERS

    def __init__(self, boiler: Boiler) -> None:
        self._boiler = boiler

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units."""
        at = np.array([time_ms], np.int64)
        state = self._boiler.state(time_ms)
        return {
            "fuel_type": 0.0,  # the gas fuel line
            "actual_temperature": state.supply_c,
            "flame_signal": state.flame_percent,
            "fuel_throughput": float(self._boiler.gas.rate(at)[0]),
            "flue_gas_o2": state.o2_percent,
            "volume_unit_gas": 0.0,
            "volume_unit_oil": 0.0,
            "temperature_unit": 0.0,
            "pressure_unit": 0.0,
            "startups_total": float(self._boiler.starts(at)[0]),
            "operating_hours": float(self._boiler.running_h.total(at)[0]),
            "error_code": 0.0,
            "oil_volume": 0.0,
            "extra_temperature_sensor": state.flue_c,
            "supply_temperature": state.supply_c,
            "return_temperature": state.return_c,
            "flue_temperature": state.flue_c,
            "firing_rate": 100 * state.firing_ratio,
        }
