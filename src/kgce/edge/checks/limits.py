"""Physical bounds by quantity: what no sound reading exceeds. Wide on purpose; a site narrows them in its TOML.

A value outside is marked OUT_OF_RANGE, never changed. Bounds are inclusive, in the quantity's canonical unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of


@dataclass(frozen=True, slots=True)
class Limit:
    """Lowest and highest value that can be true."""

    low: float
    high: float


_POWER: Final = Limit(-1e6, 1e6)  # +-1 GW: ten times the largest campus; negative is export
_FLOW: Final = Limit(-1e6, 1e6)  # m3/h; negative is backflow
_CURRENT: Final = Limit(-1e5, 1e5)  # A
_WATER_C: Final = Limit(-60.0, 400.0)  # heating and cooling water, superheated steam
_COUNTER: Final = Limit(0.0, 1e12)  # a counter only grows from 0; 1e12 kWh is a large country's year
UNLIMITED: Final = Limit(float("-inf"), float("inf"))

LIMITS: Final[Mapping[str, Limit]] = {
    "active_power": _POWER,
    "reactive_power": _POWER,
    "apparent_power": _POWER,
    "heat_power": _POWER,
    "voltage": Limit(0.0, 252_000.0),  # V; 252 kV is the highest equipment voltage of the 220 kV class
    "current": _CURRENT,
    "max_rated_current": _CURRENT,
    "set_current_limit": _CURRENT,
    "frequency": Limit(0.0, 100.0),  # Hz; a dead bus shows 0
    "power_factor": Limit(-1.01, 1.01),  # 1 % for the meter's rounding
    "phase_angle": Limit(-360.0, 360.0),  # deg
    "thd_voltage": Limit(0.0, 1000.0),  # %; related to the fundamental it may exceed 100
    "thd_current": Limit(0.0, 1000.0),
    "water_flow": _FLOW,
    "gas_flow": _FLOW,
    "fuel_throughput": _FLOW,
    "temperature": Limit(-100.0, 2000.0),  # degC; includes furnaces
    "actual_temperature": Limit(-100.0, 2000.0),
    "extra_temperature": Limit(-100.0, 2000.0),
    "flue_temperature": Limit(-60.0, 2000.0),
    "supply_temperature": _WATER_C,
    "return_temperature": _WATER_C,
    "outdoor_temperature": Limit(-95.0, 65.0),  # beyond every temperature recorded on Earth
    "actual_pressure": Limit(-102.0, 1e5),  # kPa; gauges read -101.3 at vacuum
    "pressure": Limit(-102.0, 1e5),
    "flame_signal": Limit(0.0, 200.0),  # %
    "firing_rate": Limit(0.0, 200.0),
    "flue_gas_o2": Limit(0.0, 25.0),  # %; air has 20.9
    "humidity": Limit(0.0, 105.0),  # %; sensors overshoot when wet
    "irradiance": Limit(-20.0, 2000.0),  # W/m2; pyranometers read a little below 0 at night
    "communication_timeout": Limit(0.0, 1e6),  # h
}


def limit_of(field: str, overrides: Mapping[str, Limit]) -> Limit:
    """Bounds of a field such as `voltage_l1_n`; an override may name the field or its quantity."""
    try:
        quantity = quantity_of(field)
    except InputError:
        return overrides.get(field, UNLIMITED)  # a name the catalogue does not know has no physics to break
    for name in (field, quantity.name):
        if name in overrides:
            return overrides[name]
    if quantity.kind is Kind.COUNTER:
        return _COUNTER
    return LIMITS.get(quantity.name, UNLIMITED) if quantity.kind is Kind.GAUGE else UNLIMITED
