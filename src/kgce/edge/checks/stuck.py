"""Stuck: a meter whose every live value repeats bit for bit for half an hour is not measuring.

One gauge may well stand still; mains voltage, current and power of a live meter never do so all together. Only whole
polls of one device with a voltage above zero are judged, so that a dark building raises no alarm.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray, Int64Array, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.numbered import FIRST_CAPACITY, Numbered
from kgce.edge.checks.rule import NO_BASELINE, SUSPECT, Verdict
from kgce.edge.roster import JoinedTable

_LIVE: Final = frozenset({"voltage", "current", "active_power", "reactive_power", "frequency", "power_factor"})
_FEWEST: Final = 4  # live values of a device
_READINGS: Final = 30
_SPAN_MS: Final = 1_800_000

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Devices:
    """The devices of a series table that can be judged."""

    of_series: Positions  # (n,) place of the series' device in `number`; -1 where the series is no live value
    is_voltage: BoolArray  # (n,)
    number: Positions  # (d,) what the rule knows the device by
    values: Positions  # (d,) live values of a whole poll


@dataclass(frozen=True, slots=True, eq=False)
class _Polls:
    """Whole polls of one batch."""

    rows: Positions  # (r,) of their live values
    device: Positions  # (r,) place of the row's device
    time_ms: Int64Array  # (d,)
    is_whole: BoolArray  # (d,)


class StuckRule:
    """One state per device; value.stuck begins, value.moves ends it."""

    def __init__(self) -> None:
        self._tables = ByTable(self._devices_of)
        self._numbers: dict[tuple[str, str], int] = {}
        self._numbered = Numbered()
        self._last = np.full(FIRST_CAPACITY, np.nan)  # by series
        self._since_ms = np.zeros(0, np.int64)  # by device: since when every value repeats
        self._readings = np.zeros(0, np.int64)
        self._is_told = np.zeros(0, np.bool_)

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """The live values of devices that repeat themselves."""
        devices = self._tables.of(batch.series)
        polls = _whole_polls(batch, quality, devices) if len(devices.number) else None
        if polls is None or not len(polls.rows):
            return Verdict()
        series = self._numbered.of(batch)[polls.rows]
        self._grow()
        value = batch.value[polls.rows]
        moved = np.bincount(polls.device, value != self._last[series], len(devices.number)) > 0
        verdict = Verdict()
        number = devices.number
        for place in np.flatnonzero(polls.is_whole & moved & self._is_told[number]).tolist():
            self._tell_end(verdict, int(number[place]), int(polls.time_ms[place]))
        still = polls.is_whole & ~moved
        span_ms = polls.time_ms - self._since_ms[number]
        long = still & (self._readings[number] + 1 >= _READINGS) & (span_ms >= _SPAN_MS)
        stuck = [place for place in np.flatnonzero(long).tolist() if self._is_live(batch, devices, polls, place)]
        for place in stuck:
            self._mark(verdict, polls, place, number=int(number[place]))

        def learn() -> None:
            self._last[series] = value
            fresh, again = number[polls.is_whole & moved], number[still]
            self._since_ms[fresh], self._readings[fresh], self._is_told[fresh] = (
                polls.time_ms[polls.is_whole & moved], 1, False,
            )  # fmt: skip
            self._readings[again] += 1
            self._is_told[number[stuck]] = True

        verdict.learn = learn
        return verdict

    def _mark(self, verdict: Verdict, polls: _Polls, place: int, *, number: int) -> None:
        rows = polls.rows[polls.device == place].tolist()
        verdict.marks.append(("value.stuck", rows, SUSPECT))
        if self._is_told[number]:
            return
        time_ms, since_ms = int(polls.time_ms[place]), int(self._since_ms[number])
        text = f"all its {len(rows)} live values repeat since {(time_ms - since_ms) / 60_000:.0f} minutes"
        evidence = {"since_ms": since_ms, "readings": int(self._readings[number]) + 1}
        verdict.tell("value.stuck", time_ms, self._name(number), Severity.WARNING, text, **evidence)

    def _tell_end(self, verdict: Verdict, number: int, time_ms: int) -> None:
        verdict.tell("value.moves", time_ms, self._name(number), Severity.INFO, "its values move again")

    def _name(self, number: int) -> str:
        return "/".join(next(device for device, known in self._numbers.items() if known == number))

    @staticmethod
    def _is_live(batch: Batch, devices: _Devices, polls: _Polls, place: int) -> bool:
        """Whether a voltage of it is above zero."""
        rows = polls.rows[polls.device == place]
        return bool((batch.value[rows[devices.is_voltage[batch.index[rows]]]] > 0).any())

    def _grow(self) -> None:
        more = self._numbered.capacity() - len(self._last)
        if more > 0:
            self._last = np.concatenate([self._last, np.full(more, np.nan)])

    def _devices_of(self, series: tuple[Series, ...]) -> _Devices:
        """The tables of one device each in this one, where they hold enough live values."""
        of_series = np.full(len(series), -1, np.intp)
        number: list[int] = []
        for start, table in _single(series):
            names = [_quantity(one.quantity) for one in table]
            live = [start + at for at, name in enumerate(names) if name in _LIVE]
            if (
                len({(one.institution, one.device) for one in table}) == 1
                and len(live) >= _FEWEST
                and "voltage" in names
            ):
                of_series[live] = len(number)
                number.append(self._number((table[0].institution, table[0].device)))
        values = np.bincount(of_series[of_series >= 0], minlength=len(number))
        is_voltage = np.array([_quantity(one.quantity) == "voltage" for one in series], np.bool_)
        return _Devices(of_series, is_voltage, np.array(number, np.intp), values)

    def _number(self, device: tuple[str, str]) -> int:
        if device not in self._numbers:
            self._numbers[device] = len(self._numbers)
            self._since_ms, self._readings = np.append(self._since_ms, 0), np.append(self._readings, 0)
            self._is_told = np.append(self._is_told, False)
        return self._numbers[device]


def _single(series: tuple[Series, ...]) -> list[tuple[int, tuple[Series, ...]]]:
    """The tables a joined one consists of, with where they begin."""
    if isinstance(series, JoinedTable):
        return list(zip(series.starts.tolist(), series.tables, strict=True))
    return [(0, series)]


def _whole_polls(batch: Batch, quality: UInt8Array, devices: _Devices) -> _Polls:
    """Rows of devices all of whose live values came, once each and usable."""
    device = devices.of_series[batch.index]
    rows = np.flatnonzero(device >= 0)
    device = device[rows]
    count = len(devices.number)
    unusable = np.bincount(device, (quality[rows] & NO_BASELINE) != 0, count) > 0
    is_whole = (np.bincount(device, minlength=count) == devices.values) & ~unusable
    of_whole = is_whole[device]
    time_ms = np.zeros(count, np.int64)
    np.maximum.at(time_ms, device, batch.time_ms[rows])
    return _Polls(rows[of_whole], device[of_whole], time_ms, is_whole)


def _quantity(field: str) -> str:
    try:
        return quantity_of(field).name
    except InputError:
        return ""
