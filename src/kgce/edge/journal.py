"""Journal: events from every room, on their way into the buffer; recording never waits for the disk.

room --record--> memory (a second at most) --put_event--> Buffer --uplink--> sink
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, Protocol

from kgce.domain.errors import StoreUnavailable
from kgce.domain.events import Event, Severity

log: Final = logging.getLogger(__name__)

_FLUSH_S: Final = 1.0
_MOST_IN_MEMORY: Final = 1000  # a disk that takes nothing must not fill the memory
_LATEST: Final = 20
_LEVEL: Final = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ALARM: logging.ERROR}


class EventBuffer(Protocol):
    """What the journal asks of the buffer."""

    def put_event(self, event: Event) -> object:
        """Commit one event.

        Raises:
            StoreUnavailable: it was not kept.
        """
        ...


class Journal:
    """Takes events from any thread, logs each once, keeps the latest in sight."""

    def __init__(self, buffer: EventBuffer, *, observers: tuple[Callable[[Event], object], ...] = ()) -> None:
        self._buffer = buffer
        self._observers = observers
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._latest: deque[Event] = deque(maxlen=_LATEST)
        self._overflowed = 0

    def record(self, event: Event) -> None:
        """Take one event; safe from any thread, quick, never raises."""
        with self._lock:
            self._latest.append(event)
            self._waiting.append(event)
            if len(self._waiting) > _MOST_IN_MEMORY:
                self._waiting.popleft()
                self._overflowed += 1
        log.log(_LEVEL[event.severity], "%s", event.message, extra={"event": event.id, "subject": event.subject})
        for observer in self._observers:
            observer(event)

    def latest(self) -> list[dict[str, Any]]:
        """The last events, oldest first, fit for JSON."""
        with self._lock:
            return [asdict(event) for event in self._latest]

    @property
    def overflowed(self) -> int:
        """Events lost because the disk took nothing for too long."""
        return self._overflowed

    def flush(self) -> None:
        """Put what waits into the buffer; what it does not take waits on."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                event = self._waiting[0]
            try:
                self._buffer.put_event(event)
            except StoreUnavailable:
                return  # the intake tells about the disk
            with self._lock:
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()

    async def run(self) -> None:
        """Flush each second until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_S)
            if self._waiting:
                await asyncio.to_thread(self.flush)
