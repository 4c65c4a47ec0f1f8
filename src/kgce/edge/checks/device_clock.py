"""DeviceClockRule: a device that stamps its own readings by a clock that is behind, or that stands still.

A backlog, a daily freeze or a slow medium is late too, but catches up or jumps; a wrong clock keeps its distance, a
dead one falls behind second by second while values change. Only after three such batches over five minutes is it told.
A clock ahead is refused by `time.future`, and told here as well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, UInt8Array
from kgce.domain.events import Severity
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.rule import TIME_UNSURE, Verdict

_BATCHES: Final = 3
_SPAN_MS: Final = 300_000
_PACE: Final = 0.2  # how far a running clock's pace may lie from ours


@dataclass(frozen=True, slots=True)
class _Lag:
    newest_ms: int
    arrival_ms: int
    since_ms: int  # arrival of the first batch of this kind
    kind: str
    batches: int = 1
    is_told: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Devices:
    """The devices of a series table."""

    names: list[tuple[str, str]]
    place: dict[tuple[str, str], int]  # of each in `names`
    of_series: npt.NDArray[np.intp]  # (n,) place of each series' device


class DeviceClockRule:
    """One state per device that is late."""

    def __init__(self, *, behind_limit_s: float) -> None:
        self._limit_ms = behind_limit_s * 1000
        self._late: dict[tuple[str, str], _Lag] = {}
        self._devices = ByTable(_devices)

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - bits do not matter
        """Rows of devices whose clock cannot be right."""
        verdict = Verdict()
        if not len(batch):
            return verdict
        late = batch.time_ms < now_ms - self._limit_ms
        if not late.any() and not self._late:
            return verdict
        states: dict[tuple[str, str], _Lag | None] = {}
        devices = self._devices.of(batch.series)
        of_row = devices.of_series[batch.index]
        concerned = {*of_row[late].tolist(), *(devices.place[one] for one in self._late.keys() & devices.place.keys())}
        for place in concerned:
            device, rows = devices.names[place], np.flatnonzero(of_row == place)
            if not len(rows):
                continue
            before, newest_ms = self._late.get(device), int(batch.time_ms[rows].max())
            if newest_ms >= now_ms - self._limit_ms:
                if before is not None:
                    states[device] = None
                    _tell_end(verdict, device, before, now_ms)
                continue
            after = self._later(before, newest_ms, now_ms)
            is_wrong = after.batches >= _BATCHES and now_ms - after.since_ms >= _SPAN_MS
            if is_wrong:
                verdict.marks.append(("device.clock_wrong", rows.tolist(), TIME_UNSURE))
                if not after.is_told:
                    _tell_begin(verdict, device, after, now_ms)
                after = _Lag(*_times(after), after.kind, after.batches, is_told=True)
            states[device] = after
        verdict.learn = lambda: self._learn(states)
        return verdict

    @staticmethod
    def _later(before: _Lag | None, newest_ms: int, now_ms: int) -> _Lag:
        if before is None:
            return _Lag(newest_ms, now_ms, now_ms, "")
        moved, passed = newest_ms - before.newest_ms, max(now_ms - before.arrival_ms, 1)
        kind = "stands still" if moved == 0 else "is behind" if abs(moved / passed - 1) <= _PACE else ""
        if not kind:
            return _Lag(newest_ms, now_ms, now_ms, "")  # it catches up, or jumps: no clock does that
        if before.kind not in ("", kind):
            return _Lag(newest_ms, now_ms, now_ms, kind)
        return _Lag(newest_ms, now_ms, before.since_ms, kind, before.batches + 1, before.is_told)

    def _learn(self, states: dict[tuple[str, str], _Lag | None]) -> None:
        for device, state in states.items():
            if state is None:
                self._late.pop(device, None)
            else:
                self._late[device] = state


def _devices(series: tuple[Series, ...]) -> _Devices:
    place: dict[tuple[str, str], int] = {}
    of_series = [place.setdefault((one.institution, one.device), len(place)) for one in series]
    return _Devices(list(place), place, np.array(of_series, np.intp))


def _times(lag: _Lag) -> tuple[int, int, int]:
    return lag.newest_ms, lag.arrival_ms, lag.since_ms


def _tell_begin(verdict: Verdict, device: tuple[str, str], lag: _Lag, now_ms: int) -> None:
    behind_s = (now_ms - lag.newest_ms) / 1000
    text = f"its clock {lag.kind}, by {behind_s:.0f} s now; set the device's clock"
    evidence: dict[str, float | str] = {"behind_s": behind_s, "device_ms": lag.newest_ms, "kind": lag.kind}
    verdict.tell("device.clock_wrong", now_ms, "/".join(device), Severity.WARNING, text, **evidence)


def _tell_end(verdict: Verdict, device: tuple[str, str], lag: _Lag, now_ms: int) -> None:
    if lag.is_told:
        verdict.tell("device.clock_right", now_ms, "/".join(device), Severity.INFO, "its clock is right again")
