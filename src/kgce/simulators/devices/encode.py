"""Values into 16-bit registers; shares nothing with any decoder."""

import math
import struct
from enum import Enum
from typing import Final

_BCD_DIGITS: Final = 12


class WordType(Enum):
    """How a device stores a number; the value is its struct format (BCD has none of its own)."""

    UINT16 = ">H"
    INT16 = ">h"
    UINT32 = ">I"
    INT32 = ">i"
    UINT64 = ">Q"
    INT64 = ">q"
    FLOAT32 = ">f"
    BCD48 = ">3H"

    @property
    def length(self) -> int:
        """Registers one value takes."""
        return struct.calcsize(self.value) // 2

    @property
    def is_whole(self) -> bool:
        """False for floats."""
        return self is not WordType.FLOAT32


# What a device sends where it measures nothing: all ones, the largest signed number, or a quiet NaN.
NOT_MEASURED: Final = {
    WordType.UINT16: 0xFFFF,
    WordType.INT16: 0x7FFF,
    WordType.UINT32: 0xFFFF_FFFF,
    WordType.INT32: 0x7FFF_FFFF,
    WordType.UINT64: 0xFFFF_FFFF_FFFF_FFFF,
    WordType.INT64: 0x7FFF_FFFF_FFFF_FFFF,
}


def to_words(value: float, word_type: WordType, *, low_word_first: bool = False) -> tuple[int, ...]:
    """Registers of one value; whole-number types round to the nearest.

    NaN becomes what a device sends where it measures nothing.

    Raises:
        ValueError: the value does not fit the type.
    """
    words = struct.unpack(f">{word_type.length}H", _packed(value, word_type))
    return words[::-1] if low_word_first else words


def text_words(text: str, length: int) -> tuple[int, ...]:
    """Registers of a text, two characters each, filled up with zeros."""
    return struct.unpack(f">{length}H", text.encode("ascii").ljust(2 * length, b"\0")[: 2 * length])


def _packed(value: float, word_type: WordType) -> bytes:
    if word_type is WordType.BCD48:
        digits = f"{_whole(value):0{_BCD_DIGITS}d}"
        if len(digits) != _BCD_DIGITS or not digits.isdigit():
            raise ValueError(f"{value} does not fit {_BCD_DIGITS} digits")
        return bytes.fromhex(digits)
    number: float = float(value)
    if word_type.is_whole:
        number = NOT_MEASURED[word_type] if math.isnan(value) else _whole(value)
    try:
        return struct.pack(word_type.value, number)
    except (struct.error, OverflowError):
        raise ValueError(f"{value} does not fit {word_type.name.lower()}") from None


def _whole(value: float) -> int:
    try:
        return round(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{value} is not a whole number") from None
