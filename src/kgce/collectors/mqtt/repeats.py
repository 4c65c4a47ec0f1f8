"""Repeats: radio sends each frame several times, and a bridge hands every one of them on."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST: Final = 1000  # messages remembered


class Repeats:
    """Remembers what came last under each topic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing came yet."""
        self._clock = clock
        self._seen: OrderedDict[tuple[str, bytes], float] = OrderedDict()

    def is_one(self, topic: str, payload: bytes, within_s: float) -> bool:
        """The same text came under this topic a moment ago; the first of them counts."""
        key, now = (topic, payload), self._clock()
        seen = self._seen.get(key)
        if seen is not None and now - seen <= within_s:
            return True
        self._seen[key] = now
        self._seen.move_to_end(key)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return False
