"""UC San Diego: seven meters of a campus microgrid every 15 minutes, 2018-2019: buildings, PV, EV chargers, a battery.

Source: Silwal et al., UCSD microgrid database. Published as mean kW on the clock of Los Angeles without an offset;
stored as kWh of each quarter of an hour in UTC. What is odd is told by ucsd_traps.py.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from kgce.collectors.datasets.collected import Collected
from kgce.collectors.datasets.dataset import Dataset, require_files
from kgce.collectors.datasets.ucsd_traps import TIMEZONE, Metered, find_traps
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import refuse
from kgce.collectors.files.table import Columns, Progress, read_table
from kgce.collectors.files.times import Instant, TimeReader
from kgce.domain.batch import Batch, Quality
from kgce.domain.carriers import CARRIERS
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "ucsd"
YEARS: Final = (2018, 2019)
REGION: Final = Region("USSAN", "San Diego")  # UN/LOCODE
PEER_CLASS: Final = "higher_education"
KWH_PER_KW: Final = 0.25  # a mean over a quarter of an hour
COUNTING: Final = frozenset({"electricity", "ev_charging"})  # what is generated or stored is no consumption
_FILES: Final = ("raw_interval/ucsd_meters.csv", "raw_interval/ucsd_15min_local.csv.gz")
_METER_COLUMNS: Final = Columns(("meter_id", "commodity"), others_allowed=True)
_POWER_COLUMNS: Final = Columns(("meter_id", "timestamp_local", "kw"), others_allowed=True)


@dataclass(slots=True)
class _Clock:
    """Places one meter's local times, which come in true sequence; remembers those the clock shows twice."""

    used: set[int] = field(default_factory=set)
    firsts: set[int] = field(default_factory=set)  # first meanings of times shown twice
    seconds: set[int] = field(default_factory=set)  # and those of which the second came too

    def place(self, instant: Instant) -> int | str:
        """The true UTC [ms] of the next stamp, or why it has none."""
        at_ms = instant.ms
        if instant.second_ms is not None:
            if at_ms in self.firsts:
                self.seconds.add(at_ms)
                at_ms = instant.second_ms
            else:
                self.firsts.add(at_ms)
        if at_ms in self.used:
            return "the meter has this time already"
        self.used.add(at_ms)
        return at_ms


def load(folder: Path, progress: Progress) -> Dataset:
    """The campus with its meters as points, and traps."""
    meters_csv, power_csv = require_files(NAME, folder, _FILES)
    commodities = {line.cells[0]: line.cells[1] for line in read_table(meters_csv, _METER_COLUMNS) if not line.fault}
    powers, clocks = Collected(), {meter: _Clock() for meter in commodities}
    _read(power_csv, powers, clocks, progress)
    metered = list(_metered(powers, clocks, commodities))
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[Institution(NAME, "University of California San Diego", REGION.code, TIMEZONE)],
        attributes=[YearlyAttributes(NAME, year, PEER_CLASS) for year in YEARS],
        buildings=[
            Building(one.meter, NAME, one.meter.removeprefix("ucsd-"))
            for one in metered
            if one.commodity == "electricity"
        ],
        points=[
            Point(_series(one), "electricity", Kind.INTERVAL, Step.QUARTER_HOUR, counts=one.commodity in COUNTING)
            for one in metered
        ],
        batch=Batch.concat(_batch(one) for one in metered),
        findings=find_traps(metered),
        refusals=powers.refusals,
    )


def _read(path: Path, powers: Collected, clocks: Mapping[str, _Clock], progress: Progress) -> None:
    """Mean kW; a blank is a missing one, but its time counts for what comes after it."""
    times = TimeReader(TIMEZONE, now_s=time.time())
    for line in read_table(path, _POWER_COLUMNS, progress):
        meter, time_text, power_text = line.cells[:3]
        fault = line.fault or ("" if meter in clocks else f"unknown meter {meter!r}")
        instant: Instant | int | str = fault or times.read(time_text)
        if isinstance(instant, Instant):
            instant = clocks[meter].place(instant)
        power = number(power_text) if power_text else None
        if isinstance(instant, str) or isinstance(power, str):
            reason = instant if isinstance(instant, str) else str(power)
            powers.refusals.append(refuse(path, line.number, reason, _POWER_COLUMNS.all, line.cells))
        elif power is not None:
            powers.add(meter, int(instant), power)


def _metered(powers: Collected, clocks: Mapping[str, _Clock], commodities: Mapping[str, str]) -> Iterator[Metered]:
    for meter, (time_ms, power) in powers.columns().items():
        clock = clocks[meter]
        repeated, once = sorted(clock.seconds), sorted(clock.firsts - clock.seconds)
        yield Metered(meter, commodities[meter], time_ms, power, repeated, once)


def _series(one: Metered) -> Series:
    carrier = CARRIERS["electricity"]
    building = one.meter if one.commodity == "electricity" else ""
    return Series(NAME, one.meter, carrier.field(Kind.INTERVAL), carrier.measurement, building, REGION.code)


def _batch(one: Metered) -> Batch:
    unsure = np.isin(one.time_ms, one.shown_twice_once)
    quality = np.where(unsure, np.uint8(Quality.TIME_UNSURE), np.uint8(Quality.GOOD))
    index = np.zeros(len(one.power), np.int32)
    return Batch.of((_series(one),), index, one.time_ms, one.power * KWH_PER_KW, quality)
