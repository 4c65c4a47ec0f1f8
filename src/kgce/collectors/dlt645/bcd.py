"""Binary coded decimals of DL/T 645: low byte first, the sign in the top bit where a quantity has one."""

import math
from typing import Final

_SIGN: Final = 0x80


def number(raw: bytes, decimals: int, *, is_signed: bool = False) -> float:
    """The number behind low-first BCD bytes; NaN when a digit is none (all FF is how a meter says "not measured")."""
    high_first = bytearray(reversed(raw))
    is_negative = is_signed and bool(high_first) and bool(high_first[0] & _SIGN)
    if is_negative:
        high_first[0] &= ~_SIGN & 0xFF
    digits = high_first.hex()
    if not digits.isdecimal():
        return math.nan
    value = int(digits) / float(10**decimals)
    return -value if is_negative and value else value


def digits(raw: bytes) -> str | None:
    """The digits behind low-first BCD bytes, high first; None when one is none."""
    found = raw[::-1].hex()
    return found if found.isdecimal() else None
