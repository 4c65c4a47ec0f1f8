"""Alarms: a reading beyond a limit for a while is told, once; its end, and that nobody watches any more, as well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from kgce.domain.batch import UNUSABLE
from kgce.domain.events import Event, RecordEvent, Severity
from kgce.domain.ports import SeriesKey
from kgce.edge.control.config import AlarmTable

_UNUSABLE: Final = int(UNUSABLE)


class Live(Protocol):
    """The newest reading of a series."""

    @property
    def time_ms(self) -> int:
        """UTC."""
        ...

    @property
    def value(self) -> float:
        """In the canonical unit."""
        ...

    @property
    def quality(self) -> int:
        """Quality bits."""
        ...


@dataclass(slots=True)
class _State:
    beyond_since_ms: int | None = None  # first reading of an unbroken run beyond the limit
    raised_ms: int | None = None
    is_silent: bool = False


class Alarms:
    """The rules with their states; `look` is called every few seconds."""

    def __init__(
        self,
        rules: Sequence[AlarmTable],
        newest: Callable[[SeriesKey], Live | None],
        record: RecordEvent,
        clock: Callable[[], float],
    ) -> None:
        self._rules, self._newest, self._record, self._clock = rules, newest, record, clock
        self._states = [_State() for _ in rules]
        self._began_ms = int(clock() * 1000)

    def look(self) -> None:
        """Judge every rule by the newest reading of its series."""
        now_ms = int(self._clock() * 1000)
        for rule, state in zip(self._rules, self._states, strict=True):
            live = self._newest((rule.institution, rule.device, rule.quantity))
            last_ms = live.time_ms if live is not None else self._began_ms
            self._watch(rule, state, is_silent=now_ms - last_ms > rule.silent_after_s * 1000, now_ms=now_ms)
            if live is not None and not live.quality & _UNUSABLE and not state.is_silent:
                self._judge(rule, state, live)

    def standing(self) -> list[dict[str, Any]]:
        """What is raised now, for the page."""
        found = []
        for rule, state in zip(self._rules, self._states, strict=True):
            if state.raised_ms is not None:
                found.append(_shown(rule, rule.severity, rule.message, state.raised_ms))
            elif state.is_silent:
                text = f"nobody watches {rule.quantity} any more: no reading for {rule.silent_after_s:.0f} s"
                found.append(_shown(rule, Severity.WARNING, text, None))
        return found

    def state(self) -> list[dict[str, Any]]:
        """What must outlive a restart, fit for JSON."""
        return [{"rule": _name(rule), **asdict(state)} for rule, state in zip(self._rules, self._states, strict=True)]

    def restore(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Know again what was raised, so that it is not raised twice."""
        known = {str(one["rule"]): one for one in state}
        for at, rule in enumerate(self._rules):
            one = known.get(_name(rule))
            if one is not None:
                self._states[at] = _State(one["beyond_since_ms"], one["raised_ms"], bool(one["is_silent"]))

    def _judge(self, rule: AlarmTable, state: _State, live: Live) -> None:
        if _is_beyond(rule, live.value):
            if state.beyond_since_ms is None:
                state.beyond_since_ms = live.time_ms
            if state.raised_ms is None and live.time_ms - state.beyond_since_ms >= rule.for_s * 1000:
                state.raised_ms = live.time_ms
                self._tell("control.alarm", rule, rule.severity, f"{rule.message}; {rule.todo}", live)
            return
        if state.raised_ms is None:
            state.beyond_since_ms = None
        elif _is_back(rule, live.value):
            state.raised_ms = state.beyond_since_ms = None
            self._tell("control.alarm_over", rule, Severity.INFO, f"{rule.message}: over", live)

    def _watch(self, rule: AlarmTable, state: _State, *, is_silent: bool, now_ms: int) -> None:
        if is_silent == state.is_silent:
            return
        state.is_silent = is_silent
        subject = f"{rule.institution}/{rule.device}/{rule.quantity}"
        text = "no reading: nobody watches it any more" if is_silent else "is watched again"
        severity = Severity.WARNING if is_silent else Severity.INFO
        event = "control.unwatched" if is_silent else "control.watched"
        self._record(Event(event, now_ms, subject, severity, f"{subject}: {text}", {"rule": _name(rule)}))

    def _tell(self, event: str, rule: AlarmTable, severity: Severity, text: str, live: Live) -> None:
        subject = f"{rule.institution}/{rule.device}/{rule.quantity}"
        evidence = {"value": live.value, "rule": _name(rule)}
        self._record(Event(event, live.time_ms, subject, severity, f"{subject}: {text}", evidence))


def _is_beyond(rule: AlarmTable, value: float) -> bool:
    if rule.above is not None:
        return value > rule.above
    if rule.below is not None:
        return value < rule.below
    return value == rule.equals


def _is_back(rule: AlarmTable, value: float) -> bool:
    if rule.above is not None:
        return value <= rule.above - rule.clear
    if rule.below is not None:
        return value >= rule.below + rule.clear
    return value != rule.equals


def _name(rule: AlarmTable) -> str:
    limit = next(
        f"{word} {limit:g}"
        for word, limit in (("above", rule.above), ("below", rule.below), ("equals", rule.equals))
        if limit is not None
    )
    return f"{rule.institution}/{rule.device}/{rule.quantity} {limit} for {rule.for_s:g} s"


def _shown(rule: AlarmTable, severity: Severity, text: str, since_ms: int | None) -> dict[str, Any]:
    subject = f"{rule.institution}/{rule.device}"
    return {"severity": severity.value, "subject": subject, "message": text, "todo": rule.todo, "since_ms": since_ms}
