"""Frames of DL/T 645: bytes in, whole frames out, whatever else is on the line.

Both editions share the frame: FE..., 68, six address bytes low first, 68, control, length, data + 0x33 each, sum, 16.
Source: shared/facts/devices.md, section 3.1.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from kgce.domain.errors import InputError

START: Final = 0x68
END: Final = 0x16
PREAMBLE: Final = b"\xfe" * 4  # wakes optocouplers and receivers; meters may send one to four of them, or none
OFFSET: Final = 0x33
ADDRESS_BYTES: Final = 6
OVERHEAD: Final = 12  # both 68, address, control, length, sum, 16
WILDCARD: Final = "aa" * ADDRESS_BYTES  # answered by every meter: for a line with one meter
BROADCAST: Final = "99" * ADDRESS_BYTES  # obeyed by all, answered by none
_ANY_BYTE: Final = 0xAA
_DIGITS: Final = frozenset("0123456789abcdef")  # decimal by the standard; some makers number in hexadecimal
_HEADER: Final = 10


class Control(IntFlag):
    """Bits of the control byte above the function (its low five bits)."""

    ANSWER = 0x80
    REFUSAL = 0x40
    MORE = 0x20  # more frames follow


FUNCTION_MASK: Final = 0x1F


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum is right; data without the 0x33 each byte carries on the line."""

    address: str  # twelve digits, high first, as printed on the meter
    control: int
    data: bytes

    @property
    def function(self) -> int:
        """What was asked, in questions and answers alike."""
        return self.control & FUNCTION_MASK

    @property
    def is_answer(self) -> bool:
        """Whether a meter sent it."""
        return bool(self.control & Control.ANSWER)

    @property
    def is_refusal(self) -> bool:
        """Whether a meter says no."""
        return self.is_answer and bool(self.control & Control.REFUSAL)

    @property
    def has_more(self) -> bool:
        """Whether the rest of the data must be asked for."""
        return self.is_answer and bool(self.control & Control.MORE)


def parse(data: bytes) -> list[Frame]:
    """Every whole frame in these bytes, in order; noise, echoes' remains and broken frames are skipped."""
    frames: list[Frame] = []
    at = data.find(START)
    while at >= 0:
        end = _end_of_frame(data, at)
        if end is not None:
            frames.append(_frame(data[at:end]))
            at = end - 1
        at = data.find(START, at + 1)
    return frames


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the line, without preamble."""
    body = bytes((frame.control, len(frame.data))) + bytes((byte + OFFSET) & 0xFF for byte in frame.data)
    start = bytes((START,))
    head = start + wire_address(frame.address) + start + body
    return head + bytes((sum(head) & 0xFF, END))


def wire_address(address: str) -> bytes:
    """The six bytes of a printed address; a short one is filled with zeros, AA matches anything.

    Raises:
        InputError: more than twelve digits, or something else than digits.
    """
    padded = address.strip().lower().zfill(2 * ADDRESS_BYTES)
    if len(padded) != 2 * ADDRESS_BYTES or not set(padded) <= _DIGITS:
        raise InputError(f"{address!r} is no meter address: at most twelve digits, AA where any two digits will do")
    return bytes.fromhex(padded)[::-1]


def printed_address(wire: bytes) -> str:
    """The address as printed on the meter, from its bytes on the line."""
    return wire[::-1].hex()


def is_meant(asked: str, answered: str) -> bool:
    """Whether this address may answer a question to that one, in which AA stands for any two digits."""
    pairs = zip(wire_address(asked), bytes.fromhex(answered)[::-1], strict=True)
    return all(ours in {_ANY_BYTE, theirs} for ours, theirs in pairs)


def _end_of_frame(data: bytes, at: int) -> int | None:
    """Where the frame that begins here ends, if it is one."""
    if len(data) < at + OVERHEAD or data[at + 7] != START:
        return None
    end = at + OVERHEAD + data[at + 9]
    if len(data) < end or data[end - 1] != END or data[end - 2] != sum(data[at : end - 2]) & 0xFF:
        return None
    return end


def _frame(raw: bytes) -> Frame:
    data = bytes((byte - OFFSET) & 0xFF for byte in raw[_HEADER:-2])
    return Frame(printed_address(raw[1:7]), raw[8], data)
