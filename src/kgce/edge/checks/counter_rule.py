"""CounterRule: counters that fall or leap leave as suspect; every begin and end of a suspicion is an event.

counter.fell, counter.leapt --> counter.returned (the old level goes on), or counter.new_level (it stays away)
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, Int64Array, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.counter_watch import HOUR_MS, LEAST_SPAN_MS, CounterState, Suspicion, is_watched, judge
from kgce.edge.checks.numbered import FIRST_CAPACITY, Numbered, is_single
from kgce.edge.checks.rated import Rated
from kgce.edge.checks.rates import max_per_hour
from kgce.edge.checks.rule import NO_BASELINE, SUSPECT, Verdict, subject_of

_FELL: Final = "counter.fell"
_LEAPT: Final = "counter.leapt"
_NONE: Final = np.zeros(0, np.intp)


class CounterRule:
    """What is known of every counter, as columns; most readings only grow, and are judged all at once."""

    def __init__(self, *, confirm_readings: int, rates: Mapping[str, float], rated: Rated) -> None:
        self._confirm_readings, self._overrides, self._rated = confirm_readings, rates, rated
        self._watched = ByTable(lambda series: np.array([is_watched(one.quantity) for one in series], np.bool_))
        self._rates = ByTable(lambda series: np.array([self._bound(one.device, one.quantity) for one in series]))
        self._numbered = Numbered()
        self._baseline = np.full(FIRST_CAPACITY, np.nan)  # NaN: never seen
        self._times = np.zeros((2, FIRST_CAPACITY), np.int64)  # of the baseline, of the last judged reading
        self._suspicions: dict[int, Suspicion] = {}
        self._suspected = np.zeros(FIRST_CAPACITY, np.bool_)

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """Suspect rows, and what changed about a counter's level."""
        watched = self._watched.of(batch.series)
        rows = np.flatnonzero(watched[batch.index] & ((quality & NO_BASELINE) == 0)) if watched.any() else _NONE
        if not len(rows):
            return Verdict()
        number = self._numbered.of(batch)[rows]
        self._grow()
        value, time_ms = batch.value[rows], batch.time_ms[rows]
        rate = self._rates.of(batch.series)[batch.index[rows]]
        gain = value - self._baseline[number]
        most = rate * np.maximum(time_ms - self._times[0, number], LEAST_SPAN_MS) / HOUR_MS
        grows = (gain >= 0) & (gain <= most) & (time_ms > self._times[1, number]) & ~self._suspected[number]
        plain = (grows | np.isnan(self._baseline[number])) & is_single(number)
        if plain.all():
            return Verdict(learn=lambda: self._accept(number, value, time_ms))
        odd = np.flatnonzero(~plain)
        states: dict[int, CounterState] = {}

        def learn() -> None:
            self._accept(number[plain], value[plain], time_ms[plain])
            for one, state in states.items():
                self._set(one, state)

        verdict = Verdict(learn=learn)
        self._one_by_one(batch, zip(rows[odd].tolist(), number[odd].tolist(), rate[odd].tolist(), strict=True),
                         states, verdict)  # fmt: skip
        return verdict

    def _one_by_one(
        self, batch: Batch, rows: Iterable[tuple[int, int, float]], states: dict[int, CounterState], verdict: Verdict
    ) -> None:
        """Rows (row, number, rate) that do not simply grow, or several of one counter."""
        suspects: dict[str, list[int]] = {_FELL: [], _LEAPT: []}
        for row, number, rate in rows:
            time_ms, value = int(batch.time_ms[row]), float(batch.value[row])
            before = states.get(number) or self._state(number)
            after, is_suspect = judge(
                before, time_ms=time_ms, value=value, confirm_readings=self._confirm_readings, max_per_hour=rate
            )
            states[number] = after
            if is_suspect:
                suspects[_FELL if value < after.baseline else _LEAPT].append(row)
            if before is not None and before.suspicion is not after.suspicion:
                _tell(verdict, batch.series[batch.index[row]], before, after, time_ms=time_ms, value=value)
        verdict.marks += [(name, found, SUSPECT) for name, found in suspects.items() if found]

    def state(self) -> list[Any]:
        """What it knows, fit for JSON."""
        known = ((key, self._state(number)) for number, key in enumerate(self._numbered.keys()))
        return [[*key, asdict(state)] for key, state in known if state is not None]

    def restore(self, state: list[Any]) -> None:
        """Know it again."""
        for *key, known in state:
            suspicion = known.pop("suspicion")
            institution, device, field = map(str, key)
            number = self._numbered.number((institution, device, field))
            self._grow()
            self._set(number, CounterState(**known, suspicion=Suspicion(**suspicion) if suspicion else None))

    def _state(self, number: int) -> CounterState | None:
        baseline = float(self._baseline[number])
        if math.isnan(baseline):
            return None
        baseline_ms, time_ms = self._times[:, number].tolist()
        return CounterState(baseline, baseline_ms, time_ms, self._suspicions.get(number))

    def _set(self, number: int, state: CounterState) -> None:
        self._baseline[number] = state.baseline
        self._times[:, number] = state.baseline_ms, state.time_ms
        self._suspected[number] = state.suspicion is not None
        self._suspicions.pop(number, None)
        if state.suspicion is not None:
            self._suspicions[number] = state.suspicion

    def _accept(self, number: npt.NDArray[np.intp], value: FloatArray, time_ms: Int64Array) -> None:
        self._baseline[number] = value
        self._times[:, number] = time_ms

    def _grow(self) -> None:
        more = self._numbered.capacity() - len(self._baseline)
        if more > 0:
            self._baseline = np.concatenate([self._baseline, np.full(more, np.nan)])
            self._times = np.concatenate([self._times, np.zeros((2, more), np.int64)], axis=1)
            self._suspected = np.concatenate([self._suspected, np.zeros(more, np.bool_)])

    def _bound(self, device: str, field: str) -> float:
        bound = max_per_hour(device, field, self._overrides)
        try:
            quantity = quantity_of(field)
        except InputError:
            return bound
        if {f"{device}.{field}", field, quantity.name} & self._overrides.keys():
            return bound  # what a person wrote about this very counter stands
        return self._rated.per_hour(device, quantity, bound)


def _tell(
    verdict: Verdict, series: Series, before: CounterState, after: CounterState, *, time_ms: int, value: float
) -> None:
    """A suspicion began, ended or became certainty; one that only grows is no news."""
    subject = subject_of(series)
    evidence = {"before": before.baseline, "before_ms": before.baseline_ms, "value": value}
    if before.suspicion is None and after.suspicion is not None:
        if value < before.baseline:
            text = (
                f"the counter fell from {before.baseline:g} to {value:g}; suspect until it returns or grows from there"
            )
            verdict.tell(_FELL, time_ms, subject, Severity.WARNING, text, **evidence)
        else:
            text = f"the counter leapt from {before.baseline:g} to {value:g}, more than can flow in that time"
            verdict.tell(_LEAPT, time_ms, subject, Severity.WARNING, text, **evidence)
    elif before.suspicion is not None and after.suspicion is None:
        readings = before.suspicion.further + 1
        if _is_old_level(before, value):
            text = f"the counter is back at {value:g}; {readings} readings before it were wrong"
            verdict.tell("counter.returned", time_ms, subject, Severity.INFO, text, readings=readings, **evidence)
        else:
            text = f"the counter stays at {value:g} (it was {before.baseline:g}): reset, roll-over or another meter?"
            verdict.tell("counter.new_level", time_ms, subject, Severity.WARNING, text, readings=readings, **evidence)


def _is_old_level(before: CounterState, value: float) -> bool:
    """Nearer to where it was than to where it was suspected."""
    suspected = before.suspicion.last if before.suspicion else value
    return abs(value - before.baseline) < abs(value - suspected)
