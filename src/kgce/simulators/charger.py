"""An EV charger: seeded sessions with a current that tapers off, and the energy they take."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.holidays import calendar, flag
from kgce.simulators.noise import uniform
from kgce.simulators.timeline import HOUR_MS, LAST_YEAR, MINUTE_MS, day_index, midnight_ms

MAX_CURRENT_A: Final = 32.0
VOLTS: Final = 230.0  # nominal between phase and neutral while charging
_INSTALLED_DAY: Final = day_index(2023, 1, 1)
_SLOTS: Final = 2  # one car in the morning, one in the afternoon
_EARLIEST_MIN: Final = np.array([8 * 60, 13 * 60 + 30])
_ARRIVAL_SPREAD_MIN: Final = 90
_CHARGING_MIN: Final = (60, 200)
_WORKDAY_CHANCE: Final = np.array([0.85, 0.6])
_OTHER_CHANCE: Final = 0.15
_CAR_LIMITS_A: Final = np.array([10.0, 16.0, 16.0, 32.0])
_FULL_PART: Final = 0.8  # of the charging time at full power
_END_RATIO: Final = 0.2  # of full power when charging ends
_STAYS_MS: Final = 20 * MINUTE_MS  # plugged in after charging


class ChargingState(IntEnum):
    """Terra AC charging state codes. Source: ABB Terra AC Modbus doc 1.7, as read by evcc's charger/abb.go."""

    IDLE = 0
    PLUGGED_WAITING = 2
    CHARGING = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Sessions:
    """Every session in time order; energy_before has one more entry, the sum of all."""

    start_ms: Int64Array
    length_ms: Int64Array
    power_kw: FloatArray
    energy_before: FloatArray


@dataclass(frozen=True, slots=True)
class ChargerState:
    """What a charger shows at one instant; session energy stays until the next car comes."""

    state: ChargingState
    power_kw: float
    session_kwh: float


class Charger:
    """One charger: rate in kW, total in kWh since its installation."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sessions = self._schedule()

    def _schedule(self) -> _Sessions:
        days = np.arange(_INSTALLED_DAY, day_index(LAST_YEAR + 1, 1, 1), dtype=np.int64)
        slots = (days[:, np.newaxis] * _SLOTS + np.arange(_SLOTS)).ravel()
        slot = slots % _SLOTS
        chance = np.where(np.repeat(flag(calendar().workday, days), _SLOTS), _WORKDAY_CHANCE[slot], _OTHER_CHANCE)
        taken = uniform(self._seed, "session", slots) < chance
        arrival_min = _EARLIEST_MIN[slot] + uniform(self._seed, "arrival", slots) * _ARRIVAL_SPREAD_MIN
        low, high = _CHARGING_MIN
        length_min = low + (high - low) * uniform(self._seed, "length", slots)
        limit_a = _CAR_LIMITS_A[(uniform(self._seed, "car", slots) * len(_CAR_LIMITS_A)).astype(np.int64)]
        start_ms = np.repeat(midnight_ms(days), _SLOTS) + (arrival_min * MINUTE_MS).astype(np.int64)
        length_ms = (length_min * MINUTE_MS).astype(np.int64)[taken]
        power_kw = (3 * VOLTS * limit_a / 1000)[taken]
        energy = power_kw * length_ms / HOUR_MS * _charged(np.ones(len(length_ms)))
        return _Sessions(start_ms[taken], length_ms, power_kw, np.concatenate([[0.0], np.cumsum(energy)]))

    def rate(self, time_ms: Int64Array) -> FloatArray:
        """Charging power at each instant [kW]."""
        row, progress = self._current(time_ms)
        falling = 1 - (1 - _END_RATIO) * np.maximum(progress - _FULL_PART, 0.0) / (1 - _FULL_PART)
        return np.where((row >= 0) & (progress < 1), self._sessions.power_kw[np.maximum(row, 0)] * falling, 0.0)

    def total(self, time_ms: Int64Array) -> FloatArray:
        """All energy charged so far [kWh]."""
        row, _ = self._current(time_ms)
        found: FloatArray = self._sessions.energy_before[np.maximum(row, 0)] + self._session_kwh(time_ms)
        return found

    def state(self, time_ms: int) -> ChargerState:
        """State, power and session energy at one instant."""
        at = np.array([time_ms], np.int64)
        row, progress = self._current(at)
        power_kw, session_kwh = float(self.rate(at)[0]), float(self._session_kwh(at)[0])
        state = ChargingState.IDLE
        if row[0] >= 0:
            ended_ms = int(self._sessions.start_ms[row[0]] + self._sessions.length_ms[row[0]])
            if progress[0] < 1:
                state = ChargingState.CHARGING
            elif time_ms < ended_ms + _STAYS_MS:
                state = ChargingState.PLUGGED_WAITING
        return ChargerState(state, power_kw, session_kwh)

    def session_starts_ms(self) -> Int64Array:
        """When each session begins; tests and demonstrations look for one."""
        return self._sessions.start_ms

    def _session_kwh(self, time_ms: Int64Array) -> FloatArray:
        row, progress = self._current(time_ms)
        at = np.maximum(row, 0)
        full = self._sessions.power_kw[at] * self._sessions.length_ms[at] / HOUR_MS
        return np.where(row >= 0, full * _charged(progress), 0.0)

    def _current(self, time_ms: Int64Array) -> tuple[Int64Array, FloatArray]:
        """Row of the last session begun (-1: none yet) and its progress 0..1."""
        row = np.searchsorted(self._sessions.start_ms, time_ms, side="right").astype(np.int64) - 1
        at = np.maximum(row, 0)
        gone = (time_ms - self._sessions.start_ms[at]) / self._sessions.length_ms[at]
        return row, np.clip(gone, 0.0, 1.0)


def _charged(progress: FloatArray) -> FloatArray:
    """Energy so far in units of full power x charging time: the integral of the tapered power."""
    tail = np.maximum(progress - _FULL_PART, 0.0)
    found: FloatArray = progress - (1 - _END_RATIO) * tail**2 / (2 * (1 - _FULL_PART))
    return found
