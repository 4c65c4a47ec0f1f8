"""Pauses between connections: growing, jittered, bounded; many short connections in a row are a take-over loop."""

import random
from collections.abc import Callable
from typing import Final

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
LONGEST_IN_LOOP_S: Final = 300.0  # two clients of one name throw each other out: the slower the better
STEADY_AFTER_S: Final = 30.0  # a shorter connection keeps the pause growing
LOOP_FROM: Final = 3  # short connections in a row
TAKEN_OVER: Final = 0x8E  # MQTT 5 reason code


class Pauses:
    """Remembers how connections ended."""

    def __init__(
        self, first_s: float = FIRST_PAUSE_S, jitter: Callable[[float, float], float] = random.uniform
    ) -> None:
        """Nothing has ended yet."""
        self._first_s = self._pause_s = first_s
        self._jitter = jitter
        self._short = 0

    @property
    def is_loop(self) -> bool:
        """Connections are accepted and end soon, again and again."""
        return self._short >= LOOP_FROM

    def ended(self, connected_s: float | None, reason: int | None) -> None:
        """A connection ended after so long; None = it never stood."""
        if connected_s is None:
            return
        if connected_s > STEADY_AFTER_S:
            self._short, self._pause_s = 0, self._first_s
        else:
            self._short += 1
        if reason == TAKEN_OVER:  # the broker says it: no need to wait for more
            self._short = max(self._short, LOOP_FROM)

    def next_s(self) -> float:
        """How long to wait now; half of it is chance, so that a thousand gateways do not come back at once."""
        pause_s = self._pause_s * self._jitter(0.5, 1.0)
        self._pause_s = min(2 * self._pause_s, LONGEST_IN_LOOP_S if self.is_loop else LONGEST_PAUSE_S)
        return pause_s
