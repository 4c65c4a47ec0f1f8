"""A gas boiler: heat demand from the weather, burner that modulates and, at low load, cycles.

Each half hour is one cycle. Above the lowest firing rate the burner runs through; below it, it runs at the
lowest rate for the first part of each cycle. Gas, running hours and starts are exact integrals of that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.counter import HourlyCounter
from kgce.simulators.holidays import calendar, flag
from kgce.simulators.noise import pick
from kgce.simulators.occupancy import occupancy
from kgce.simulators.progress import people_at, remaining
from kgce.simulators.timeline import HOUR_MS, day_of, hour_and_offset
from kgce.simulators.uses import PARAMETERS, Use
from kgce.simulators.weather import outdoor_c

CYCLE_MS: Final = 1_800_000
_CYCLES: Final = HOUR_MS // CYCLE_MS
LOWEST_FIRING: Final = 0.25
# Plausible simulation parameters, not measurements.
_HEATED_BELOW_C: Final = 18.0
_DESIGN_OUTDOOR_C: Final = -10.0
_LOSS_W_M2_K: Final = (1.3, 1.9)
_EFFICIENCY: Final = 0.91
_GAS_KWH_PER_M3: Final = 9.9
HEAT_KWH_PER_M3: Final = _EFFICIENCY * _GAS_KWH_PER_M3
_CAPACITY_MARGIN: Final = 1.2
_OLD_HOURS: Final = (4_000.0, 15_000.0)
_OLD_STARTS: Final = (3_000.0, 12_000.0)


class _Burner:
    """Shape of an hour of gas: on for the first `duty` part of each cycle."""

    def __init__(self, boiler: "Boiler") -> None:
        self._boiler = boiler

    def density(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        duty = self._boiler.duty(hours)
        on = (offset_ms % CYCLE_MS) / CYCLE_MS < duty
        return np.where(on, 1 / np.maximum(duty, 1e-12), 0.0)

    def share(self, hours: Int64Array, offset_ms: Int64Array) -> FloatArray:
        duty = self._boiler.duty(hours)
        whole, part = offset_ms // CYCLE_MS, (offset_ms % CYCLE_MS) / CYCLE_MS
        burnt = np.where(duty > 0, np.minimum(part / np.maximum(duty, 1e-12), 1.0), 0.0)
        found: FloatArray = (whole + burnt) / _CYCLES
        return found


@dataclass(frozen=True, slots=True)
class BoilerState:
    """What a boiler does at one instant."""

    firing_ratio: float  # 0 = burner off
    supply_c: float
    return_c: float
    flue_c: float
    o2_percent: float
    flame_percent: float


class Boiler:
    """One gas boiler of a building; `gas` has its rate in m3/h and its total in m3."""

    def __init__(
        self, use: Use, *, heated_area_m2: float, people: float, occupancy_seed: int, seed: int, climate_seed: int
    ) -> None:
        self._use = use
        self._seed = seed
        self._occupancy_seed = occupancy_seed
        self._climate_seed = climate_seed
        self._area_m2 = heated_area_m2
        self._people = people
        self._loss_w_m2_k = pick(seed, "loss", *_LOSS_W_M2_K)
        self._hot_water_w = PARAMETERS[use].hot_water_w_per_person * people
        self.capacity_m3_h = self._capacity_m3_h()
        self.gas = HourlyCounter(self._gas_m3_h, _Burner(self))
        self.running_h = HourlyCounter(self.duty, _Burner(self), base=pick(seed, "hours", *_OLD_HOURS))
        self._starts = HourlyCounter(self._starts_in, _Burner(self), base=round(pick(seed, "starts", *_OLD_STARTS)))

    def _capacity_m3_h(self) -> float:
        design_w = self._area_m2 * self._loss_w_m2_k * (_HEATED_BELOW_C - _DESIGN_OUTDOOR_C) + self._hot_water_w
        return design_w / 1000 * _CAPACITY_MARGIN / (_EFFICIENCY * _GAS_KWH_PER_M3)

    def _gas_m3_h(self, hours: Int64Array) -> FloatArray:
        parameters = PARAMETERS[self._use]
        occupied = occupancy(self._use, self._occupancy_seed, hours)
        cold_k = np.maximum(_HEATED_BELOW_C - outdoor_c(self._climate_seed, hours), 0.0)
        kept = parameters.night_setback + (1 - parameters.night_setback) * np.minimum(occupied * 2, 1.0)
        heating_w = self._area_m2 * self._loss_w_m2_k * cold_k * kept * flag(calendar().heating, day_of(hours))
        people = people_at(self._occupancy_seed, self._people, hours)
        hot_water_w = parameters.hot_water_w_per_person * people * (0.6 + 0.6 * occupied)
        gas = (heating_w + hot_water_w) / 1000 / (_EFFICIENCY * _GAS_KWH_PER_M3)
        return np.minimum(gas * remaining(self._occupancy_seed, "gas", hours), self.capacity_m3_h)

    def duty(self, hours: Int64Array) -> FloatArray:
        """Part of each cycle the burner runs, 0..1, for each hour."""
        return np.minimum(self.gas.hour_mean(hours) / (LOWEST_FIRING * self.capacity_m3_h), 1.0)

    def _ran_through(self, hours: Int64Array) -> FloatArray:
        """1 where the hour before ended with the burner on."""
        through = (self.duty(np.maximum(hours - 1, 0)) >= 1) & (hours > 0)
        return through.astype(np.float64)

    def _starts_in(self, hours: Int64Array) -> FloatArray:
        duty = self.duty(hours)
        lit = np.where(duty >= 1, 1.0, float(_CYCLES)) - self._ran_through(hours)
        return np.where(duty > 0, lit, 0.0)

    def starts(self, time_ms: Int64Array) -> FloatArray:
        """Burner starts so far, whole numbers."""
        hours, offset_ms = hour_and_offset(time_ms)
        begun = offset_ms // CYCLE_MS + 1
        duty = self.duty(hours)
        here = np.where(duty >= 1, 1.0, begun.astype(np.float64)) - self._ran_through(hours)
        found: FloatArray = self._starts.total(time_ms - offset_ms) + np.where(duty > 0, here, 0.0)
        return found

    def state(self, time_ms: int) -> BoilerState:
        """Temperatures and flame at one instant."""
        at = np.array([time_ms], np.int64)
        hours, offset_ms = hour_and_offset(at)
        outdoor = float(outdoor_c(self._climate_seed, hours)[0])
        mean_load = float(self.gas.hour_mean(hours)[0]) / self.capacity_m3_h
        firing = float(self.gas.rate(at)[0]) / self.capacity_m3_h
        if mean_load <= 0:  # out of season: everything is as warm as the boiler room
            room_c = 20 + 0.2 * outdoor
            return BoilerState(0.0, room_c, room_c, room_c, 20.9, 0.0)
        set_point_c = min(max(72 - 1.1 * outdoor, 50.0), 82.0)  # weather-compensated
        swing_k = 2.0 * float(np.sin(2 * np.pi * (offset_ms[0] % CYCLE_MS) / CYCLE_MS))
        supply_c = set_point_c + swing_k
        return_c = supply_c - 4 - 18 * mean_load
        if firing <= 0:
            return BoilerState(0.0, supply_c, return_c, supply_c + 5, 20.9, 0.0)
        return BoilerState(
            firing, supply_c, return_c, supply_c + 25 + 60 * firing, 6.0 - 2.8 * firing, 70 + 20 * firing
        )
