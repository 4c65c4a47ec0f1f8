"""Held: values that are dear to compute, kept for a time in proportion to what they cost."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LEAST_S: Final = 2.0
MOST_S: Final = 60.0
KEPT_PER_COST: Final = 20.0  # at most a twentieth of one core goes into recomputing one value


@dataclass(slots=True)
class _Entry(Generic[V]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: V | None = None
    made_at_s: float = 0.0
    until_s: float = 0.0
    is_known: bool = False


class Held(Generic[K, V]):
    """`compute` behind a memory; each key is computed by one thread at a time, an error is never kept.

    A value is kept for twenty times its cost, within 2 s and 60 s. Whoever asks meanwhile gets the old one.
    """

    def __init__(
        self, compute: Callable[[K], V], *, clock: Callable[[], float] = time.monotonic, capacity: int = 32
    ) -> None:
        """The least recently asked key is forgotten beyond `capacity`."""
        self._compute = compute
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The value, and where need be its computation; raises what `compute` raises."""
        return self.get_with_age(key)[0]

    def get_with_age(self, key: K) -> tuple[V, float]:
        """The value and how long ago it was computed. [s]."""
        entry = self._entry(key)
        if not entry.is_known or self._clock() >= entry.until_s:
            self._refresh(key, entry)
        return entry.value, self._clock() - entry.made_at_s  # type: ignore[return-value]  # known, or _refresh raised

    def _entry(self, key: K) -> _Entry[V]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
            return entry

    def _refresh(self, key: K, entry: _Entry[V]) -> None:
        if not entry.lock.acquire(blocking=not entry.is_known):
            return  # another thread is at it: the old value will do
        try:
            started_s = self._clock()
            if entry.is_known and started_s < entry.until_s:
                return  # another thread was just done with it
            value = self._compute(key)
            entry.value, entry.made_at_s = value, self._clock()
            kept_s = min(MOST_S, max(LEAST_S, KEPT_PER_COST * (entry.made_at_s - started_s)))
            entry.until_s, entry.is_known = entry.made_at_s + kept_s, True
        finally:
            entry.lock.release()
