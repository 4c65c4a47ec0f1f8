"""Numbers: which batches of every gateway the workers have taken; a hole that stays is a gap.

Gateways number their batches per start (boot). Workers that share a subscription tell each other what they took, so
each knows the union. What came before the first number heard of is nobody's gap: it may have been taken long ago.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kgce.collectors.uplink.message import Number

_BOOTS: Final = 4  # starts of one gateway that are remembered
_HOLES: Final = 1000  # of one start; beyond them the oldest are given up


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Batches of a gateway that nobody has taken."""

    gateway: str
    boot: str
    first: int
    last: int


@dataclass(slots=True)
class _Taken:
    """Numbers of one start, as sorted spans with nothing between that was taken."""

    base: int
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    parts: dict[tuple[int, int], set[int]] = field(default_factory=dict)  # of messages that came in parts so far

    def has(self, first: int, last: int) -> bool:
        at = bisect_right(self.starts, first) - 1
        return at >= 0 and self.ends[at] >= last

    def add(self, first: int, last: int) -> None:
        at = bisect_left(self.ends, first - 1)
        end = bisect_right(self.starts, last + 1)
        if at < end:
            first, last = min(first, self.starts[at]), max(last, self.ends[end - 1])
        self.starts[at:end], self.ends[at:end] = [first], [last]
        if len(self.starts) > _HOLES:
            self.base = self.starts[1]
            del self.starts[0], self.ends[0]

    def holes(self) -> Iterator[tuple[int, int]]:
        for end, start in zip(self.ends, self.starts[1:], strict=False):
            if start > self.base:
                yield max(end + 1, self.base), start - 1


class Numbers:
    """Of every gateway; not thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only go on."""
        self._clock = clock
        self._gateways: dict[str, dict[str, _Taken]] = {}
        self._noticed_s: dict[Gap, float] = {}
        self._broken: set[tuple[str, str]] = set()  # starts with more than one span

    def take(self, number: Number) -> bool:
        """Note what was taken; whether it had been taken before."""
        boots = self._gateways.setdefault(number.gateway, {})
        taken = boots.get(number.boot)
        if taken is None:
            taken = boots[number.boot] = _Taken(number.seq)
            if len(boots) > _BOOTS:
                self._forget(number.gateway, next(iter(boots)))
        if taken.has(number.seq, number.last):
            return True
        if number.parts > 1 and not self._is_whole(taken, number):
            return False
        taken.add(number.seq, number.last)
        if len(taken.starts) > 1:
            self._broken.add((number.gateway, number.boot))
        return False

    def gaps(self, *, for_s: float) -> list[Gap]:
        """Gaps that have stood at least so long."""
        now_s = self._clock()
        found = {
            Gap(gateway, boot, first, last)
            for gateway, boot in self._broken
            for first, last in self._gateways[gateway][boot].holes()
        }
        self._noticed_s = {gap: self._noticed_s.get(gap, now_s) for gap in found}
        self._broken = {place for place in self._broken if len(self._gateways[place[0]][place[1]].starts) > 1}
        return sorted(gap for gap, since_s in self._noticed_s.items() if now_s - since_s >= for_s)

    @staticmethod
    def _is_whole(taken: _Taken, number: Number) -> bool:
        parts = taken.parts.setdefault((number.seq, number.last), set())
        parts.add(number.part)
        if len(parts) < number.parts:
            return False
        del taken.parts[number.seq, number.last]
        return True

    def _forget(self, gateway: str, boot: str) -> None:
        del self._gateways[gateway][boot]
        self._broken.discard((gateway, boot))
