"""How a DL/T 645 meter writes frames and numbers; written from the published frames, not from the collector.

Source: shared/facts/devices.md, section 3.1, and the frames of protocol_vectors.json.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_MARK: Final = 0x68
_STOP: Final = 0x16
_MASK: Final = 0x33
_SHORTEST: Final = 12
_SIGN_BIT: Final = 0x80


def bcd(value: float, size: int, decimals: int, *, signed: bool = False) -> bytes:
    """A number as `size` bytes of two digits each, low first; a register that is full begins again at zero.

    Raises:
        ValueError: negative where the format has no sign, or not finite.
    """
    shown = int(Decimal(repr(abs(value))).scaleb(decimals).quantize(Decimal(1), ROUND_HALF_UP))
    if value < 0 and not signed:
        raise ValueError(f"{value} in a format without sign")
    text = str(shown % 10 ** (2 * size)).rjust(2 * size, "0")
    pairs = [int(text[at : at + 2], 16) for at in range(0, 2 * size, 2)]
    if value < 0:
        pairs[0] |= _SIGN_BIT
    return bytes(reversed(pairs))


def wire(address: str) -> bytes:
    """The printed address as six bytes, low first."""
    return bytes(int(address[at : at + 2], 16) for at in range(10, -2, -2))


def frame(address: str, control: int, data: bytes) -> bytes:
    """A whole frame."""
    out = bytearray([_MARK, *wire(address), _MARK, control, len(data)])
    out.extend((_MASK + byte) % 256 for byte in data)
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
        size = _SHORTEST + heard[9]
        if heard[7] != _MARK:
            del heard[0]
        elif len(heard) < size:
            return None
        elif heard[size - 1] == _STOP and sum(heard[: size - 2]) % 256 == heard[size - 2]:
            whole = bytes(heard[:size])
            del heard[:size]
            return whole
        else:
            del heard[0]


def unmask(whole: bytes) -> tuple[bytes, int, bytes]:
    """Wire address, control and plain data of a frame."""
    return whole[1:7], whole[8], bytes((byte - _MASK) % 256 for byte in whole[10:-2])
