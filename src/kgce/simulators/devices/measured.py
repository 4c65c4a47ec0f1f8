"""What meters, boilers and chargers measure at an instant, by every name a register map may use; canonical units.

counters of the building --> Measured.values(time_ms) --> MappedDevice --> registers
"""

import math
from datetime import UTC, datetime
from typing import Final, Protocol

import numpy as np

from kgce.simulators.boiler import Boiler
from kgce.simulators.building import at_instant
from kgce.simulators.charger import MAX_CURRENT_A, Charger
from kgce.simulators.counter import Counting
from kgce.simulators.devices.sdm630 import Sdm630
from kgce.simulators.devices.terra_ac import TerraAc

_PHASES: Final = ("l1", "l2", "l3")
_KILO: Final = 1000.0
_MS_PER_H: Final = 3_600_000
_WATER_KWH_PER_M3_K: Final = 1.163
_SPREAD_K: Final = 20.0  # between supply and return while heat flows
_PIPE_M2: Final = 0.00785  # DN 100
_LINE_PRESSURE_KPA: Final = 200.0  # absolute, in front of the corrector
_STANDARD_PER_WORKING: Final = _LINE_PRESSURE_KPA / 101.325  # at 20 degC, the standard temperature
_GAS_C: Final = 20.0
_FAN_RPM: Final = 5400.0
_FLAME_V: Final = 10.0
_PERCENT: Final = 100.0


class Measured(Protocol):
    """A truth by quantity name."""

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units."""
        ...


class Electricity:
    """A three-phase meter; the names without a phase are those of a meter that has only one."""

    def __init__(self, counting: Counting, seed: int) -> None:
        self._meter = Sdm630(counting, seed)

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant."""
        values = self._meter.values(time_ms)
        volts = [values[f"voltage_{phase}_n"] for phase in _PHASES]
        line = math.sqrt(3)
        values |= {
            "voltage": volts[0],
            "voltage_ln_average": sum(volts) / 3,
            "voltage_l1_l2": line * (volts[0] + volts[1]) / 2,
            "voltage_l2_l3": line * (volts[1] + volts[2]) / 2,
            "voltage_l3_l1": line * (volts[2] + volts[0]) / 2,
            "current": values["apparent_power_total"] * _KILO / volts[0],
            "current_average": sum(values[f"current_{phase}"] for phase in _PHASES) / 3,
            "power_factor": values["power_factor_total"],
        }
        for name in ("active_power", "apparent_power", "reactive_power"):
            values[name] = values[f"{name}_total"]
        for phase in _PHASES:
            values[f"active_energy_total_{phase}"] = values[f"active_energy_import_{phase}"]
        # One tariff all year: the flat one.
        values |= {f"active_energy_total_{tariff}": 0.0 for tariff in ("spike", "peak", "valley")}
        return values | {"active_energy_total_flat": values["active_energy_total"]}


class Charging:
    """An EV charger with a lifetime counter; it draws active power only."""

    def __init__(self, charger: Charger, seed: int) -> None:
        self._charger = charger
        self._station = TerraAc(charger, seed)

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant."""
        values = self._station.values(time_ms)
        power, total = at_instant(self._charger, time_ms)
        plugged_h = self._plugged_ms(time_ms) / _MS_PER_H if values["charging_state"] else 0.0
        values |= {
            "power_factor": 1.0,
            "apparent_power": power,
            "active_energy_import": total,
            "apparent_energy_since_power_on": total,
            "apparent_energy_since_installation": total,
            "connection_time": plugged_h,
            "charge_time": plugged_h if power > 0 else 0.0,
            "session_time": plugged_h,
            "max_current": MAX_CURRENT_A,
            "set_current": MAX_CURRENT_A,
        }
        return values | {f"active_power_{phase}": power / 3 for phase in _PHASES}

    def _plugged_ms(self, time_ms: int) -> int:
        begun = self._charger.session_starts_ms()
        before = begun[begun <= time_ms]
        return int(time_ms - before[-1]) if len(before) else 0


class Heating:
    """A boiler's controller with temperatures on both sides."""

    def __init__(self, boiler: Boiler) -> None:
        self._boiler = boiler

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant."""
        at = np.array([time_ms], np.int64)
        state = self._boiler.state(time_ms)
        return {
            "outlet_temperature": state.supply_c,
            "inlet_temperature": state.return_c,
            "supply_temperature": state.supply_c,
            "return_temperature": state.return_c,
            "flue_temperature": state.flue_c,
            "firing_rate": _PERCENT * state.firing_ratio,
            "fan_speed": _FAN_RPM * state.firing_ratio,
            "flame_voltage": _FLAME_V * state.flame_percent / _PERCENT,
            "burner_state": float(state.firing_ratio > 0),
            "startups_total": float(self._boiler.starts(at)[0]),
            "operating_hours": float(self._boiler.running_h.total(at)[0]),
            "fuel_throughput": float(self._boiler.gas.rate(at)[0]),
        }


class Heat:
    """A heat meter in the supply of a boiler room or of a district network."""

    def __init__(self, heat: Counting, boiler: Boiler) -> None:
        self._heat, self._boiler = heat, boiler

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant; the volume is the exact integral of the flow."""
        power, energy = at_instant(self._heat, time_ms)
        supply = self._boiler.state(time_ms).supply_c
        spread = _SPREAD_K if power > 0 else 0.0
        flow = power / (_WATER_KWH_PER_M3_K * _SPREAD_K)
        return {
            "heat_power": power,
            "heat_energy": energy,
            "water_flow": flow,
            "water_flow_v2": flow,
            "water_volume": energy / (_WATER_KWH_PER_M3_K * _SPREAD_K),
            "supply_temperature": supply,
            "return_temperature": supply - spread,
            "temperature_difference": spread,
            "operating_hours": hours_since_installed(time_ms),
        }


class Water:
    """A water meter, also an ultrasonic one that could measure heat but stands in a cold pipe."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant."""
        flow, volume = at_instant(self._counting, time_ms)
        fraction = volume % 1.0
        return {
            "water_flow": flow,
            "water_volume": volume,
            "net_volume": volume,
            "water_volume_reverse": 0.0,
            "flow_velocity": flow / 3600 / _PIPE_M2,
            "heat_power": 0.0,
            "supply_temperature": 12.0,
            "return_temperature": 12.0,
            "operating_hours": hours_since_installed(time_ms),
            **{f"{name}_whole": volume - fraction for name in ("water_volume", "net_volume")},
            **{f"{name}_fraction": fraction for name in ("water_volume", "net_volume")},
            "water_volume_reverse_whole": 0.0,
            "water_volume_reverse_fraction": 0.0,
        }


class Gas:
    """A gas meter with a corrector: working volume at line pressure, standard volume from it."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant."""
        flow, volume = at_instant(self._counting, time_ms)
        now = datetime.fromtimestamp(time_ms / 1000, UTC)
        return {
            "gas_flow": flow,
            "gas_volume": volume,
            "gas_flow_working": flow / _STANDARD_PER_WORKING,
            "gas_volume_working": volume / _STANDARD_PER_WORKING,
            "gas_temperature": _GAS_C,
            "gas_pressure": _LINE_PRESSURE_KPA,
            "device_time_date": float(now.strftime("%m%d%y")),
            "device_time_clock": float(now.strftime("%H%M%S")),
        }


def hours_since_installed(time_ms: int) -> float:
    """Hours since the beginning of 2015, when the simulated devices were installed."""
    return (time_ms - int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) * 1000) / _MS_PER_H
