"""Posting: lines in bites a server likes; where it rejects some for good, the others are kept all the same.

While one bite is on its way the next one is made.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from typing import Final, Protocol

from kgce.store.client_writer import LinesRejected

_LINES: Final = 2_500  # half of what InfluxData recommends for one write: two are on their way at once
_BYTES: Final = 8_000_000

AT_ONCE: Final = 2  # bites on their way: the server works on one while it reads the other

log: Final = logging.getLogger(__name__)


class LineSource(Protocol):
    """Lines that are made when they are asked for."""

    def __len__(self) -> int: ...

    def part(self, first: int, end: int) -> list[bytes]:
        """The texts of these lines."""
        ...


class ReadyLines(list[bytes]):
    """Lines that are there already."""

    def part(self, first: int, end: int) -> list[bytes]:
        """The texts of these lines."""
        return self[first:end]


def post(
    write: Callable[[bytes], None], lines: LineSource, *, pool: Executor, behind: Sequence[bytes] = ()
) -> list[int]:
    """Write the lines, those `behind` them in the last bite; positions of the lines that are rejected for good.

    Raises:
        StoreUnavailable: no answer; some may have arrived.
    """
    rejected: list[int] = []
    under_way: deque[Future[list[int]]] = deque()
    try:
        for first, texts in _bites(lines, behind):
            if len(under_way) == AT_ONCE:
                rejected += under_way.popleft().result()
            under_way.append(pool.submit(_send, write, texts, first))
        while under_way:
            rejected += under_way.popleft().result()
    finally:
        wait(under_way)  # nothing of this call is on its way when it has ended
    return [line for line in rejected if line < len(lines)]


def _bites(lines: LineSource, behind: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    for first in range(0, len(lines), _LINES):
        end = min(first + _LINES, len(lines))
        texts = lines.part(first, end)
        if end == len(lines):
            texts += behind
        yield from _of_size(texts, first)
    if not len(lines) and behind:
        yield 0, list(behind)


def _of_size(texts: list[bytes], first: int) -> Iterator[tuple[int, list[bytes]]]:
    """Halves of halves, until each is small enough."""
    if len(texts) == 1 or sum(map(len, texts)) <= _BYTES:
        yield first, texts
        return
    half = len(texts) // 2
    yield from _of_size(texts[:half], first)
    yield from _of_size(texts[half:], first + half)


def _send(write: Callable[[bytes], None], texts: Sequence[bytes], first: int) -> list[int]:
    """Post lines; where the server rejects some, halve until they stand alone."""
    try:
        write(b"\n".join(texts))
    except LinesRejected as reason:
        if len(texts) == 1:
            log.warning("the server rejects a line for good: %s", reason)
            return [first]
        half = len(texts) // 2
        return _send(write, texts[:half], first) + _send(write, texts[half:], first + half)
    return []
