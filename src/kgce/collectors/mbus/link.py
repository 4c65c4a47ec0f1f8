"""Link layer of EN 13757-2: bytes to frames and back; a frame that is not whole and right is not a frame."""

from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import InputError

ACK: Final = 0xE5
SHORT_START: Final = 0x10
LONG_START: Final = 0x68
STOP: Final = 0x16

SND_NKE: Final = 0x40  # link reset
SND_UD: Final = 0x53
REQ_UD2: Final = 0x5B  # FCV set, FCB clear; with FCB 0x7B
FCB: Final = 0x20
RSP_UD: Final = 0x08  # low four bits of an answer's control byte; 4 and 5 of the others are DFC and ACD

TEST_ADDRESS: Final = 0xFE  # every meter answers: for one meter on the line
SELECTED_ADDRESS: Final = 0xFD  # the meter chosen by its secondary address
LONGEST: Final = 261

_SHORT_LENGTH: Final = 5
_OVERHEAD: Final = 6  # start, length twice, start, sum, stop
_SMALLEST_BODY: Final = 3  # control, address, CI


class FrameError(InputError):
    """These bytes are no M-Bus telegram, or one that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The single character of a meter that understood."""


@dataclass(frozen=True, slots=True)
class ShortFrame:
    """Five bytes: a master's command without data."""

    control: int
    address: int


@dataclass(frozen=True, slots=True)
class LongFrame:
    """Control, address, CI and data; without data the standard calls it a control frame."""

    control: int
    address: int
    ci: int
    data: bytes = b""

    @property
    def is_answer(self) -> bool:
        """Whether a meter sent it (RSP_UD)."""
        return self.control & 0xCF == RSP_UD


Frame = Ack | ShortFrame | LongFrame


def decode(data: bytes) -> Frame:
    """The one frame these bytes are, from the first to the last.

    Raises:
        FrameError: they are none.
    """
    if not data:
        raise FrameError("nothing there")
    if data[0] == ACK and len(data) == 1:
        return Ack()
    if data[0] == SHORT_START:
        return _short(data)
    if data[0] == LONG_START:
        return _long(data)
    raise FrameError(f"starts with {data[0]:02x}, no M-Bus frame does")


def _short(data: bytes) -> ShortFrame:
    if len(data) != _SHORT_LENGTH:
        raise FrameError(f"a short frame has {_SHORT_LENGTH} bytes, not {len(data)}")
    _check_end(data, data[1:3])
    return ShortFrame(data[1], data[2])


def _long(data: bytes) -> LongFrame:
    if len(data) < _OVERHEAD + _SMALLEST_BODY:
        raise FrameError(f"a frame of {len(data)} bytes is cut off")
    length = data[1]
    if data[2] != length or data[3] != LONG_START:
        raise FrameError(f"broken start {data[:4].hex()}")
    if length < _SMALLEST_BODY or len(data) != length + _OVERHEAD:
        raise FrameError(f"length field says {length} bytes, there are {len(data) - _OVERHEAD}")
    body = data[4:-2]
    _check_end(data, body)
    return LongFrame(body[0], body[1], body[2], body[3:])


def _check_end(data: bytes, summed: bytes) -> None:
    if data[-1] != STOP:
        raise FrameError(f"ends with {data[-1]:02x} instead of 16")
    if data[-2] != sum(summed) & 0xFF:
        raise FrameError(f"checksum {data[-2]:02x}, the bytes add up to {sum(summed) & 0xFF:02x}")


def short_frame(control: int, address: int) -> bytes:
    """Bytes of a command without data."""
    return bytes([SHORT_START, control, address, (control + address) & 0xFF, STOP])


def long_frame(control: int, address: int, ci: int, data: bytes = b"") -> bytes:
    """Bytes of a command with data; at most 252 bytes of it."""
    body = bytes([control, address, ci]) + data
    return bytes([LONG_START, len(body), len(body), LONG_START]) + body + bytes([sum(body) & 0xFF, STOP])


def find_answer(heard: bytes) -> LongFrame | None:
    """The meter's answer in what was heard; bytes before or after it (line noise on switching) do not matter.

    Only a frame whose length, sum and end are right and whose control byte is RSP_UD counts. Where two fit, none
    does: two meters answered, and which was asked cannot be told.
    """
    found: list[LongFrame] = []
    at = heard.find(LONG_START)
    while at >= 0:
        end = at + heard[at + 1] + _OVERHEAD if at + 1 < len(heard) else len(heard) + 1
        if end > len(heard) and _may_begin(heard[at : at + 4]):
            return None  # still coming; whatever looks like a frame inside it is its data
        frame = _frame_at(heard, at, end)
        is_found = frame is not None and frame.is_answer
        if frame is not None and is_found:
            found.append(frame)
        at = heard.find(LONG_START, end if is_found else at + 1)
    return found[0] if len(found) == 1 else None


def _may_begin(start: bytes) -> bool:
    """Whether the four bytes of a frame's start, or as many as came, fit together."""
    return len(start) < 3 or (start[1] == start[2] and start[3:] in {b"", bytes([LONG_START])})  # noqa: PLR2004 - both lengths


def _frame_at(heard: bytes, start: int, end: int) -> LongFrame | None:
    if end > len(heard):
        return None
    try:
        return _long(heard[start:end])
    except FrameError:
        return None
