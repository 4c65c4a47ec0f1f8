"""Eastron SDM630: three-phase electricity meter, input registers only.

Register addresses: volkszaehler/mbmd@fb8f9c2 meters/rs485/sdm.go and OpenEMS@0e4ea88, as listed in the project's
register facts. Reserved addresses read 0 because OpenEMS reads across them with one request.
"""

import math
from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray
from kgce.simulators.building import at_instant
from kgce.simulators.counter import Counting
from kgce.simulators.devices.encode import WordType
from kgce.simulators.devices.registers import Register, RegisterMap
from kgce.simulators.noise import drift, pick

_PHASES: Final = ("l1", "l2", "l3")
_KILO: Final = 1000.0  # kW -> W; energies are kept in kWh


def _floats(first: int, *names: str, per_canonical: float = 1.0) -> list[Register]:
    """Consecutive 32-bit floats."""
    return [Register(name, first + 2 * row, WordType.FLOAT32, per_canonical) for row, name in enumerate(names)]


def _by_phase(first: int, stem: str, per_canonical: float = 1.0) -> list[Register]:
    return _floats(first, *(f"{stem}_{phase}" for phase in _PHASES), per_canonical=per_canonical)


REGISTERS: Final = RegisterMap(
    function=4,
    registers=[
        *_floats(0, "voltage_l1_n", "voltage_l2_n", "voltage_l3_n"),
        *_by_phase(6, "current"),
        *_by_phase(12, "active_power", _KILO),
        *_by_phase(18, "apparent_power", _KILO),
        *_by_phase(24, "reactive_power", _KILO),
        *_by_phase(30, "power_factor"),
        *_floats(52, "active_power_total", per_canonical=_KILO),
        *_floats(56, "apparent_power_total", per_canonical=_KILO),
        *_floats(60, "reactive_power_total", per_canonical=_KILO),
        *_floats(62, "power_factor_total"),
        *_floats(66, "phase_angle_total"),
        *_floats(
            70,
            "frequency",
            "active_energy_import",
            "active_energy_export",
            "reactive_energy_import",
            "reactive_energy_export",
        ),
        *_by_phase(234, "thd_voltage"),
        *_floats(342, "active_energy_total", "reactive_energy_total"),
        *_by_phase(346, "active_energy_import"),
        *_by_phase(352, "active_energy_export"),
    ],
    reserved=[range(36, 52), range(54, 56), range(58, 60), range(64, 66), range(68, 70)],
)


def shown_energy_kwh(energy_kwh: FloatArray) -> FloatArray:
    """The counter as its 32-bit float shows it: steps of 0.5 kWh from 4.2 GWh, 1 kWh from 8.4, 2 kWh from 16.8."""
    return energy_kwh.astype(np.float32).astype(np.float64)


class Sdm630:
    """Main meter of a building; it only imports, its phases share the load in constant proportions."""

    register_map = REGISTERS

    def __init__(self, electricity: Counting, seed: int) -> None:
        self._electricity = electricity
        self._seed = seed
        weights = [pick(seed, f"share/{phase}", 0.9, 1.1) for phase in _PHASES]
        self._shares = [weight / sum(weights) for weight in weights]
        # A constant power factor keeps reactive energy the exact integral of reactive power.
        self._power_factor = pick(seed, "power_factor", 0.9, 0.98)

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, in canonical units."""
        power_kw, energy_kwh = at_instant(self._electricity, time_ms)
        factor = self._power_factor
        per_active = math.tan(math.acos(factor))  # kvar per kW
        values = {
            "active_power_total": power_kw,
            "apparent_power_total": power_kw / factor,
            "reactive_power_total": power_kw * per_active,
            "power_factor_total": factor,
            "phase_angle_total": math.degrees(math.acos(factor)),
            "frequency": 50 + 0.02 * self._drift("frequency", time_ms),
            "active_energy_import": energy_kwh,
            "active_energy_export": 0.0,
            "active_energy_total": energy_kwh,
            "reactive_energy_import": energy_kwh * per_active,
            "reactive_energy_export": 0.0,
            "reactive_energy_total": energy_kwh * per_active,
        }
        for phase, share in zip(_PHASES, self._shares, strict=True):
            volts = 231 + 1.5 * self._drift(f"voltage/{phase}", time_ms)
            values |= {
                f"voltage_{phase}_n": volts,
                f"current_{phase}": power_kw * share / factor * _KILO / volts,
                f"active_power_{phase}": power_kw * share,
                f"apparent_power_{phase}": power_kw * share / factor,
                f"reactive_power_{phase}": power_kw * share * per_active,
                f"power_factor_{phase}": factor,
                f"thd_voltage_{phase}": 2.5 + 0.3 * self._drift(f"thd/{phase}", time_ms),
                f"active_energy_import_{phase}": energy_kwh * share,
                f"active_energy_export_{phase}": 0.0,
            }
        return values

    def _drift(self, stream: str, time_ms: int) -> float:
        return float(drift(self._seed, stream, np.array([time_ms // 1000]), spacing=60)[0])
