"""LiveHub: the newest reading of every series in memory, with subscribers who hear what became newest.

Gateway's sink observer (any thread) --publish--> LiveHub --subscribe--> /live, console
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from kgce.api.quality import quality_name
from kgce.api.times import iso_utc
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series

EVENTS_PER_SUBSCRIBER: Final = 64  # a minute and more of batches; beyond it the oldest are lost, never memory


class LiveReading(NamedTuple):
    """One reading as the hub keeps it; value is NaN only with a bad quality."""

    time_ms: int
    value: float
    quality: int
    series: Series


@dataclass(frozen=True)
class LiveEvent:
    """The readings of one batch that became the newest of their series; `number` counts events, gaps show losses."""

    number: int
    readings: tuple[LiveReading, ...]

    @cached_property
    def json(self) -> bytes:
        """The whole event; encoded once, however many clients hear it."""
        return _encode(self.readings)

    def json_of(self, institution: str | None) -> bytes | None:
        """The event's readings of one institution (None = of all); None when there are none."""
        if institution is None:
            return self.json
        chosen = tuple(reading for reading in self.readings if reading.series.institution == institution)
        return _encode(chosen) if chosen else None


class Subscription:
    """What one client has yet to hear, bounded; belongs to the event loop that made it."""

    def __init__(self, capacity: int) -> None:
        """Must be made inside a running loop."""
        self._loop = asyncio.get_running_loop()
        self._events: deque[LiveEvent] = deque(maxlen=capacity)
        self._woken = asyncio.Event()
        self._is_over = False
        self.lost = 0  # events this client was too slow for

    def offer(self, event: LiveEvent) -> None:
        """Queue an event; called by the hub, from any thread."""
        self.lost += len(self._events) == self._events.maxlen
        self._events.append(event)
        self._wake()

    def end(self) -> None:
        """Nothing follows; `next` gives what is queued, then None."""
        self._is_over = True
        self._wake()

    async def next(self) -> LiveEvent | None:
        """The oldest event not yet heard; waits for one; None when the subscription has ended."""
        while not self._events:
            if self._is_over:
                return None
            self._woken.clear()
            await self._woken.wait()
        return self._events.popleft()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._woken.set)


class LiveHub:
    """Newest readings and their audience; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[SeriesKey, LiveReading] = {}
        self._subscriptions: set[Subscription] = set()
        self._number = 0

    def publish(self, batch: Batch) -> None:
        """Take what is newer than what is known; an older reading never replaces a newer one."""
        arrived = _newest_of_each(batch)
        with self._lock:
            news = tuple(reading for reading in arrived if self._is_news(reading))
            self._latest.update((reading.series.key, reading) for reading in news)
            if news:
                self._number += 1
                event = LiveEvent(self._number, news)
                for subscription in self._subscriptions:
                    subscription.offer(event)

    def latest(self) -> dict[SeriesKey, LiveReading]:
        """The newest reading of every series; a copy."""
        with self._lock:
            return dict(self._latest)

    @contextlib.contextmanager
    def subscribe(self, *, capacity: int = EVENTS_PER_SUBSCRIBER) -> Iterator[Subscription]:
        """Events from now on, for one client of the running loop."""
        subscription = Subscription(capacity)
        with self._lock:
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def subscriber_count(self) -> int:
        """How many listen now."""
        with self._lock:
            return len(self._subscriptions)

    def end_subscriptions(self) -> None:
        """Let every present client go: the server stops."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.end()

    def _is_news(self, reading: LiveReading) -> bool:
        known = self._latest.get(reading.series.key)
        if known is None or reading.time_ms > known.time_ms:
            return True
        # Same time, another value: the later one stands, as in the store.
        return reading.time_ms == known.time_ms and not _same(reading, known)


def _same(one: LiveReading, other: LiveReading) -> bool:
    both_nan = np.isnan(one.value) and np.isnan(other.value)
    return one.quality == other.quality and bool(one.value == other.value or both_nan)


def _newest_of_each(batch: Batch) -> list[LiveReading]:
    """The newest row of every series; of equal times the later row."""
    if not len(batch):
        return []
    order = np.lexsort((batch.time_ms, batch.index))  # stable: rows of one series and time keep their order
    last = np.flatnonzero(np.diff(batch.index[order], append=-1))
    rows = batch.select(order[last])
    columns = (rows.index.tolist(), rows.time_ms.tolist(), rows.value.tolist(), rows.quality.tolist())
    return [
        LiveReading(time_ms, value, quality, batch.series[place])
        for place, time_ms, value, quality in zip(*columns, strict=True)
    ]


def unit_of_series(series: Series) -> str:
    """Unit of a series' values; empty for states and for quantities the catalogue does not know."""
    try:
        return quantity_of(series.quantity).unit
    except InputError:
        return ""


def _encode(readings: tuple[LiveReading, ...]) -> bytes:
    rows: list[dict[str, Any]] = [
        {
            "institution": reading.series.institution,
            "building": reading.series.building,
            "device": reading.series.device,
            "quantity": reading.series.quantity,
            "time": iso_utc(reading.time_ms),
            "value": reading.value,  # orjson writes NaN as null
            "unit": unit_of_series(reading.series),
            "quality": quality_name(reading.quality),
        }
        for reading in readings
    ]
    return orjson.dumps(rows)
