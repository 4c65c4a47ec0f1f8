"""What a device can measure: quantity, unit and kind as three separate facts.

A field is named `<quantity>` or `<quantity>_<qualifier>` (`voltage_l1_n`, `active_power_total`); the longest known
quantity that begins the name decides its unit and kind.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.units import CANONICAL, UNITS


class Kind(StrEnum):
    """How values of a point relate in time: it decides how they are reduced to intervals."""

    COUNTER = "counter"  # a register that only grows; differences are amounts
    GAUGE = "gauge"  # an instantaneous value; averages over time
    STATE = "state"  # a code that holds until it changes
    INTERVAL = "interval"  # the amount in the interval that starts at the time stamp


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measurable thing with its canonical unit."""

    name: str
    unit: str
    kind: Kind


def _gauges(**dimensions: str) -> list[Quantity]:
    return [Quantity(name, CANONICAL[dimension], Kind.GAUGE) for name, dimension in dimensions.items()]


def _counters(**dimensions: str) -> list[Quantity]:
    return [Quantity(name, CANONICAL[dimension], Kind.COUNTER) for name, dimension in dimensions.items()]


_AMOUNTS: Final = {"energy", "reactive_energy", "apparent_energy", "volume", "mass"}  # what is metered grows
_CATALOGUE: Final = [
    *_gauges(
        active_power="power", reactive_power="reactive_power", apparent_power="apparent_power", voltage="voltage",
        current="current", frequency="frequency", power_factor="one", phase_angle="angle", thd_voltage="ratio",
        thd_current="ratio", water_flow="volume_flow", gas_flow="volume_flow", heat_power="power",
        temperature="temperature", actual_temperature="temperature", supply_temperature="temperature",
        return_temperature="temperature", flue_temperature="temperature", outdoor_temperature="temperature",
        extra_temperature="temperature", actual_pressure="pressure", pressure="pressure", flame_signal="ratio",
        flue_gas_o2="ratio", firing_rate="ratio", fuel_throughput="volume_flow",
        humidity="ratio", irradiance="irradiance",
        max_rated_current="current", set_current_limit="current", communication_timeout="duration",
        set_current="current", max_current="current", failsafe_current="current", failsafe_timeout="duration",
        watchdog_timeout="duration", session_time="duration", charge_time="duration", connection_time="duration",
        temperature_difference="temperature_difference", outlet_temperature="temperature",
        inlet_temperature="temperature", dhw_temperature="temperature", gas_temperature="temperature",
        base_temperature="temperature", pcb_temperature="temperature", gas_pressure="pressure",
        base_pressure="pressure", atmospheric_pressure="pressure", flow_velocity="velocity", fan_speed="rotation",
        flame_voltage="voltage", flame_current="current", valve_position="ratio", power_setpoint="ratio",
        state_of_charge="ratio", signal_quality="one", net_energy="energy", net_volume="volume",
        hourly_volume="volume", power_rating="power", phase_count="one", co2="concentration",
    ),
    *_counters(
        active_energy_import="energy", active_energy_export="energy", active_energy_total="energy",
        reactive_energy_import="reactive_energy", reactive_energy_export="reactive_energy",
        reactive_energy_total="reactive_energy", heat_energy="energy", cooling_energy="energy", gas_energy="energy",
        site_energy="energy", pv_energy="energy", session_energy="energy", water_volume="volume", gas_volume="volume",
        oil_volume="volume", fuel_mass="mass", operating_hours="duration", startups="one",
        apparent_energy="apparent_energy",
    ),
    *(Quantity(name, "", Kind.STATE) for name in (
        "error_code", "charging_state", "socket_lock_state", "fuel_type", "volume_unit", "temperature_unit",
        "pressure_unit", "serial_number", "firmware_version", "state", "energy_unit", "power_unit", "flow_unit",
        "device_time", "device_model", "device_setting", "user_id", "cable_state", "burner_state", "heartbeat",
    )),
    # What a device says beyond the named quantities, by dimension: an imported register is kept, not lost.
    *(Quantity(f"other_{dimension}", unit, Kind.COUNTER if dimension in _AMOUNTS else Kind.GAUGE)
      for dimension, unit in CANONICAL.items() if dimension != "one"),
    Quantity("other_value", "", Kind.GAUGE), Quantity("other_count", "", Kind.COUNTER),
]  # fmt: skip

QUANTITIES: Final[dict[str, Quantity]] = {quantity.name: quantity for quantity in _CATALOGUE}


@cache
def quantity_of(field: str) -> Quantity:
    """The catalogue entry behind a field name such as `voltage_l1_n`.

    A trailing `_interval` turns a counter's quantity into interval amounts of the same unit.

    Raises:
        InputError: no known quantity begins this name.
    """
    stem, is_interval = (field[: -len("_interval")], True) if field.endswith("_interval") else (field, False)
    parts = stem.split("_")
    for length in range(len(parts), 0, -1):
        known = QUANTITIES.get("_".join(parts[:length]))
        if known is not None:
            return Quantity(known.name, known.unit, Kind.INTERVAL) if is_interval else known
    raise InputError(f"unknown quantity {field!r}; known quantities: {', '.join(sorted(QUANTITIES))}")


assert all(quantity.unit in UNITS for quantity in _CATALOGUE), "every quantity has a known unit"
