"""Flat line: a counter that stands still while the same device reports power is repeated by somebody, not read.

A converter that answers from its cache, a meter port that died: the values keep coming and are old. Readings of such a
counter are suspect from the moment when more energy must have flowed than the counter could hide in one step.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray, UInt8Array
from kgce.domain.events import Severity
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.rule import SUSPECT, Verdict, rows_of

_HOUR_MS: Final = 3_600_000
_LONGEST_SPAN_MS: Final = 900_000  # a power reading stands for a quarter of an hour at most
_FLOAT32_STEP: Final = 1e-6  # of the value: eight steps of a 32-bit float's 2^-23
_LEAST_KWH: Final = 1.0
_UNKNOWN_STEP_KWH: Final = 100.0  # a secondary-side counter times its ratios moves in steps of up to 40 kWh
_STEPS: Final = 3  # of the smallest seen

POWER: Final = frozenset({"active_power_total", "active_power"})
ENERGY: Final = frozenset({"active_energy_import", "active_energy_total"})  # import is positive, as power is


@dataclass(slots=True)
class FlatLine:
    """One device's main counter against its power; where it has two of them, the one that came first."""

    counter_field: str = ""
    power_field: str = ""
    counter: float | None = None
    smallest_step: float | None = None
    power_kw: float = 0.0
    power_ms: int | None = None
    hidden_kwh: float = 0.0  # since the counter last moved
    is_frozen: bool = False

    def copy(self) -> "FlatLine":
        """Another of the same state; four times as fast as dataclasses.replace."""
        return FlatLine(
            self.counter_field, self.power_field, self.counter, self.smallest_step,
            self.power_kw, self.power_ms, self.hidden_kwh, self.is_frozen,
        )  # fmt: skip

    def saw_power(self, name: str, time_ms: int, power_kw: float) -> None:
        """The device reports power; the last one held until now."""
        self.power_field = self.power_field or name
        if name != self.power_field:
            return
        if self.power_ms is not None and time_ms > self.power_ms:
            span_ms = min(time_ms - self.power_ms, _LONGEST_SPAN_MS)
            self.hidden_kwh += max(self.power_kw, 0.0) * span_ms / _HOUR_MS
        if self.power_ms is None or time_ms > self.power_ms:
            self.power_ms, self.power_kw = time_ms, power_kw

    def saw_counter(self, name: str, value_kwh: float) -> bool:
        """The device reports its counter; whether it is suspect."""
        self.counter_field = self.counter_field or name
        if name != self.counter_field:
            return False
        if self.counter is not None and value_kwh != self.counter:
            step = abs(value_kwh - self.counter)
            self.smallest_step = step if self.smallest_step is None else min(step, self.smallest_step)
        if value_kwh != self.counter:
            self.counter, self.hidden_kwh = value_kwh, 0.0
        step_kwh = _UNKNOWN_STEP_KWH if self.smallest_step is None else _STEPS * self.smallest_step
        return self.hidden_kwh > max(_LEAST_KWH, step_kwh, _FLOAT32_STEP * value_kwh)


class FlatLineRule:
    """One state per device; counter.frozen begins, counter.moves ends it."""

    def __init__(self) -> None:
        self._tables = ByTable(_told_by)
        self._lines: dict[tuple[str, str], FlatLine] = {}

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """Readings of counters that stand still under power."""
        lines: dict[tuple[str, str], FlatLine] = {}
        frozen: list[int] = []
        verdict = Verdict(learn=lambda: self._lines.update(lines))
        wanted, told_by = self._tables.of(batch.series)
        for row, position, time_ms, value in rows_of(batch, quality, wanted):
            device, field, is_power = told_by[position]
            line = lines.get(device)
            if line is None:
                line = lines[device] = self._lines[device].copy() if device in self._lines else FlatLine()
            if is_power:
                line.saw_power(field, time_ms, value)
                continue
            hidden_kwh = line.hidden_kwh
            is_frozen = line.saw_counter(field, value)
            if is_frozen:
                frozen.append(row)
            if field == line.counter_field and is_frozen != line.is_frozen:
                line.is_frozen = is_frozen
                _tell(verdict, "/".join((*device, field)), time_ms, value, hidden_kwh, is_frozen=is_frozen)
        if frozen:
            verdict.marks.append(("counter.frozen", frozen, SUSPECT))
        return verdict

    def state(self) -> list[Any]:
        """What it knows, fit for JSON."""
        return [[*device, asdict(line)] for device, line in self._lines.items()]

    def restore(self, state: list[Any]) -> None:
        """Know it again."""
        for institution, device, line in state:
            self._lines[str(institution), str(device)] = FlatLine(**line)


def _told_by(series: tuple[Series, ...]) -> tuple[BoolArray, list[tuple[tuple[str, str], str, bool]]]:
    """(n,) whether a series is power or energy; of each series its device, field, and whether it is power."""
    wanted = POWER | ENERGY
    told_by = [((one.institution, one.device), one.quantity, one.quantity in POWER) for one in series]
    return np.array([field in wanted for _, field, _ in told_by], np.bool_), told_by


def _tell(verdict: Verdict, subject: str, time_ms: int, value: float, hidden_kwh: float, *, is_frozen: bool) -> None:
    evidence = {"value": value, "hidden_kwh": round(hidden_kwh, 3)}
    if is_frozen:
        text = f"the counter stands at {value:g} while {hidden_kwh:.1f} kWh must have flowed: who repeats old values?"
        verdict.tell("counter.frozen", time_ms, subject, Severity.WARNING, text, **evidence)
    else:
        text = f"the counter moves again, at {value:g}"
        verdict.tell("counter.moves", time_ms, subject, Severity.INFO, text, **evidence)
