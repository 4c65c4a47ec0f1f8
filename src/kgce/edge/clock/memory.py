"""What the clock remembers over a restart: the last good time, a doubt that lasts, corrections not yet applied.

<folder>/clock.json, written whole or not at all; a damaged one is as good as none.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import orjson

log: Final = logging.getLogger(__name__)

_CORRECTIONS_KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class Doubt:
    """A clock nobody trusts: since when, why, and what goes on instead of it."""

    reason: str
    since_ms: int
    anchor_wall_s: float
    anchor_boot_s: float  # on the clock that counts since the machine started


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything in the file."""

    good_ms: int = 0  # the newest time that was trusted
    boot_id: str = ""  # of the machine
    doubts: int = 0  # how often the clock was doubted, ever: numbers the held readings' clocks
    doubt: Doubt | None = None
    corrections: Mapping[str, int] = field(default_factory=dict)  # clock id -> shift, ms

    def corrected(self, clock_id: str, shift_ms: int) -> dict[str, int]:
        """The corrections with one more; the oldest are forgotten."""
        kept = list({**self.corrections, clock_id: shift_ms}.items())
        return dict(kept[-_CORRECTIONS_KEPT:])


class ClockMemory:
    """The file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock.json"
        self._is_failing = False

    def load(self) -> Remembered:
        """What was saved last; nothing if there is no readable file."""
        try:
            document = orjson.loads(self._path.read_bytes())
            doubt = document.pop("doubt")
            return Remembered(**document, doubt=Doubt(**doubt) if doubt else None)
        except FileNotFoundError:
            return Remembered()
        except (OSError, orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s cannot be read (%s): the clock starts without a memory", self._path, error)
            return Remembered()

    def save(self, remembered: Remembered) -> None:
        """Replace the file; a disk that takes nothing is told once and costs only the memory."""
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(orjson.dumps(asdict(remembered)))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            if not self._is_failing:
                log.warning("the clock's memory cannot be saved: %s", error)
            self._is_failing = True
        else:
            self._is_failing = False
