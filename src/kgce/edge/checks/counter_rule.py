"""CounterRule: counters that fall or leap leave as suspect; every begin and end of a suspicion is an event.

counter.fell, counter.leapt --> counter.returned (the old level goes on), or counter.new_level (it stays away)
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from kgce.domain.batch import Batch, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.counter_watch import CounterState, Suspicion, is_watched, judge
from kgce.edge.checks.rated import Rated
from kgce.edge.checks.rates import max_per_hour
from kgce.edge.checks.rule import SUSPECT, Verdict, rows_of, subject_of

_FELL: Final = "counter.fell"
_LEAPT: Final = "counter.leapt"


class CounterRule:
    """One state per counter."""

    def __init__(self, *, confirm_readings: int, rates: Mapping[str, float], rated: Rated) -> None:
        self._confirm_readings, self._overrides, self._rated = confirm_readings, rates, rated
        self._watched = ByTable(lambda series: np.array([is_watched(one.quantity) for one in series], np.bool_))
        self._rates: dict[tuple[str, str], float] = {}
        self._states: dict[SeriesKey, CounterState] = {}

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """Suspect rows, and what changed about a counter's level."""
        states: dict[SeriesKey, CounterState] = {}
        suspects: dict[str, list[int]] = {_FELL: [], _LEAPT: []}
        verdict = Verdict(learn=lambda: self._states.update(states))
        for row, position, time_ms, value in rows_of(batch, quality, self._watched.of(batch.series)):
            series = batch.series[position]
            before = states.get(series.key) or self._states.get(series.key)
            after, is_suspect = judge(
                before,
                time_ms=time_ms,
                value=value,
                confirm_readings=self._confirm_readings,
                max_per_hour=self._rate(series),
            )
            states[series.key] = after
            if is_suspect:
                suspects[_FELL if value < after.baseline else _LEAPT].append(row)
            if before is not None and before.suspicion is not after.suspicion:
                _tell(verdict, series, before, after, time_ms=time_ms, value=value)
        verdict.marks += [(name, rows, SUSPECT) for name, rows in suspects.items() if rows]
        return verdict

    def state(self) -> list[Any]:
        """What it knows, fit for JSON."""
        return [[*key, asdict(state)] for key, state in self._states.items()]

    def restore(self, state: list[Any]) -> None:
        """Know it again."""
        for *key, known in state:
            suspicion = known.pop("suspicion")
            institution, device, field = map(str, key)
            restored = CounterState(**known, suspicion=Suspicion(**suspicion) if suspicion else None)
            self._states[institution, device, field] = restored

    def _rate(self, series: Series) -> float:
        name = (series.device, series.quantity)
        if name not in self._rates:
            self._rates[name] = self._bound(*name)
        return self._rates[name]

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
