"""How long an answer may take: EN 13757-2 counts in bits of the bus, so slow buses wait longer."""

from dataclasses import dataclass
from typing import Final, Self

from kgce.collectors.mbus.link import LONGEST

BITS_PER_BYTE: Final = 11  # start, 8 data, even parity, stop
LATEST_START_BITS: Final = 330  # a meter begins at the latest after these and 50 ms (EN 13757-2, 5.5.1.2)
LATEST_START_S: Final = 0.05
IDLE_BITS: Final = 33  # between an answer and the next request
REQUEST_BYTES: Final = 17  # the longest one, a selection; a converter sends it after it has it
CONVERTER_S: Final = 0.15  # a TCP converter's own buffering, both ways


@dataclass(frozen=True, slots=True)
class Timing:
    """Limits for one bus."""

    acknowledge_s: float
    answer_s: float
    pause_s: float

    @classmethod
    def at(cls, baudrate: int, extra_s: float = 0.0) -> Self:
        """Limits at a bit rate; `extra_s` for a slow converter or a radio bridge."""
        start_s = LATEST_START_BITS / baudrate + LATEST_START_S + CONVERTER_S + extra_s
        bytes_s = BITS_PER_BYTE / baudrate
        return cls(
            acknowledge_s=start_s + (REQUEST_BYTES + 1) * bytes_s,
            answer_s=start_s + (REQUEST_BYTES + LONGEST) * bytes_s,
            pause_s=IDLE_BITS / baudrate,
        )
