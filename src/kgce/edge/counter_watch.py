"""Counter watch: a counter that falls is suspect until it returns, or until further readings confirm its new level.

Suspect readings travel with the SUSPECT bit and never move the baseline. Only the order of one counter's readings is
looked at; what the fall means (reset, rollover, new meter) is the ledger's business.
"""

from dataclasses import dataclass, replace
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of

_STARTS_OVER: Final = frozenset({"session_energy"})  # begins at 0 with every charging session, by design


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A level below the baseline that further readings may confirm."""

    first: float
    last: float
    further: int = 0  # readings after the first that stayed at this level


@dataclass(frozen=True, slots=True)
class CounterState:
    """What is known of one counter."""

    baseline: float  # last accepted value
    time_ms: int  # of the last judged reading
    suspicion: Suspicion | None = None


def is_watched(field: str) -> bool:
    """Whether this field is a counter that must not fall."""
    try:
        quantity = quantity_of(field)
    except InputError:
        return False
    return quantity.kind is Kind.COUNTER and quantity.name not in _STARTS_OVER


def judge(
    state: CounterState | None, *, time_ms: int, value: float, confirm_readings: int
) -> tuple[CounterState, bool]:
    """(state after this reading, whether it is suspect).

    A lower level is confirmed by `confirm_readings` further readings that never fall again, the last of which has
    grown: a dead register that repeats 0 is never taken for a new meter. A reading older than the last judged one
    proves nothing about order and passes.
    """
    if state is None:
        return CounterState(value, time_ms), False
    if time_ms <= state.time_ms:
        return state, False
    if value >= state.baseline:
        return CounterState(value, time_ms), False
    known = state.suspicion
    if known is None or value < known.last:
        return replace(state, time_ms=time_ms, suspicion=Suspicion(value, value)), True
    if known.further + 1 >= confirm_readings and value > known.first:
        return CounterState(value, time_ms), False
    return replace(state, time_ms=time_ms, suspicion=Suspicion(known.first, value, known.further + 1)), True
