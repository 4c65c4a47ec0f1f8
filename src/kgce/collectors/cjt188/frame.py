"""Frames of CJ/T 188: bytes in, whole frames out, whatever else is on the line.

FE..., 68, meter type, seven address bytes low first, control, length, data, sum, 16. Data begins with a two-byte
identifier and a serial number. Source: shared/facts/devices.md, section 3.2.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from kgce.domain.errors import InputError

START: Final = 0x68
END: Final = 0x16
PREAMBLE: Final = b"\xfe" * 4  # meters may send none to four of them
ADDRESS_BYTES: Final = 7
OVERHEAD: Final = 13  # 68, type, address, control, length, sum, 16
HEAD: Final = 3  # identifier and serial number
WILDCARD: Final = "aa" * ADDRESS_BYTES  # answered by every meter: for a line with one meter
ANY_TYPE: Final = 0xAA
FUNCTION_MASK: Final = 0x3F
_FIRST_DATA: Final = 11
_LOWEST_TYPE, _HIGHEST_TYPE = 0x10, 0x4F
_ANY_BYTE: Final = 0xAA
_DIGITS: Final = frozenset("0123456789abcdef")  # decimal by the standard; some makers number in hexadecimal


class Control(IntFlag):
    """Bits of the control byte above the function (its low six bits)."""

    ANSWER = 0x80
    REFUSAL = 0x40


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum is right."""

    meter_type: int
    address: str  # fourteen digits, high first; the first four name the maker
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
    head = bytes((START, frame.meter_type)) + wire_address(frame.address)
    body = head + bytes((frame.control, len(frame.data))) + frame.data
    return body + bytes((sum(body) & 0xFF, END))


def wire_address(address: str) -> bytes:
    """The seven bytes of a printed address; a short one is filled with zeros, AA matches anything.

    Raises:
        InputError: more than fourteen digits, or something else than digits.
    """
    padded = address.strip().lower().zfill(2 * ADDRESS_BYTES)
    if len(padded) != 2 * ADDRESS_BYTES or not set(padded) <= _DIGITS:
        raise InputError(f"{address!r} is no meter address: at most fourteen digits, AA where any two digits will do")
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
    if len(data) < at + OVERHEAD or not (_LOWEST_TYPE <= data[at + 1] <= _HIGHEST_TYPE or data[at + 1] == ANY_TYPE):
        return None
    end = at + OVERHEAD + data[at + 10]
    if len(data) < end or data[end - 1] != END or data[end - 2] != sum(data[at : end - 2]) & 0xFF:
        return None
    return end


def _frame(raw: bytes) -> Frame:
    return Frame(raw[1], printed_address(raw[2:9]), raw[9], raw[_FIRST_DATA:-2])
