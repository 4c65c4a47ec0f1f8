"""Rival: another gateway that connects under our id; each throws the other out, and data crawls.

MQTT 5 brokers may say "session taken over"; others only close the line, and then the birth of the other one, which
stands on our own status topic, gives it away.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Collection
from typing import Final

import orjson

log: Final = logging.getLogger(__name__)

_STAYS_S: Final = 600.0  # without a new sign of it, it is taken for gone


class Rival:
    """Whether there is one, and how long to leave it the line."""

    def __init__(self, gateway: str, target: str, wait_s: float, past_boots: Callable[[], Collection[str]]) -> None:
        """`past_boots`: our own earlier starts, whose births a broker may still have in store for us."""
        self._past_boots = past_boots
        self.text = f"another gateway connects as {gateway!r} to {target}: give each its own [gateway] id"
        self._wait_s = wait_s
        self._noticed_s = -math.inf
        self._not_before_s = -math.inf
        self._born_as = ""  # our birth stood on the status topic: whatever else stands there came after it

    @property
    def is_there(self) -> bool:
        """Whether there was a sign of it lately."""
        return time.monotonic() - self._noticed_s < _STAYS_S

    def born(self, boot: str) -> None:
        """We have published our birth."""
        self._born_as = boot

    def saw_status(self, payload: bytes | bytearray) -> None:
        """Something stands on our status topic."""
        try:
            boot = orjson.loads(payload)["boot"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if self._born_as and boot != self._born_as and boot not in self._past_boots():
            self.noticed()

    def noticed(self) -> None:
        """A sign of it."""
        if not self.is_there:
            log.error("%s", self.text)
        self._noticed_s = time.monotonic()

    def leave_it_the_line(self) -> None:
        """Our connection ended: it is its turn, for a while."""
        self._not_before_s = time.monotonic() + random.uniform(0.5, 1.5) * self._wait_s  # noqa: S311 - spreads retries

    def left_s(self) -> float:
        """Seconds until it is our turn again."""
        return max(0.0, self._not_before_s - time.monotonic())
