"""TeeSink: the sink, with onlookers who see what it has kept (the live page)."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from kgce.domain.batch import Batch
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, EventSink, Sink

log: Final = logging.getLogger(__name__)

Observer = Callable[[Batch], object]


class TeeSink:
    """Hands batches to `sink`; observers are called once it has kept them, and cannot lose them."""

    def __init__(self, sink: Sink, *observers: Observer) -> None:
        """Observers run in the uplink's thread: they must be quick and thread-safe."""
        self._sink = sink
        self._observers = observers
        self._failing: set[int] = set()

    def append(self, batch: Batch) -> AppendResult:
        """What the sink answers; its errors pass, an observer's do not."""
        result = self._sink.append(batch)
        for position, observer in enumerate(self._observers):
            self._show(position, observer, batch)
        return result

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Hand events on, where the sink keeps them."""
        if isinstance(self._sink, EventSink):
            self._sink.append_events(gateway, events)

    def _show(self, position: int, observer: Observer, batch: Batch) -> None:
        try:
            observer(batch)
        except Exception:
            if position not in self._failing:
                self._failing.add(position)
                log.exception("observer %d fails; the readings are stored all the same", position)
        else:
            if position in self._failing:
                self._failing.discard(position)
                log.info("observer %d is back", position)
