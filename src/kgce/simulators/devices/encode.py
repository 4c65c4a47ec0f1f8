"""Values into 16-bit registers, most significant word first; shares nothing with any decoder."""

import struct
from enum import Enum


class WordType(Enum):
    """How a device stores a number; the value is its struct format."""

    UINT16 = ">H"
    INT16 = ">h"
    UINT32 = ">I"
    INT32 = ">i"
    UINT64 = ">Q"
    FLOAT32 = ">f"

    @property
    def length(self) -> int:
        """Registers one value takes."""
        return struct.calcsize(self.value) // 2


def to_words(value: float, word_type: WordType) -> tuple[int, ...]:
    """Registers of one value; whole-number types round to the nearest.

    Raises:
        ValueError: the value does not fit the type.
    """
    number = float(value) if word_type is WordType.FLOAT32 else _whole(value)
    try:
        packed = struct.pack(word_type.value, number)
    except (struct.error, OverflowError):
        raise ValueError(f"{value} does not fit {word_type.name.lower()}") from None
    return struct.unpack(f">{word_type.length}H", packed)


def _whole(value: float) -> int:
    try:
        return round(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{value} is not a whole number") from None
