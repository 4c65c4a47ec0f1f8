"""Who is on this line: meters that answer a question to all addresses.

Several meters at once destroy each other's frames; CJ/T 188 has no way to ask fewer of them, so a crowd is reported
as one and its meters must be connected, or named, one by one.
"""

from dataclasses import dataclass
from typing import Final

from kgce.collectors.cjt188.exchange import READ, DiOrder, question
from kgce.collectors.cjt188.frame import OVERHEAD, WILDCARD, parse
from kgce.collectors.line.line import Line

PROBED_TYPES: Final = (0x10, 0x20, 0x30, 0x40)  # one of each kind; meters answer to their own type only


@dataclass(frozen=True, slots=True)
class Found:
    """Who answered."""

    meters: tuple[tuple[int, str], ...]  # meter type and address
    is_crowd: bool  # something was heard that is no whole frame


async def read_addresses(line: Line, order: DiOrder, *, for_s: float, meter_type: int = PROBED_TYPES[0]) -> Found:
    """Meters of one type that answer to the address AA...AA.

    Raises:
        LineDown: no connection.
    """
    heard = await line.listen(question(meter_type, WILDCARD, order), for_s=for_s)
    frames = [frame for frame in parse(heard) if frame.is_answer and frame.function == READ]
    meters = tuple(dict.fromkeys((frame.meter_type, frame.address) for frame in frames))
    noise = len(heard.replace(b"\xfe", b"")) - sum(len(frame.data) + OVERHEAD for frame in frames)
    return Found(meters, is_crowd=noise > 0)
