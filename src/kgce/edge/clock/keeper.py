"""ClockKeeper: watches the clock each second, and sends held readings on once their right time is known.

GatewayClock --look, events--> journal      Buffer (held) --corrected or released--> uplink
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.domain.events import Event, RecordEvent, Severity
from kgce.edge.clock.clock import GatewayClock
from kgce.edge.clock.stamps import corrected, released

_LOOK_S: Final = 1.0
TRUST_FILE: Final = "clock.trust"  # the operator's word, left in the gateway's folder


class HoldsReadings(Protocol):
    """What the keeper asks of the buffer."""

    def held_clock_ids(self) -> list[str]:
        """Clocks nobody trusted, whose batches wait for a correction."""
        ...

    def rewrite_held(self, clock_id: str, change_batch: Callable[[Batch], Batch]) -> int:
        """Change what was held for this clock, then let it go up; rows changed.

        Raises:
            StoreUnavailable: the rest is still held.
        """
        ...


class ClockKeeper:
    """A companion of the gateway."""

    def __init__(self, clock: GatewayClock, buffer: HoldsReadings, record: RecordEvent, folder: Path) -> None:
        self._clock, self._buffer, self._record = clock, buffer, record
        self._trust_file = folder / TRUST_FILE
        self._may_hold = True  # from before the start

    async def run(self) -> None:
        """Look each second until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Once: the clock, then what waits for it."""
        if self._trust_file.exists():
            with contextlib.suppress(OSError):
                self._trust_file.unlink()
            self._clock.trust_wall()
        self._clock.look()
        for event in self._clock.events():
            self._record(event)
        if self._may_hold or self._may_be_stamped_wrong():
            with contextlib.suppress(StoreUnavailable):  # the intake tells about the disk; the next look goes on
                self._may_hold = self._send_on() or self._may_be_stamped_wrong()

    def _may_be_stamped_wrong(self) -> bool:
        """Whether the intake may hold something back from now on, until the next look."""
        return not self._clock.is_sure or self._clock.is_settling

    def _send_on(self) -> bool:
        """Whether anything is still held."""
        still_held = False
        for clock_id in self._buffer.held_clock_ids():
            shift_ms = self._clock.shift_ms(clock_id)
            if shift_ms is not None:
                rows = self._buffer.rewrite_held(clock_id, partial(corrected, shift_ms=shift_ms))
                text = f"{rows} readings that waited for the right time were moved by {shift_ms / 1000:.1f} s"
                self._tell("clock.corrected", Severity.INFO, text, rows=rows, shift_ms=shift_ms)
            elif self._clock.may_still_be_known(clock_id):
                still_held = True
            else:
                rows = self._buffer.rewrite_held(clock_id, released)
                text = f"the right time of {rows} readings was never known; they are marked and go up as they are"
                self._tell("clock.released", Severity.WARNING, text, rows=rows)
        return still_held

    def _tell(self, event_id: str, severity: Severity, text: str, **evidence: float) -> None:
        self._record(Event(event_id, int(self._clock.now() * 1000), "gateway", severity, text, evidence))
