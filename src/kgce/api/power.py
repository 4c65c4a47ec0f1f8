"""Live power: what the main electricity meters show now, by building and in all, and its course of the last minutes.

LiveHub.latest --live_power--> LivePower --PowerWatch, once a second--> console
"""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kgce.api.live import LiveHub, LiveReading
from kgce.domain.batch import UNUSABLE
from kgce.domain.errors import KgceError
from kgce.domain.ports import SeriesKey

log: Final = logging.getLogger(__name__)

Device = tuple[str, str]  # (institution, device)
STALE_AFTER_S: Final = 150.0  # two missed minutes of a meter read every minute
POWER_QUANTITIES: Final = ("active_power_total", "active_power")  # the first a device has is its power
SAMPLE_EVERY_S: Final = 1.0
TRAIL_LENGTH: Final = 600  # ten minutes


@dataclass(frozen=True, slots=True)
class BuildingPower:
    """Power of one building; None when none of its meters has a fresh good value."""

    institution: str
    building: str
    power_kw: float | None
    age_s: float  # of the oldest value in the sum, or of the newest there is when none is fresh
    meters: int
    fresh_meters: int


@dataclass(frozen=True, slots=True)
class LivePower:
    """Power of all buildings that have a live main meter; None = nothing fresh."""

    power_kw: float | None
    age_s: float | None
    meters: int
    fresh_meters: int
    buildings: tuple[BuildingPower, ...]  # the largest first


@dataclass(frozen=True, slots=True)
class _Meter:
    institution: str
    building: str
    power_kw: float
    age_s: float
    is_fresh: bool


NOTHING: Final = LivePower(None, None, 0, 0, ())


def live_power(latest: Mapping[SeriesKey, LiveReading], mains: Collection[Device], *, now_s: float) -> LivePower:
    """Sum over the main meters; a value that is bad or older than 150 s is left out, and the count says so."""
    meters = sorted(
        (_meter(reading, now_s) for reading in map(latest.get, _power_keys(latest, mains)) if reading is not None),
        key=lambda meter: (meter.institution, meter.building),
    )
    groups = itertools.groupby(meters, key=lambda meter: (meter.institution, meter.building))
    buildings = [_building(*place, tuple(group)) for place, group in groups]
    known = [(one.power_kw, one.age_s) for one in buildings if one.power_kw is not None]
    return LivePower(
        sum(power_kw for power_kw, _ in known) if known else None,
        max(age_s for _, age_s in known) if known else None,
        len(meters),
        sum(meter.is_fresh for meter in meters),
        tuple(sorted(buildings, key=lambda one: (one.power_kw is None, -(one.power_kw or 0.0), one.building))),
    )


def _power_keys(latest: Mapping[SeriesKey, LiveReading], mains: Collection[Device]) -> list[SeriesKey]:
    found = []
    for device in mains:
        keys = ((*device, quantity) for quantity in POWER_QUANTITIES)
        key = next((key for key in keys if key in latest), None)
        if key is not None:
            found.append(key)
    return found


def _meter(reading: LiveReading, now_s: float) -> _Meter:
    age_s = max(0.0, now_s - reading.time_ms / 1000)
    is_fresh = age_s <= STALE_AFTER_S and not reading.quality & UNUSABLE
    return _Meter(reading.series.institution, reading.series.building, reading.value, age_s, is_fresh)


def _building(institution: str, building: str, meters: tuple[_Meter, ...]) -> BuildingPower:
    fresh = [meter for meter in meters if meter.is_fresh]
    power_kw = sum(meter.power_kw for meter in fresh) if fresh else None
    age_s = max(meter.age_s for meter in fresh) if fresh else min(meter.age_s for meter in meters)
    return BuildingPower(institution, building, power_kw, age_s, len(meters), len(fresh))


class PowerWatch:
    """Takes the live power once a second for all open pages; `current` and `trail` may be read at any time."""

    def __init__(
        self,
        hub: LiveHub | None,
        mains: Callable[[], Collection[Device]],
        clock: Callable[[], float],
        names: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`mains` and `names` may block and may raise a KgceError; what was known last then stands."""
        self._hub = hub
        self._mains = mains
        self._names = names
        self._clock = clock
        self._failing = False
        self._known_mains: Collection[Device] = ()
        self.current = NOTHING
        self.names: Mapping[str, str] = {}  # of institutions, by id
        self.trail: deque[tuple[int, float | None]] = deque(maxlen=TRAIL_LENGTH)  # (time_ms, power_kw)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.to_thread(self.sample)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def sample(self) -> None:
        """One look at the hub."""
        if self._hub is None:
            return
        self._ask_registry()
        now_s = self._clock()
        self.current = live_power(self._hub.latest(), self._known_mains, now_s=now_s)
        if self.current.meters:
            self.trail.append((round(now_s * 1000), self.current.power_kw))

    def _ask_registry(self) -> None:
        try:
            self._known_mains = self._mains()
            self.names = self._names()
        except KgceError as error:
            if not self._failing:
                log.warning("the registry does not answer, live power goes on with the meters known: %s", error)
            self._failing = True
        else:
            if self._failing:
                log.info("the registry answers again")
            self._failing = False
