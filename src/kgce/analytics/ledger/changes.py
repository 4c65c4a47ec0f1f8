"""Declared changes of meters, laid into their readings before anything is judged.

counter.py --one counter's readings--> here --one register that goes on across the change--> anomalies.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kgce.analytics.ledger.amounts import Flag
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.changes import ChangeKind, MeterChange


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What is known about each of n counters beyond its readings.

    width: (n,) value at which the register starts again at 0, NaN = not known; most_per_hour: (n,) more than the
    supply can deliver, NaN = not known, both in the point's unit; changes: declared ones, by the counter's place.
    """

    width: FloatArray
    most_per_hour: FloatArray
    changes: Mapping[int, Sequence[MeterChange]] = field(default_factory=dict)

    @classmethod
    def none(cls, n_series: int) -> "Rules":
        """Nothing is known about any of them."""
        return cls(np.full(n_series, np.nan), np.full(n_series, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """One counter's readings as if one meter had hung there all the time.

    base: (n,) what was added to each shown level; marks: (time in ms, Flag) of the changes.
    """

    time_ms: Int64Array
    value: FloatArray
    base: FloatArray
    marks: list[tuple[int, Flag]]


def join(time_ms: Int64Array, value: FloatArray, changes: Sequence[MeterChange]) -> Joined:
    """Lay declared changes into one counter's readings.

    Args:
        time_ms: (n,) strictly ascending. UTC. [ms]
        value: (n,) as the meters showed it. [shown unit]
        changes: of this counter, in any order.

    Returns:
        A replacement adds one reading at its instant, the old meter's last level: what lies before is the old meter's
        and what follows is the new one's, both measured. A unit's change multiplies what is shown from then on.
        A reading at the instant itself counts as the new meter's.
    """
    if not changes:
        return Joined(time_ms, value, np.zeros(len(value)), [])
    times, values, bases = [], [], []
    marks: list[tuple[int, Flag]] = []
    start, level, factor = 0, 0.0, 1.0  # shown x factor + level = the joined register
    for change in sorted(changes):
        end = int(np.searchsorted(time_ms, change.at_ms, side="left"))
        times.append(time_ms[start:end])
        values.append(_lifted(value[start:end], factor, level))
        bases.append(np.full(end - start, level))
        start = end
        if change.kind is ChangeKind.UNIT:
            factor = change.factor
        elif change.kind is ChangeKind.REPLACED and change.old_last is not None and change.new_first is not None:
            reached = change.old_last * factor + level
            factor = change.factor
            level = reached - change.new_first * factor
            if end == len(time_ms) or time_ms[end] != change.at_ms:
                times.append(np.array([change.at_ms], np.int64))
                values.append(np.array([reached]))
                bases.append(np.array([level]))
            marks.append((change.at_ms, Flag.REPLACED))
    times.append(time_ms[start:])
    values.append(_lifted(value[start:], factor, level))
    bases.append(np.full(len(time_ms) - start, level))
    return Joined(np.concatenate(times), np.concatenate(values), np.concatenate(bases), marks)


def _lifted(value: FloatArray, factor: float, level: float) -> FloatArray:
    if factor == 1.0 and level == 0.0:
        return value  # before any change: the very same bits
    return value * factor + level if factor != 1.0 else value + level
