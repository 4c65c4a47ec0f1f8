"""Counter watch: a counter that falls, or rises faster than it can, is suspect until it returns or is confirmed.

Suspect readings travel with the SUSPECT bit and never move the baseline. Only the order of one counter's readings is
looked at; what a change of level means (reset, rollover, new meter) is the ledger's business.
"""

from dataclasses import dataclass, replace
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of

_STARTS_OVER: Final = frozenset({"session_energy"})  # begins at 0 with every charging session, by design
HOUR_MS: Final = 3_600_000
LEAST_SPAN_MS: Final = 60_000  # a reading's time is not the instant of its counting; shorter spans are taken as this


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A level away from the baseline that further readings may confirm."""

    first: float
    last: float
    further: int = 0  # readings after the first that stayed at this level


@dataclass(frozen=True, slots=True)
class CounterState:
    """What is known of one counter."""

    baseline: float  # last accepted value
    baseline_ms: int
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
    state: CounterState | None,
    *,
    time_ms: int,
    value: float,
    confirm_readings: int,
    max_per_hour: float = float("inf"),
) -> tuple[CounterState, bool]:
    """(state after this reading, whether it is suspect).

    Another level is confirmed by `confirm_readings` further readings that neither fall nor leap, the last of which has
    grown: a dead register that repeats 0, or a marker for "not available", is never taken for a new meter. A reading
    older than the last judged one proves nothing about order and passes.
    """
    accepted = CounterState(value, time_ms, time_ms)
    if state is None:
        return accepted, False
    if time_ms <= state.time_ms:
        return state, False
    if _follows(state.baseline, value, time_ms - state.baseline_ms, max_per_hour):
        return accepted, False
    known = state.suspicion
    if known is None or not _follows(known.last, value, time_ms - state.time_ms, max_per_hour):
        return replace(state, time_ms=time_ms, suspicion=Suspicion(value, value)), True
    if known.further + 1 >= confirm_readings and value > known.first:
        return accepted, False
    return replace(state, time_ms=time_ms, suspicion=Suspicion(known.first, value, known.further + 1)), True


def _follows(before: float, value: float, span_ms: int, max_per_hour: float) -> bool:
    """Whether a counter can have gone from one value to the other in this time."""
    return 0 <= value - before <= max_per_hour * max(span_ms, LEAST_SPAN_MS) / HOUR_MS
