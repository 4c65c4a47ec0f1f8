"""Who is on this line: the addresses of its meters, found by asking.

One meter alone says its address (control 13). Several answer at once and destroy each other's frames; then the
question is put to fewer and fewer of them, by fixing the low digits of an address whose rest is AA.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from kgce.collectors.dlt645.exchange import question
from kgce.collectors.dlt645.frame import (
    ADDRESS_BYTES,
    OVERHEAD,
    PREAMBLE,
    WILDCARD,
    Frame,
    encode,
    parse,
    printed_address,
)
from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.line.line import Line

READ_ADDRESS: Final = 0x13
_ANSWERED_ADDRESS: Final = 0x93
_PAIRS: Final = 100  # values of two digits


@dataclass(frozen=True, slots=True)
class Step:
    """One question of a search and whom it found; several meters at once are asked again more narrowly."""

    pattern: str
    found: tuple[str, ...]
    is_crowd: bool


async def read_address(line: Line, *, for_s: float) -> list[str]:
    """The addresses that answer "read address"; a line with one meter gives one.

    Raises:
        LineDown: no connection.
    """
    heard = await line.listen(PREAMBLE + encode(Frame(WILDCARD, READ_ADDRESS, b"")), for_s=for_s)
    answers = (frame for frame in parse(heard) if frame.control == _ANSWERED_ADDRESS)
    return list(dict.fromkeys(_address_in(frame) for frame in answers))


async def search(line: Line, edition: Edition, *, for_s: float) -> AsyncIterator[Step]:
    """Every meter of an edition, by narrowing down who answers to its total energy; a step per question.

    Raises:
        LineDown: no connection.
    """
    open_patterns = [""]
    while open_patterns:
        low = open_patterns.pop()
        step = await _ask(line, edition, low, for_s)
        yield step
        if step.is_crowd and len(low) < 2 * ADDRESS_BYTES:
            open_patterns += [f"{pair:02d}{low}" for pair in reversed(range(_PAIRS))]


async def _ask(line: Line, edition: Edition, low: str, for_s: float) -> Step:
    pattern = low.rjust(2 * ADDRESS_BYTES, "a")
    request = question(pattern, edition, edition.probe_di)
    heard = await line.listen(request, for_s=for_s)
    frames = [frame for frame in parse(heard) if frame.is_answer]
    found = tuple(dict.fromkeys(frame.address for frame in frames))
    whole = sum(len(frame.data) + OVERHEAD for frame in frames)
    noise = len(heard.replace(b"\xfe", b"")) - whole
    return Step(pattern, found, is_crowd=len(found) > 1 or noise > 0)


def _address_in(frame: Frame) -> str:
    """The address in the data, which is what was asked for; the frame's own where a meter leaves it out."""
    return printed_address(frame.data) if len(frame.data) == ADDRESS_BYTES else frame.address
