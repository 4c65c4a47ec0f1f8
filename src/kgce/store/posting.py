"""Posting: lines in bites a server likes; where it rejects some for good, the others are kept all the same."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from kgce.store.client_writer import LinesRejected

_LINES: Final = 5_000  # what InfluxData recommends for one write
_BYTES: Final = 4_000_000

log: Final = logging.getLogger(__name__)


def post(write: Callable[[bytes], None], texts: Sequence[bytes]) -> list[int]:
    """Write the lines; positions of those that are rejected for good.

    Raises:
        StoreUnavailable: no answer; some may have arrived.
    """
    rejected: list[int] = []
    for start, end in _bites(texts):
        rejected += _send(write, texts[start:end], start)
    return rejected


def _bites(texts: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    start, size = 0, 0
    for at, text in enumerate(texts):
        if at > start and (at - start >= _LINES or size + len(text) > _BYTES):
            yield start, at
            start, size = at, 0
        size += len(text) + 1
    if start < len(texts):
        yield start, len(texts)


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
