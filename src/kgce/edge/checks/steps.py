"""Steps: a gauge that leaps further than its physics allows is suspect until the next reading confirms the new level.

Power and current may leap (a chiller starts), so only what `rated.py` and `limits.py` say bounds them. The steps below
are ours, wide on purpose; a site narrows them in `[checks] max_step`.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.numbered import FIRST_CAPACITY, Numbered, is_single
from kgce.edge.checks.rule import NO_BASELINE, SUSPECT, Verdict, subject_of

_LONGEST_SPAN_MS: Final = 900_000  # after a quarter of an hour without a reading anything may have happened
_MOST_SUSPECTS: Final = 3  # in a row; a value that leaps about all the time is noise, not a spike
_RELATIVE: Final = {"voltage": 0.3}  # of the last value: the same rule for 230 V and 10 kV
_ABSOLUTE: Final = {
    "frequency": 2.0,  # Hz
    "outdoor_temperature": 15.0,  # degC
    "supply_temperature": 40.0,
    "return_temperature": 40.0,
    "dhw_temperature": 40.0,
    "humidity": 50.0,  # %
}


class StepRule:
    """What is known of every series, as columns."""

    def __init__(self, overrides: Mapping[str, float]) -> None:
        """`overrides`: the largest step of a quantity or a field, in its canonical unit."""
        self._overrides = overrides
        self._numbered = Numbered()
        self._steps = ByTable(self._steps_of)
        self._known = np.full((3, FIRST_CAPACITY), np.nan)  # last good value, its time, the value under suspicion
        self._suspects = np.zeros(FIRST_CAPACITY, np.int64)  # in a row

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:  # noqa: ARG002 - only order counts
        """Suspect rows; an event when the next reading shows that it was a spike."""
        largest, share = self._steps.of(batch.series)
        rows = np.flatnonzero(np.isfinite(largest)[batch.index] & ((quality & NO_BASELINE) == 0))
        if not len(rows):
            return Verdict()
        number = self._numbered.of(batch)[rows]
        self._grow()
        value, time_ms = batch.value[rows], batch.time_ms[rows].astype(np.float64)
        allowed = np.maximum(largest[batch.index[rows]], share[batch.index[rows]] * np.abs(self._known[0, number]))
        far = np.abs(value - self._known[0, number]) > allowed
        is_plain = not far.any() and not self._suspects[number].any() and bool(is_single(number).all())
        if is_plain:
            return Verdict(learn=lambda: self._accept(number, value, time_ms))
        return self._one_by_one(batch, rows, number, (largest, share))

    def _accept(self, number: npt.NDArray[np.intp], value: FloatArray, time_ms: FloatArray) -> None:
        newer = ~(time_ms <= self._known[1, number])
        self._known[0, number[newer]] = value[newer]
        self._known[1, number[newer]] = time_ms[newer]

    def _one_by_one(
        self,
        batch: Batch,
        rows: npt.NDArray[np.intp],
        number: npt.NDArray[np.intp],
        steps: tuple[FloatArray, FloatArray],
    ) -> Verdict:
        states: dict[int, tuple[float, float, float, int]] = {}
        suspect: list[int] = []
        verdict = Verdict(learn=lambda: self._learn(states))
        for row, one in zip(rows.tolist(), number.tolist(), strict=True):
            largest, share = (float(column[batch.index[row]]) for column in steps)
            value, time_ms = float(batch.value[row]), int(batch.time_ms[row])
            good, good_ms, doubted, in_a_row = states.get(one) or (*self._known[:, one].tolist(), self._suspects[one])
            if time_ms <= good_ms:
                continue
            is_near = not abs(value - good) > max(largest, share * abs(good)) or time_ms - good_ms > _LONGEST_SPAN_MS
            is_confirmed = in_a_row > 0 and abs(value - doubted) <= max(largest, share * abs(doubted))
            if is_near or is_confirmed or in_a_row >= _MOST_SUSPECTS:
                if in_a_row and is_near and not is_confirmed:
                    _tell(verdict, batch.series[batch.index[row]], time_ms, (good, doubted, value))
                states[one] = (value, time_ms, np.nan, 0)
            else:
                states[one] = (good, good_ms, value, in_a_row + 1)
                suspect.append(row)
        if suspect:
            verdict.marks.append(("value.leapt", suspect, SUSPECT))
        return verdict

    def _learn(self, states: Mapping[int, tuple[float, float, float, int]]) -> None:
        for number, (good, good_ms, doubted, in_a_row) in states.items():
            self._known[:, number] = good, good_ms, doubted
            self._suspects[number] = in_a_row

    def _grow(self) -> None:
        more = self._numbered.capacity() - len(self._suspects)
        if more > 0:
            self._known = np.concatenate([self._known, np.full((3, more), np.nan)], axis=1)
            self._suspects = np.concatenate([self._suspects, np.zeros(more, np.int64)])

    def _steps_of(self, series: tuple[Series, ...]) -> tuple[FloatArray, FloatArray]:
        """(n,) the largest absolute step, infinite where there is none, and (n,) the share of the last value."""
        steps = [self._step(one.quantity) for one in series]
        return np.array([largest for largest, _ in steps]), np.array([share for _, share in steps])

    def _step(self, field: str) -> tuple[float, float]:
        try:
            name = quantity_of(field).name
        except InputError:
            name = field
        for known in (field, name):
            if known in self._overrides:
                return self._overrides[known], 0.0
        return (0.0, _RELATIVE[name]) if name in _RELATIVE else (_ABSOLUTE.get(name, float("inf")), 0.0)


def _tell(verdict: Verdict, series: Series, time_ms: int, values: tuple[float, float, float]) -> None:
    before, spike, after = values
    text = f"a spike to {spike:g} between {before:g} and {after:g} was marked suspect"
    evidence = {"spike": spike, "before": before, "after": after}
    verdict.tell("value.spike", time_ms, subject_of(series), Severity.INFO, text, **evidence)
