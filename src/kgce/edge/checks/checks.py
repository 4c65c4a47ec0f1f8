"""Checks: what leaves the gateway is marked, never repaired; what can never be kept is refused with its reason.

    source --Batch--> refuse -> drop repeats -> bounds -> rules that remember --Batch--> buffer
                                                            `--events with evidence, once the batch is durable

| rule                 | limit                                             | what happens                          |
|----------------------|---------------------------------------------------|---------------------------------------|
| series.unnameable    | no quantity, or text that is not Unicode          | refused                               |
| value.infinite       | not a number anyone measured                      | refused                               |
| time.impossible      | outside 1980-01-01 .. 2200-01-01                  | refused                               |
| time.future          | more than future_limit_s ahead of a sure clock    | refused                               |
| repeated             | equal to the series' last reading                 | counted as duplicate                  |
| value.missing        | NaN without BAD                                   | BAD                                   |
| value.out_of_range   | outside `limits.py`, or what is rated `rated.py`  | OUT_OF_RANGE                          |
| value.leapt          | further than `steps.py` until confirmed           | SUSPECT, value.spike                  |
| value.stuck          | all live values repeat for 30 minutes, `stuck.py` | SUSPECT, value.stuck, value.moves     |
| counter.fell         | lower than the last accepted, see counter_rule    | SUSPECT, counter.returned, .new_level |
| counter.leapt        | rose faster than `rates.py` or `rated.py` allow   | SUSPECT, likewise                     |
| counter.frozen       | stands still under power, see flat_line           | SUSPECT, counter.frozen, .moves       |
| device.clock_wrong   | behind or standing still, see device_clock        | TIME_UNSURE, device.clock_wrong       |
| clock.unsure         | a plain clock is before 2024                      | TIME_UNSURE, time.future cannot judge |
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgce.domain.batch import Batch, UInt8Array
from kgce.domain.events import Event, RecordEvent
from kgce.edge.buffer.counters import Count, Tally
from kgce.edge.checks.bounds import Bounds
from kgce.edge.checks.counter_rule import CounterRule
from kgce.edge.checks.device_clock import DeviceClockRule
from kgce.edge.checks.flat_line import FlatLineRule
from kgce.edge.checks.last_seen import LastSeen
from kgce.edge.checks.limits import Limit
from kgce.edge.checks.rated import Rated
from kgce.edge.checks.refusals import EARLIEST_MS, END_MS, Refusals
from kgce.edge.checks.rule import TIME_UNSURE, Rule
from kgce.edge.checks.steps import StepRule
from kgce.edge.checks.stuck import StuckRule

__all__ = ["EARLIEST_MS", "END_MS", "SANE_CLOCK_MS", "Checked", "Checks"]

SANE_CLOCK_MS: Final = (
    1_704_067_200_000  # 2024-01-01T00:00:00Z: older than this software, so a clock before it is unset
)
_NO_LIMITS: Final[Mapping[str, Limit]] = {}
_NO_NUMBERS: Final[Mapping[str, float]] = {}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a batch came to; `Checks.remember` it once it is safe."""

    batch: Batch  # rows that go on, marked
    raw: Batch  # the same rows as the source gave them
    otherwise: Tally  # rows that go no further
    marks: Counter[str]
    events: list[Event]
    learn: list[Callable[[], None]]


class Checks:
    """The rules with what they must remember; not thread-safe, `Intake` calls it one batch at a time."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        is_clock_sure: Callable[[], bool] | None = None,
        record: RecordEvent = lambda _event: None,
        future_limit_s: float = 300.0,
        behind_limit_s: float = 900.0,
        confirm_readings: int = 3,
        limits: Mapping[str, Limit] = _NO_LIMITS,
        rates: Mapping[str, float] = _NO_NUMBERS,
        steps: Mapping[str, float] = _NO_NUMBERS,
        rated: Rated | None = None,
    ) -> None:
        """`limits`, `rates` and `steps` narrow or widen the bounds of a quantity or a single field.

        `is_clock_sure`: who trusts the clock and marks what it stamped (edge/clock); without it a clock before 2024
        is unset and every row is marked.
        """
        rated = rated or Rated()
        self._clock, self._is_clock_sure, self._record = clock, is_clock_sure, record
        self._bounds = Bounds(limits, rated)
        self._refusals = Refusals(self._bounds.unnameable, future_limit_s=future_limit_s)
        self._last_seen = LastSeen()
        self._counters = CounterRule(confirm_readings=confirm_readings, rates=rates, rated=rated)
        self._flat_lines = FlatLineRule()
        self._device_clocks = DeviceClockRule(behind_limit_s=behind_limit_s)
        self._rules: tuple[Rule, ...] = (StepRule(steps), StuckRule(), self._counters, self._flat_lines)
        self.marks: Counter[str] = Counter()  # rows marked since the start, by rule

    def check(self, batch: Batch) -> Checked:
        """Judge every row; nothing is remembered yet."""
        now_ms = int(self._clock() * 1000)
        is_sure = self._is_clock_sure() if self._is_clock_sure is not None else now_ms >= SANE_CLOCK_MS
        otherwise: Tally = Counter()
        kept, reasons, events = self._refusals.judge(batch, now_ms, is_sure=is_sure)
        otherwise.update({(Count.REFUSED, reason): rows for reason, rows in reasons.items() if rows})
        raw = batch.select(kept) if not kept.all() else batch
        repeated = self._last_seen.repeats(raw)
        if repeated.any():
            otherwise[Count.DUPLICATE, "repeated"] = int(repeated.sum())
            raw = raw.select(~repeated)
        quality, marks = self._bounds.mark(raw)
        if not is_sure and self._is_clock_sure is None:
            quality |= TIME_UNSURE
            marks["clock.unsure"] = len(raw)
        learn = self._judge(raw, quality, now_ms, marks, events, is_sure=is_sure)
        marked = Batch(raw.series, raw.index, raw.time_ms, raw.value, quality)
        return Checked(marked, raw, otherwise, marks, events, learn)

    def remember(self, checked: Checked) -> None:
        """The batch is safe: it is what the next one is compared with, and what was found is told."""
        self._last_seen.remember(checked.raw)
        for learn in checked.learn:
            learn()
        self.marks.update(checked.marks)
        for event in checked.events:
            self._record(event)

    def state(self) -> dict[str, Any]:
        """What must outlive a restart, fit for JSON."""
        return {"counters": self._counters.state(), "flat_lines": self._flat_lines.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Know again what `state` said.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is not such a state; nothing or a part of it is known.
        """
        self._counters.restore(state["counters"])
        self._flat_lines.restore(state["flat_lines"])

    def _judge(
        self, batch: Batch, quality: UInt8Array, now_ms: int, marks: Counter[str], events: list[Event], *, is_sure: bool
    ) -> list[Callable[[], None]]:
        """Let each rule see what the ones before it left; `quality`, `marks` and `events` grow."""
        learn: list[Callable[[], None]] = []
        for rule in (*self._rules, self._device_clocks) if is_sure else self._rules:
            verdict = rule.judge(batch, quality, now_ms)
            for name, rows, bit in verdict.marks:
                quality[rows] |= bit
                marks[name] += len(rows)
            events += verdict.events
            learn.append(verdict.learn)
        return learn
