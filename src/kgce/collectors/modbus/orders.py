"""Word and byte orders: which byte on the wire stands at which place of the value."""

from typing import Final

from kgce.domain.errors import ProfileError

WORD_BYTES: Final = 2
_SWAPS: Final = {"little": 0, "swapped": 1, "little swapped": 1}  # which byte of a word comes first in the value
_LETTERS: Final = {"ABCD": "big", "CDAB": "little", "BADC": "swapped", "DCBA": "little swapped"}


def byte_positions(order: str, length: int) -> tuple[int, ...]:
    """Which wire byte stands at each place of the value, for an order of the field's notations.

    The value's bytes are A (most significant), B, C, ...; an order such as CDAB says how they arrive. Worked on the
    32-bit value 0x11223344: ABCD arrives as 11 22 33 44, CDAB as 33 44 11 22, BADC as 22 11 44 33, DCBA as 44 33 22 11.
    "big" is all in order, "little" is the low word first; "swapped" is BADC and "little swapped" DCBA at any length.
    Digits are letters, 3-4-1-2 is CDAB; the four-letter orders name the same habit at every other length.

    Raises:
        ProfileError: the letters do not fit the length.
    """
    order = _as_letters(order)
    if order == "big" or length <= 1 or (order == "AB" and length % WORD_BYTES == 0):
        return tuple(range(length))
    if order in _LETTERS and length != len(order) and length % WORD_BYTES == 0:
        return byte_positions(_LETTERS[order], length)
    if order in _SWAPS:
        words = range(0, length, WORD_BYTES) if order == "swapped" else range(length - WORD_BYTES, -1, -WORD_BYTES)
        first = _SWAPS[order]
        return tuple(place for word in words for place in (word + first, word + 1 - first))
    letters = [chr(ord("A") + place) for place in range(length)]
    if sorted(order) != letters:
        raise ProfileError(f"byte order {order!r} does not fit a value of {length} bytes")
    return tuple(order.index(letter) for letter in letters)


def _as_letters(order: str) -> str:
    """The notation without remarks in brackets: digits as letters, no order at all as plain."""
    order = order.split("(", 1)[0].strip() or "big"
    if order in {"n/a", "none"}:
        return "big"
    digits = order.replace("-", "").replace(" ", "")
    if not digits.isascii() or not digits.isdecimal():
        return order
    return "".join(chr(ord("A") + int(digit) - 1) if digit != "0" else "?" for digit in digits)
