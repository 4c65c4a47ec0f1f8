"""One meter of the week: what goes wrong with it, what it showed, and when the rows of it came."""

from dataclasses import dataclass, replace

import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.changes import MeterChange
from kgce.domain.quantities import Kind
from kgce.domain.roles import Role
from kgce.domain.tree import Point, Series
from tests.week_of_faults.load import END, MARGIN, MINUTE, START, Load, load_with


@dataclass(frozen=True)
class Outage:
    """No reading after `start_ms` and before `end_ms`; what was buffered meanwhile comes at `replayed_ms`, if ever."""

    start_ms: int
    end_ms: int
    replayed_ms: int | None = None


@dataclass(frozen=True)
class Swap:
    """Another meter hangs there from an instant between two readings on, showing `first_wh` at first."""

    at_ms: int
    first_wh: int
    is_declared: bool


@dataclass(frozen=True)
class Dip:
    """So many readings of zero, the last one just before `back_ms`."""

    back_ms: int
    readings: int


@dataclass(frozen=True)
class Delivery:
    """Rows that came at once."""

    came_ms: int
    time_ms: np.ndarray
    value_kwh: np.ndarray


@dataclass(frozen=True)
class Meter:
    """A register over the planted load.

    extra: real loads beside the daily ones; first_wh: what it shows at the first reading; silent_ms: no reading from
    then on; step_min: between readings; resolution_wh: of its register; width_kwh, most_per_hour: what is known of it.
    """

    institution: str
    device: str = "main"
    extra: tuple[tuple[int, int, int], ...] = ()
    first_wh: int = 120_345_670
    outages: tuple[Outage, ...] = ()
    swaps: tuple[Swap, ...] = ()
    dips: tuple[Dip, ...] = ()
    silent_ms: int = END + MARGIN + 1
    width_kwh: int | None = None
    most_per_hour: float | None = None
    is_repeated: bool = False
    step_min: int = 5
    resolution_wh: int = 10

    @property
    def load(self) -> Load:
        """What hangs behind it."""
        return load_with(self.extra)

    @property
    def step_ms(self) -> int:
        """Between two readings."""
        return self.step_min * MINUTE

    @property
    def series(self) -> Series:
        """Where its readings belong."""
        return Series(self.institution, self.device, "active_energy_import", "electricity", region="370102")

    @property
    def point(self) -> Point:
        """The metering point, with what is known of it."""
        width = None if self.width_kwh is None else float(self.width_kwh)
        role = Role(width=width, most_per_hour=self.most_per_hour)
        return Point(self.series, "electricity", Kind.COUNTER, role=role)

    def before_replay(self) -> "Meter":
        """The same meter while what was buffered has not come yet."""
        return replace(self, outages=tuple(replace(outage, replayed_ms=None) for outage in self.outages))

    def ticks_ms(self) -> np.ndarray:
        """When it was due to be read."""
        return np.arange(START - MARGIN, END + MARGIN + 1, self.step_ms)

    def dipped_ms(self) -> np.ndarray:
        """When it showed zero."""
        moments = [dip.back_ms - place * self.step_ms for dip in self.dips for place in range(1, dip.readings + 1)]
        return np.array(sorted(moments), np.int64)

    def shown_wh(self, time_ms: np.ndarray, *, after: bool = True) -> np.ndarray:
        """What stood on the display, in whole steps of the register; of the old meter where `after` is false."""
        used = self.load.used_wh(time_ms)
        shown = self.first_wh + used
        for swap in sorted(self.swaps, key=lambda one: one.at_ms):
            hangs = time_ms >= swap.at_ms if after else time_ms > swap.at_ms
            shown = np.where(hangs, swap.first_wh + used - self.load.used_wh(swap.at_ms), shown)
        if self.width_kwh is not None:
            shown %= self.width_kwh * 1000
        return shown // self.resolution_wh * self.resolution_wh

    def changes(self) -> list[MeterChange]:
        """What somebody declared, reading both displays."""
        moments = [np.array([swap.at_ms]) for swap in self.swaps if swap.is_declared]
        return [
            MeterChange(
                *self.series.key, int(moment[0]),
                old_last=float(self.shown_wh(moment, after=False)[0]) / 1000,
                new_first=float(self.shown_wh(moment)[0]) / 1000,
            )
            for moment in moments
        ]  # fmt: skip

    def deliveries(self) -> list[Delivery]:
        """Its rows in the order in which they came: live ones first, then what was buffered or sent again."""
        ticks = self.ticks_ms()
        ticks = ticks[ticks < self.silent_ms]
        value = self.shown_wh(ticks) / 1000
        value[np.isin(ticks, self.dipped_ms())] = 0.0
        came = ticks.copy()
        is_lost = np.zeros(len(ticks), np.bool_)
        for outage in self.outages:
            hidden = (ticks > outage.start_ms) & (ticks < outage.end_ms)
            is_lost |= hidden & (outage.replayed_ms is None)
            came[hidden] = outage.replayed_ms or 0
        live = (came == ticks) & ~is_lost
        found = [Delivery(int(ticks[live][-1]), ticks[live], value[live])]
        for moment in np.unique(came[~live & ~is_lost]).tolist():
            chosen = (came == moment) & ~live & ~is_lost
            found.append(Delivery(moment, ticks[chosen], value[chosen]))
        if self.is_repeated:
            shuffled = np.random.default_rng(7).permutation(len(ticks))
            found += [found[0], Delivery(END + MARGIN, ticks[shuffled], value[shuffled])]
        return found

    def batch(self, delivery: Delivery) -> Batch:
        """A delivery as it goes to the store."""
        return Batch.of((self.series,), np.zeros(len(delivery.time_ms)), delivery.time_ms, delivery.value_kwh)
