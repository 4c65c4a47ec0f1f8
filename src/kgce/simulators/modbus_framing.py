"""The four ways Modbus travels: bytes of a stream in, requests out; an answer's PDU in, its frame out.

Sources: Modbus Messaging on TCP/IP Implementation Guide V1.0b; Modbus over Serial Line V1.02 (RTU, ASCII).
"""

from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from kgce.simulators.modbus_frames import HEADER, frame, parse_header

_ADDRESSES: Final = 247
_SHORTEST_RTU: Final = 4
_READ_SIZE: Final = 8  # unit, function, address, count, CRC
_READS: Final = frozenset({1, 2, 3, 4, 5, 6})  # requests of this size
_IDENTIFY: Final = {0x2B: 7}
_WRITES: Final = frozenset({15, 16})  # requests that say their size in byte 6
_COLON, _END = b":", b"\r\n"
_LONGEST_ASCII: Final = 513


class WireMode(StrEnum):
    """How a line speaks."""

    TCP = "tcp"
    RTU = "rtu"
    RTU_OVER_TCP = "rtu-over-tcp"
    ASCII = "ascii"


class Request(NamedTuple):
    """One request as it came; `frame` is the whole of it."""

    unit: int
    pdu: bytes
    frame: bytes
    transaction: int = 0


class NotModbus(Exception):
    """The stream cannot be followed any further."""


class Framing(Protocol):
    """One conversation's bytes."""

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are whole now.

        Raises:
            NotModbus: the connection must end.
        """
        ...

    def frame(self, request: Request, unit: int, pdu: bytes) -> bytes:
        """The answer's frame, in the name of a unit."""
        ...


class TcpFraming:
    """Modbus TCP: the header says the length."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are whole now; raises NotModbus."""
        self._heard += data
        found = []
        while len(self._heard) >= HEADER.size:
            header = parse_header(bytes(self._heard[: HEADER.size]))
            if header is None:
                raise NotModbus
            size = HEADER.size + header.pdu_length
            if len(self._heard) < size:
                break
            whole = bytes(self._heard[:size])
            del self._heard[:size]
            found.append(Request(header.unit, whole[HEADER.size :], whole, header.transaction))
        return found

    def frame(self, request: Request, unit: int, pdu: bytes) -> bytes:
        """Header and PDU."""
        return frame(request.transaction, unit, pdu)


class RtuFraming:
    """Modbus RTU without silences to go by: a request's length follows from its function, its CRC proves it.

    Noise in front of a request is skipped one byte at a time.
    """

    def __init__(self) -> None:
        self._heard = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are whole now."""
        self._heard += data
        found = []
        while len(self._heard) >= _SHORTEST_RTU:
            size = self._size()
            if size is not None and len(self._heard) < size:
                break
            whole = bytes(self._heard[: size or 0])
            if size is None or crc(whole) != b"\0\0":
                del self._heard[0]
                continue
            del self._heard[:size]
            found.append(Request(whole[0], whole[1:-2], whole))
        return found

    def _size(self) -> int | None:
        """Length of the request that seems to begin here; None when none begins here."""
        function = self._heard[1]
        if self._heard[0] > _ADDRESSES and self._heard[0] != 0xFF:  # noqa: PLR2004 - some chargers live at 255
            return None
        if function in _WRITES:
            return _READ_SIZE + 1 + self._heard[6] if len(self._heard) > 6 else _READ_SIZE + 1  # noqa: PLR2004 - its place
        return _READ_SIZE if function in _READS else _IDENTIFY.get(function, _SHORTEST_RTU)

    def frame(self, _request: Request, unit: int, pdu: bytes) -> bytes:
        """Unit, PDU and CRC."""
        body = bytes((unit,)) + pdu
        return body + crc(body)


class AsciiFraming:
    """Modbus ASCII: hexadecimal text between a colon and a line end."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """Requests that are whole now."""
        self._heard += data
        found = []
        while (end := self._heard.find(_END)) >= 0:
            begin = self._heard.rfind(_COLON, 0, end)
            text = bytes(self._heard[begin + 1 : end]) if begin >= 0 else b""
            del self._heard[: end + len(_END)]
            request = _from_hex(text)
            if request is not None:
                found.append(request)
        del self._heard[: max(len(self._heard) - _LONGEST_ASCII, 0)]
        return found

    def frame(self, _request: Request, unit: int, pdu: bytes) -> bytes:
        """Colon, hexadecimal text with LRC, line end."""
        body = bytes((unit,)) + pdu
        return _COLON + (body + lrc(body)).hex().upper().encode() + _END


def _from_hex(text: bytes) -> Request | None:
    try:
        raw = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None
    if len(raw) < 3 or lrc(raw[:-1]) != raw[-1:]:  # noqa: PLR2004 - unit, function, LRC
        return None
    return Request(raw[0], raw[1:-1], _COLON + text + _END)


def crc(data: bytes) -> bytes:
    """CRC-16 of the serial line, low byte first; over data with its own CRC it is zero."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def lrc(data: bytes) -> bytes:
    """Two's complement of the sum."""
    return bytes((-sum(data) & 0xFF,))


def framing(mode: WireMode) -> Framing:
    """A fresh conversation in a mode."""
    if mode is WireMode.TCP:
        return TcpFraming()
    return AsciiFraming() if mode is WireMode.ASCII else RtuFraming()
