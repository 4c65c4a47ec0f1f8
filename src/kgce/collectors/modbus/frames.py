"""Modbus frames of each mode, strictly: bytes in, fields out, or a FrameError that says why; no I/O.

MBAP header: MODBUS Messaging on TCP/IP V1.0b, 3.1.3. RTU and ASCII: MODBUS over Serial Line V1.02, 2.5. CRC and LRC
are computed by pymodbus' framers.
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

from pymodbus.framer import FramerAscii, FramerRTU

from kgce.collectors.modbus.pdu import (
    EXCEPTION_BIT,
    KNOWN_FUNCTIONS,
    LONGEST_PDU,
    FrameError,
    Pdu,
    data_length,
    parse_answer_pdu,
    parse_request,
)

Mode = Literal["tcp", "rtu", "rtu-over-tcp", "ascii", "pdu"]
Role = Literal["request", "answer"]
MBAP: Final = struct.Struct(">HHHB")  # transaction, protocol, length of what follows, unit
MBAP_LENGTHS: Final = range(2, LONGEST_PDU + 2)  # unit, function, data
SHORTEST_RTU: Final = 4
LONGEST_RTU: Final = LONGEST_PDU + 3
LONGEST_ASCII: Final = 2 * (LONGEST_PDU + 2) + 3  # a colon and the end of the line around pairs of digits


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose envelope (length, checksum) was found right."""

    pdu: bytes
    unit: int | None = None  # None: a bare protocol data unit
    tid: int | None = None  # TCP only


@dataclass(frozen=True, slots=True)
class Message:
    """A frame and the fields in it."""

    unit: int | None
    tid: int | None
    pdu: Pdu


@dataclass(frozen=True, slots=True)
class Cut:
    """A stream cut into frames: whole ones, what may become one, and why it cannot go on (TCP out of step)."""

    frames: tuple[bytes, ...]
    rest: bytes
    fault: str = ""


def crc(data: bytes) -> bytes:
    """The two check bytes behind an RTU frame, as they go over the wire."""
    return FramerRTU.compute_CRC(data).to_bytes(2, "big")


def lrc(data: bytes) -> int:
    """The check byte of an ASCII frame."""
    return FramerAscii.compute_LRC(data)


def wrap(mode: Mode, pdu: bytes, *, unit: int = 1, tid: int = 0) -> bytes:
    """The frame around a protocol data unit."""
    if mode == "pdu":
        return pdu
    if mode == "tcp":
        return MBAP.pack(tid, 0, len(pdu) + 1, unit) + pdu
    body = bytes([unit]) + pdu
    if mode == "ascii":
        return b":" + (body + bytes([lrc(body)])).hex().upper().encode() + b"\r\n"
    return body + crc(body)


def unwrap(mode: Mode, frame: bytes) -> Frame:
    """The protocol data unit of exactly one frame.

    Raises:
        FrameError: header, length or checksum are wrong.
    """
    if mode == "pdu":
        return Frame(frame)
    if mode == "tcp":
        return _unwrap_tcp(frame)
    return _unwrap_ascii(frame) if mode == "ascii" else _unwrap_rtu(frame)


def parse_answer(mode: Mode, frame: bytes, request: bytes | None = None, *, words: int | None = None) -> Message:
    """One whole answer; with the request's frame, also whether unit, transaction, function and length answer it.

    Raises:
        FrameError: it is no valid answer, or not to this request.
    """
    found = unwrap(mode, frame)
    if request is None:
        return Message(found.unit, found.tid, parse_answer_pdu(found.pdu))
    asked = unwrap(mode, request)
    if found.tid != asked.tid:
        raise FrameError(f"transaction {found.tid} answers transaction {asked.tid}: a late reply, or no echo")
    if found.unit != asked.unit:
        raise FrameError(f"unit {found.unit} answers a request to unit {asked.unit}")
    return Message(found.unit, found.tid, parse_answer_pdu(found.pdu, asked.pdu, words))


def parse_request_frame(mode: Mode, frame: bytes) -> Message:
    """One whole request.

    Raises:
        FrameError: it is no valid request.
    """
    found = unwrap(mode, frame)
    return Message(found.unit, found.tid, parse_request(found.pdu))


def parse_frame(mode: Mode, frame: bytes, role: Role | None = None) -> Message:
    """One whole frame of unknown role: an answer where it can be one, else a request.

    An answer of three bytes of bits can have the very bytes of a request; then it is called an answer.

    Raises:
        FrameError: it is neither.
    """
    if role == "request":
        return parse_request_frame(mode, frame)
    try:
        return parse_answer(mode, frame)
    except FrameError as no_answer:
        if role == "answer":
            raise
        try:
            return parse_request_frame(mode, frame)
        except FrameError:
            raise no_answer from None


def split_frames(mode: Mode, data: bytes, *, is_all: bool = False) -> Cut:
    """The whole frames in a stream, requests and answers, in order; never by how it was received.

    RTU and ASCII go on behind bytes that are no frame; TCP, which has no checksum, says that it is out of step. What
    may begin an RTU frame is waited for, at most a frame's length; `is_all` says that nothing more will come.
    """
    if mode == "pdu":
        return Cut((data,) if data else (), b"")
    if mode == "tcp":
        return _split_tcp(data)
    return _split_ascii(data) if mode == "ascii" else _split_rtu(data, is_all=is_all)


def mbap_fault(data: bytes) -> str:
    """Why these bytes cannot begin a Modbus TCP frame; "" where they can."""
    if data[2:4].strip(b"\0"):
        return f"protocol number {data[2:4].hex()} instead of 0000"
    if len(data) >= MBAP.size - 1 and int.from_bytes(data[4:6], "big") not in MBAP_LENGTHS:
        return f"a length of {int.from_bytes(data[4:6], 'big')} bytes, which no frame has"
    return ""


def rtu_frame_at(data: bytes, at: int = 0) -> bytes | None:
    """The checked RTU frame beginning at this place; None where there is none, b"" where it may not be whole yet."""
    unsure = len(data) - at < SHORTEST_RTU
    if not unsure and not data[at + 1] & EXCEPTION_BIT and data[at + 1] not in KNOWN_FUNCTIONS:
        return None  # most places of a stream of noise
    for is_request in (False, True):
        body = data_length(data[at + 1 : at + 12], is_request=is_request)
        if body is None:
            unsure = True
        elif body >= 0:
            frame = data[at : at + body + SHORTEST_RTU]
            if len(frame) < body + SHORTEST_RTU:
                unsure |= body + SHORTEST_RTU <= LONGEST_RTU
            elif crc(frame[:-2]) == frame[-2:]:
                return frame
    return b"" if unsure else None


def _unwrap_tcp(frame: bytes) -> Frame:
    if len(frame) < MBAP.size + 1:
        raise FrameError(f"{len(frame)} bytes are less than a header and a function")
    if fault := mbap_fault(frame):
        raise FrameError(fault)
    tid, _, length, unit = MBAP.unpack_from(frame)
    if len(frame) != length + 6:
        raise FrameError(f"the header announces {length + 6} bytes, {len(frame)} are there")
    return Frame(frame[MBAP.size :], unit, tid)


def _unwrap_rtu(frame: bytes) -> Frame:
    if not SHORTEST_RTU <= len(frame) <= LONGEST_RTU:
        raise FrameError(f"an RTU frame has {SHORTEST_RTU} to {LONGEST_RTU} bytes, not {len(frame)}")
    if (found := crc(frame[:-2])) != frame[-2:]:
        raise FrameError(f"CRC is {frame[-2:].hex()}, the bytes give {found.hex()}")
    return Frame(frame[1:-2], frame[0])


def _unwrap_ascii(frame: bytes) -> Frame:
    if not frame.startswith(b":") or not frame.endswith(b"\r\n") or len(frame) > LONGEST_ASCII:
        raise FrameError("an ASCII frame begins with a colon and ends with CR LF")
    digits = frame[1:-2]
    if digits.strip(b"0123456789ABCDEFabcdef") or len(digits) % 2 or len(digits) < 2 * (SHORTEST_RTU - 1):
        raise FrameError("an ASCII frame holds pairs of hex digits: unit, function, data, LRC")
    body = bytes.fromhex(digits.decode("ascii"))
    if (found := lrc(body[:-1])) != body[-1]:
        raise FrameError(f"LRC is {body[-1]:02x}, the bytes give {found:02x}")
    return Frame(body[1:-1], body[0])


def _split_tcp(data: bytes) -> Cut:
    frames: list[bytes] = []
    at = 0
    while len(data) - at > 0:
        if fault := mbap_fault(data[at : at + MBAP.size]):
            return Cut(tuple(frames), data[at:], fault)
        if len(data) - at < MBAP.size:
            break
        end = at + 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        if end > len(data):
            break
        frames.append(data[at:end])
        at = end
    return Cut(tuple(frames), data[at:])


def _split_rtu(data: bytes, *, is_all: bool) -> Cut:
    frames: list[bytes] = []
    at, rest_at = 0, len(data)
    while at < len(data):
        frame = rtu_frame_at(data, at)
        if frame:
            frames.append(frame)
            at, rest_at = at + len(frame), len(data)
            continue
        if frame is not None:
            rest_at = min(rest_at, at)
            if not is_all:
                break  # a register inside a frame half here may spell a frame of its own
        at += 1
    return Cut(tuple(frames), data[rest_at:])


def _split_ascii(data: bytes) -> Cut:
    frames: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        line = data[data.rfind(b":", at, end) : end + 2] if b":" in data[at:end] else b""
        at = end + 2
        try:
            _unwrap_ascii(line)
        except FrameError:
            continue
        frames.append(line)
    start = data.rfind(b":", at)
    rest = data[start:] if start >= 0 else b""
    return Cut(tuple(frames), rest if len(rest) < LONGEST_ASCII else b"")
