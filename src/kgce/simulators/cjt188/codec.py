"""How a CJ/T 188 meter writes frames and numbers; written from the published frames, not from the collector.

Source: shared/facts/devices.md, section 3.2, and the frames of protocol_vectors.json.
"""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

_MARK: Final = 0x68
_STOP: Final = 0x16
_SHORTEST: Final = 13
_LENGTH_AT: Final = 10


def digits(value: float, size: int, decimals: int) -> bytes:
    """A number as `size` bytes of two digits each, low first; what has not filled a digit is not shown yet.

    Raises:
        ValueError: negative or not finite.
    """
    if not value >= 0:
        raise ValueError(f"{value} cannot be shown without a sign")
    shown = int(Decimal(repr(value)).scaleb(decimals).quantize(Decimal(1), ROUND_DOWN)) % 10 ** (2 * size)
    text = f"{shown:0{2 * size}d}"
    return bytes(int(text[at : at + 2], 16) for at in range(2 * size - 2, -2, -2))


def clock_bytes(now: datetime) -> bytes:
    """Second, minute, hour, day, month, year: two digits each, the year's low pair first."""
    pairs = (now.second, now.minute, now.hour, now.day, now.month, now.year % 100, now.year // 100)
    return bytes(16 * (pair // 10) + pair % 10 for pair in pairs)


def wire(address: str) -> bytes:
    """The printed address as seven bytes, low first."""
    return bytes(int(address[at : at + 2], 16) for at in range(12, -2, -2))


def frame(meter_type: int, address: str, control: int, data: bytes) -> bytes:
    """A whole frame."""
    out = bytearray([_MARK, meter_type, *wire(address), control, len(data)])
    out += data
    out.append(sum(out) % 256)
    out.append(_STOP)
    return bytes(out)


def cut(heard: bytearray) -> bytes | None:
    """Take the next whole frame out of what was heard; noise before it goes too."""
    while True:
        begin = heard.find(_MARK)
        if begin < 0:
            heard.clear()
            return None
        del heard[:begin]
        if len(heard) < _SHORTEST:
            return None
        size = _SHORTEST + heard[_LENGTH_AT]
        if len(heard) < size:
            return None
        if heard[size - 1] == _STOP and sum(heard[: size - 2]) % 256 == heard[size - 2]:
            whole = bytes(heard[:size])
            del heard[:size]
            return whole
        del heard[0]
