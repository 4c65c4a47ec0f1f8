"""A planted week: what was used in every five minutes is known, and what went wrong with each meter."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.changes import MeterChange
from kgce.domain.quantities import Kind
from kgce.domain.roles import Role
from kgce.domain.tree import Institution, Point, Series
from tests.analytics.province import ms

START = ms(2019, 6, 3)  # a Monday, Asia/Shanghai
STEP = 300_000
HOUR, DAY = 3_600_000, 86_400_000
SLOTS = 7 * DAY // STEP
WIDTH = 100_000.0
INSTITUTION = "hall"
TIMES = START + STEP * np.arange(SLOTS + 1, dtype=np.int64)


def at(day: int, hour: float) -> int:
    """Slot of a day (0 = Monday) and hour."""
    return round((day * 24 + hour) * HOUR / STEP)


def planted_load() -> np.ndarray:
    """(slots,) kWh of each five minutes: nights of 4 kW, working days of 12 to 30, weekends of 6."""
    hour = (np.arange(SLOTS) * STEP / HOUR) % 24
    weekday = np.arange(SLOTS) * STEP // DAY
    power = np.where(
        (hour > 7) & (hour < 19), np.where(weekday < 5, 12 + 18 * np.sin((hour - 7) / 12 * np.pi), 6.0), 4.0
    )
    return power * STEP / HOUR


@dataclass
class Meter:
    """A register that follows the load, and what its readings became; used: (slots,) kWh."""

    name: str
    used: np.ndarray = field(default_factory=planted_load)
    first: float = 48_000.0
    role: Role = Role()  # noqa: RUF009 - frozen
    changes: list[MeterChange] = field(default_factory=list)
    shown: np.ndarray = field(init=False)
    kept: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.shown = self.first + np.concatenate(([0.0], np.cumsum(self.used)))
        self.kept = np.ones(SLOTS + 1, bool)

    @property
    def point(self) -> Point:
        series = Series(INSTITUTION, self.name, "active_energy_import", "electricity")
        return Point(series, "electricity", Kind.COUNTER)

    def batch(self) -> Batch:
        """What arrives."""
        return Batch.of([self.point.series], np.zeros(int(self.kept.sum())), TIMES[self.kept], self.shown[self.kept])

    def truth(self, every_ms: int) -> np.ndarray:
        """Planted energy of each interval of the week. [kWh]."""
        return self.used.reshape(-1, every_ms // STEP).sum(axis=1)


def outage(meter: Meter) -> None:
    """Tuesday, silent from 09:00 to 15:00."""
    meter.kept[at(1, 9) + 1 : at(1, 15)] = False


def undeclared_swap(meter: Meter) -> None:
    """Wednesday 13:37: another meter hangs there, and it began at 7."""
    slot = at(2, 13.5) + 1
    meter.shown[slot:] += 7.0 - (meter.shown[slot - 1] + 0.4 * meter.used[slot - 1])


def swap(meter: Meter) -> None:
    """The same, declared with what both meters showed."""
    slot = at(2, 13.5) + 1
    old_last = float(meter.shown[slot - 1] + 0.4 * meter.used[slot - 1])
    undeclared_swap(meter)
    moment = int(TIMES[slot - 1] + 0.4 * STEP)
    meter.changes.append(MeterChange(*meter.point.series.key, moment, old_last=old_last, new_first=7.0))


def dead(meter: Meter) -> None:
    """Nothing more from Wednesday 10:00 on."""
    meter.kept[at(2, 10) + 1 :] = False


def dip(meter: Meter) -> None:
    """Thursday 11:00 one zero, 16:00 five of them."""
    meter.shown[at(3, 11)] = 0.0
    meter.shown[at(3, 16) : at(3, 16) + 5] = 0.0


def heavy(meter: Meter) -> None:
    """Thursday 08:00 to 18:00 a real load of 75 kW behind a fuse of 110."""
    added = np.zeros(SLOTS)
    added[at(3, 8) : at(3, 18)] = 75.0 * STEP / HOUR
    meter.used = meter.used + added
    meter.shown = meter.shown + np.concatenate(([0.0], np.cumsum(added)))
    meter.role = Role(width=meter.role.width, most_per_hour=110.0)


def rollover(meter: Meter) -> None:
    """Five digits: the register starts again at 0 on Friday noon."""
    meter.shown = meter.shown + (WIDTH - meter.shown[at(4, 12)])
    meter.shown %= WIDTH
    meter.role = Role(width=WIDTH, most_per_hour=meter.role.most_per_hour)


FAULTS: dict[str, Callable[[Meter], None]] = {
    "outage": outage, "swap": swap, "dip": dip, "heavy": heavy, "rollover": rollover,
}  # fmt: skip


def meter_with(*faults: str, name: str = "main") -> Meter:
    """A meter to which these happened."""
    meter = Meter(name)
    for fault in faults:
        {**FAULTS, "undeclared": undeclared_swap, "dead": dead}[fault](meter)
    return meter


def everything() -> Meter:
    """All that can be put right on one meter: the roll-over first, so that the swap ends it."""
    return meter_with("heavy", "outage", "dip", "swap", name="everything")


def register(registry, meters: list[Meter]) -> None:
    """The institution, its meters, their roles and changes."""
    registry.save_institutions([Institution(INSTITUTION, "市政厅", "370102")])
    registry.save_points([meter.point for meter in meters])
    registry.save_roles({meter.point.series.key: meter.role for meter in meters})
    for meter in meters:
        for change in meter.changes:
            registry.save_change(change)
