"""HeldReadings: a span's readings taken from the store in one go, for many months that are worked out after each other.

store --one read--> here --read() as a store's--> readings.py
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgce.analytics.ledger.readings import FAR_MS, Readable, reach_ms
from kgce.domain.batch import Batch, Int64Array
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point


class HeldReadings:
    """Readings of some points around a span; whatever a month inside the span asks for is answered from memory."""

    def __init__(self, store: Readable, points: Sequence[Point], *, start_ms: int, end_ms: int) -> None:
        """Read once.

        Raises:
            StoreUnavailable: no answer.
        """
        reach: dict[tuple[int, int], list[SeriesKey]] = {}
        for point in points:
            around = (reach_ms(point), 0) if point.kind is Kind.INTERVAL else (FAR_MS, FAR_MS)
            reach.setdefault(around, []).append(point.series.key)
        parts = [
            store.read(keys, start_ms=start_ms - before, end_ms=end_ms + after)
            for (before, after), keys in sorted(reach.items())
        ]
        self._batch = Batch.concat([part for part in parts if len(part)]) if len(parts) != 1 else parts[0]
        self._place_of = {series.key: place for place, series in enumerate(self._batch.series)}
        self._first_ms = int(self._batch.time_ms.min(initial=0))
        self._span_ms = int(self._batch.time_ms.max(initial=0)) - self._first_ms + 2
        self._order = self._on_one_scale(self._batch.index, self._batch.time_ms)  # ascending: by series, then time

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """The rows a store would give, in the order of its answer to the one question."""
        found = sorted(self._place_of[key] for key in keys if key in self._place_of)
        places = np.array(found, np.int64)
        first = np.searchsorted(self._order, self._on_one_scale(places, np.full(len(places), start_ms)))
        last = np.searchsorted(self._order, self._on_one_scale(places, np.full(len(places), end_ms)))
        count = np.maximum(last - first, 0)
        rows = np.arange(int(count.sum())) + np.repeat(first - (np.cumsum(count) - count), count)
        return self._batch.select(rows)

    def _on_one_scale(self, place: npt.NDArray[np.integer], time_ms: Int64Array) -> Int64Array:
        """Series and time as one ascending number; times outside are held at the ends."""
        inside = np.clip(np.asarray(time_ms, np.int64) - self._first_ms, 0, self._span_ms - 1)
        return np.asarray(place, np.int64) * self._span_ms + inside
