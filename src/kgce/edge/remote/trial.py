"""Trial: a new version runs on probation; it is kept when nothing is worse at the end."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from kgce.edge.config import GatewayConfig
from kgce.edge.remote.health import Health, worse

_UNBROKEN: Final = 1 / 3  # of the probation: so long something may be worse, because lines that changed start anew


class Outcome(Enum):
    """How a trial stands."""

    GOES_ON = "goes on"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Proven:
    """What ran well before the trial, and how well."""

    version: int
    config: GatewayConfig
    health: Health


class Trial:
    """One version on probation. Times are monotonic seconds: a clock that leaps neither shortens nor lengthens it."""

    def __init__(self, proven: Proven, *, began_s: float, lasts_s: float) -> None:
        """Begin now."""
        self.proven = proven
        self.worse = ""  # what is worse than before, at the last look
        self._ends_s = began_s + lasts_s
        self._patience_s = lasts_s * _UNBROKEN
        self._worse_since_s: float | None = None

    def look(self, health: Health, now_s: float) -> Outcome:
        """Compare with before; failed when something is worse for long, or at the end."""
        self.worse = worse(self.proven.health, health)
        if not self.worse:
            self._worse_since_s = None
        elif self._worse_since_s is None:
            self._worse_since_s = now_s
        if self._worse_since_s is not None and now_s - self._worse_since_s >= self._patience_s:
            return Outcome.FAILED
        if now_s < self._ends_s:
            return Outcome.GOES_ON
        return Outcome.FAILED if self.worse else Outcome.PASSED
