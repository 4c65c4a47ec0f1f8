"""How long the units of a line take to answer, for a hint when one does not (devices.md hazard 18)."""

from typing import Final

FORGET: Final = 0.98  # of the longest, at each answer: one slow answer is forgotten after some hundred
NEAR: Final = 0.5  # of the time-out: from here on it is no longer clear of what the unit usually takes
ENOUGH: Final = 4  # times the longest; Victron's drivers wait four times the filtered latency


class RoundTrips:
    """The longest recent answer of each unit."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._longest_s: dict[int, float] = {}

    def note(self, unit: int, took_s: float) -> None:
        """An answer came after this time."""
        self._longest_s[unit] = max(took_s, FORGET * self._longest_s.get(unit, 0.0))

    def hint(self, unit: int, timeout_s: float) -> str:
        """What to change where the time-out is near the usual time of an answer; "" where it is not."""
        longest_s = self._longest_s.get(unit, 0.0)
        if longest_s < NEAR * timeout_s:
            return ""
        return f": its answers take up to {longest_s:.3g} s; raise timeout_s to {ENOUGH * longest_s:.2g}"
