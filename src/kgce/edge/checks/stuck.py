"""Stuck: a meter whose every live value repeats bit for bit for half an hour is not measuring.

One gauge may well stand still; mains voltage, current and power of a live meter never do so all together. Only whole
polls of one device with a voltage above zero are judged, so that a dark building raises no alarm.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.rule import NO_BASELINE, SUSPECT, Verdict

_LIVE: Final = frozenset({"voltage", "current", "active_power", "reactive_power", "frequency", "power_factor"})
_FEWEST: Final = 4  # live values of a device
_READINGS: Final = 30
_SPAN_MS: Final = 1_800_000


@dataclass(frozen=True, slots=True)
class _Live:
    device: tuple[str, str]
    positions: frozenset[int]
    voltages: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Seen:
    values: bytes
    since_ms: int
    readings: int = 1
    is_told: bool = False


class StuckRule:
    """One state per device; value.stuck begins, value.moves ends it."""

    def __init__(self) -> None:
        self._live = ByTable(_live)
        self._seen: dict[tuple[str, str], _Seen] = {}

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """The live values of a device that repeats itself."""
        live = self._live.of(batch.series)
        if live is None:
            return Verdict()
        rows = np.array([row for row, position in enumerate(batch.index.tolist()) if position in live.positions])
        if len(rows) != len(live.positions) or (quality[rows] & NO_BASELINE).any():
            return Verdict()
        values, time_ms = batch.value[rows].tobytes(), int(batch.time_ms[rows].max())
        before = self._seen.get(live.device)
        verdict = Verdict()
        if before is None or values != before.values:
            after = _Seen(values, time_ms)
            if before is not None and before.is_told:
                text = "its values move again"
                verdict.tell("value.moves", time_ms, "/".join(live.device), Severity.INFO, text)
        else:
            after = self._still(before, batch, live, rows, verdict)
        verdict.learn = lambda: self._seen.update({live.device: after})
        return verdict

    @staticmethod
    def _still(before: _Seen, batch: Batch, live: _Live, rows: npt.NDArray[np.int64], verdict: Verdict) -> _Seen:
        time_ms = int(batch.time_ms[rows].max())
        is_stuck = before.readings + 1 >= _READINGS and time_ms - before.since_ms >= _SPAN_MS and _is_live(batch, live)
        if is_stuck:
            verdict.marks.append(("value.stuck", rows.tolist(), SUSPECT))
        if is_stuck and not before.is_told:
            text = f"all its {len(rows)} live values repeat since {(time_ms - before.since_ms) / 60_000:.0f} minutes"
            evidence = {"since_ms": before.since_ms, "readings": before.readings + 1}
            verdict.tell("value.stuck", time_ms, "/".join(live.device), Severity.WARNING, text, **evidence)
        return _Seen(before.values, before.since_ms, before.readings + 1, before.is_told or is_stuck)


def _is_live(batch: Batch, live: _Live) -> bool:
    return any(batch.value[row] > 0 for row, at in enumerate(batch.index.tolist()) if at in live.voltages)


def _live(series: tuple[Series, ...]) -> _Live | None:
    """The live values of the one device in this table; None when there are several devices or too few values."""
    devices = {(one.institution, one.device) for one in series}
    if len(devices) != 1:
        return None
    names = [_name(one.quantity) for one in series]
    positions = frozenset(at for at, name in enumerate(names) if name in _LIVE)
    voltages = frozenset(at for at, name in enumerate(names) if name == "voltage")
    return _Live(devices.pop(), positions, voltages) if len(positions) >= _FEWEST and voltages else None


def _name(field: str) -> str:
    try:
        return quantity_of(field).name
    except InputError:
        return ""
