"""Event: something that happened at a time and that a person may have to answer for, with its evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How soon somebody has to look."""

    INFO = "info"  # worth knowing later
    WARNING = "warning"  # something is not as it should be
    ALARM = "alarm"  # act now


@dataclass(frozen=True, slots=True)
class Event:
    """One event; a state that lasts is two of them, its begin and its end.

    id is stable and dotted (`counter.reset`, `clock.jump`, `boiler.pressure_high`); subject names what it is about
    (`town-hall/main-meter/active_energy_import`, `gateway`); evidence is JSON-able and holds the numbers behind the
    verdict, in the units their names say.
    """

    id: str
    time_ms: int  # UTC
    subject: str
    severity: Severity
    message: str  # one line for a person: what, and what to do
    evidence: Mapping[str, Any] = field(default_factory=dict)


RecordEvent = Callable[[Event], object]  # quick, thread-safe, never raises
