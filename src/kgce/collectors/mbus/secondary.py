"""Secondary addresses: a meter is chosen by its number, manufacturer, version and medium instead of a bus address."""

from typing import Final

from kgce.collectors.mbus.link import SELECTED_ADDRESS, SND_UD, long_frame
from kgce.collectors.mbus.telegram import Header, manufacturer_code
from kgce.domain.errors import ConfigError

WILDCARD: Final = "f"
ANY: Final = WILDCARD * 16
NUMBER_DIGITS: Final = 8
CI_SELECT: Final = 0x52
_LENGTH: Final = 16
_HEX: Final = frozenset("0123456789abcdef")


def full_mask(text: str) -> str:
    """Sixteen hex digits: number (8), manufacturer (4, low byte first as on the wire), version (2), medium (2).

    F stands for any digit; the number alone means any manufacturer, version and medium.

    Raises:
        ConfigError: it is none.
    """
    digits = text.replace(" ", "").lower()
    if len(digits) not in {NUMBER_DIGITS, _LENGTH} or not set(digits) <= _HEX:
        raise ConfigError(
            f"{text!r} is no secondary address: the 8 digits of the meter's number, or 16 with manufacturer, version "
            "and medium; F for any digit"
        )
    return digits.ljust(_LENGTH, WILDCARD)


def selection(mask: str) -> bytes:
    """The command that selects every meter this full mask fits, and deselects all others."""
    number = bytes.fromhex(mask[:NUMBER_DIGITS])[::-1]
    return long_frame(SND_UD, SELECTED_ADDRESS, CI_SELECT, number + bytes.fromhex(mask[NUMBER_DIGITS:]))


def address_of(header: Header) -> str:
    """The full secondary address of the meter that sent this header."""
    maker = manufacturer_code(header.manufacturer).to_bytes(2, "little").hex() if header.manufacturer else "ffff"
    return f"{header.identification}{maker}{header.version:02x}{header.medium:02x}"


def fits(mask: str, header: Header) -> bool:
    """Whether this meter is one the full mask selects."""
    own = address_of(header)
    return all(wanted in {WILDCARD, digit} for wanted, digit in zip(mask, own, strict=True))
