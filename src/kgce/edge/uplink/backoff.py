"""How long to wait before the next try: doubling, bounded, with jitter so that gateways do not return in step."""

import random
from typing import Final

_GROWTH: Final = 2.0


class Backoff:
    """Waits of first_s, 2 first_s, 4 first_s ... up to limit_s, each shortened at random by up to half."""

    def __init__(self, *, first_s: float = 1.0, limit_s: float = 60.0, jitter: random.Random | None = None) -> None:
        """`jitter` is injected where a test must know the waits."""
        self._first_s = first_s
        self._limit_s = limit_s
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._wait_s = first_s

    def next_s(self) -> float:
        """Seconds to wait now; the next wait is longer."""
        wait_s = self._wait_s * self._jitter.uniform(0.5, 1.0)
        self._wait_s = min(self._wait_s * _GROWTH, self._limit_s)
        return wait_s

    def reset(self) -> None:
        """It worked; start short again."""
        self._wait_s = self._first_s
