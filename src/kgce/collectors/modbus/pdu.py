"""Protocol data units taken apart strictly: function code and data in, fields out; no framing, no I/O.

Layouts: Modbus Application Protocol V1.1b3, section 6.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import InputError

BIT_READS: Final = (1, 2)
REGISTER_READS: Final = (3, 4)
READS: Final = BIT_READS + REGISTER_READS
MOST_BITS: Final = 2000
MOST_REGISTERS: Final = 125
LONGEST_PDU: Final = 253
EXCEPTION_BIT: Final = 0x80
KNOWN_FUNCTIONS: Final = frozenset({*READS, 5, 6, 7, 8, 0x0F, 0x10, 0x11, 0x16, 0x17, 0x2B})
DEVICE_ID_MEI: Final = 0x0E
_NUMBER: Final = struct.Struct(">H")
_PAIR: Final = struct.Struct(">HH")


class FrameError(InputError):
    """The bytes are no valid frame, or no answer to this request; the text says why."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """Fields of one request or answer; None where the function has no such field."""

    function: int
    is_request: bool
    data: bytes  # behind the function code
    exception_code: int | None = None
    address: int | None = None
    count: int | None = None
    value: int | None = None
    byte_count: int | None = None
    registers: tuple[int, ...] | None = None
    bits: tuple[bool, ...] | None = None  # of an answer: whole bytes, until cut to the count of the request
    status: int | None = None
    objects: tuple[tuple[int, str], ...] | None = None
    read_address: int | None = None
    read_count: int | None = None
    write_address: int | None = None


def parse_request(pdu: bytes) -> Pdu:
    """Fields of a request.

    Raises:
        FrameError: unknown function, wrong length or impossible count.
    """
    return _parse(pdu, _REQUESTS, is_request=True)


def parse_answer_pdu(pdu: bytes, request: bytes | None = None, words: int | None = None) -> Pdu:
    """Fields of an answer; with its request, also whether it answers that.

    `words` are the registers expected where they are not the count asked for (Enron: one number, two registers).

    Raises:
        FrameError: not an answer, or not to this request.
    """
    is_exception = bool(pdu and pdu[0] & EXCEPTION_BIT)
    answer = _exception(pdu) if is_exception else _parse(pdu, _ANSWERS, is_request=False)
    return answer if request is None else _checked(answer, parse_request(request), words)


def expected_byte_count(function: int, count: int) -> int:
    """Data bytes in the answer to a read of `count` bits or registers."""
    return (count + 7) // 8 if function in BIT_READS else 2 * count


def bits_of(data: bytes) -> tuple[bool, ...]:
    """Bits of packed bytes, the lowest of each byte first."""
    return tuple(bool(byte >> place & 1) for byte in data for place in range(8))


def _parse(pdu: bytes, parsers: "dict[int, Callable[[int, bytes], Pdu]]", *, is_request: bool) -> Pdu:
    what = "request" if is_request else "answer"
    if not 1 <= len(pdu) <= LONGEST_PDU:
        raise FrameError(f"{what} of {len(pdu)} bytes; 1 to {LONGEST_PDU} are possible")
    parser = parsers.get(pdu[0])
    if parser is None:
        raise FrameError(f"{what} with function {pdu[0]:#04x}, which is not known here")
    return parser(pdu[0], pdu[1:])


def _exception(pdu: bytes) -> Pdu:
    if len(pdu) != 2:  # noqa: PLR2004 - function and code
        raise FrameError(f"exception answer of {len(pdu)} bytes instead of 2")
    return Pdu(pdu[0] & 0x7F, False, pdu[1:], exception_code=pdu[1])


def _length(data: bytes, wanted: int) -> None:
    if len(data) != wanted:
        raise FrameError(f"{len(data)} data bytes instead of {wanted}")


def _counted(data: bytes, at: int = 0) -> bytes:
    """The bytes a byte count announces, no more and no less."""
    if len(data) <= at or len(data) != at + 1 + data[at]:
        announced = data[at] if len(data) > at else "no"
        raise FrameError(f"byte count says {announced} bytes, {max(len(data) - at - 1, 0)} are there")
    return data[at + 1 :]


def _registers(data: bytes) -> tuple[int, ...]:
    if not data or len(data) % 2:
        raise FrameError(f"{len(data)} bytes are no whole registers")
    return struct.unpack(f">{len(data) // 2}H", data)


def _read_request(function: int, data: bytes) -> Pdu:
    _length(data, 4)
    address, count = _PAIR.unpack(data)
    most = MOST_BITS if function in BIT_READS else MOST_REGISTERS
    if not 1 <= count <= most:
        raise FrameError(f"a count of {count}; 1 to {most} are possible")
    return Pdu(function, True, data, address=address, count=count)


def _read_answer(function: int, data: bytes) -> Pdu:
    body = _counted(data)
    if function in BIT_READS:
        if not body:
            raise FrameError("no bits in the answer")
        return Pdu(function, False, data, byte_count=len(body), bits=bits_of(body))
    return Pdu(function, False, data, byte_count=len(body), registers=_registers(body))


def _write_one(*, is_request: bool) -> Callable[[int, bytes], Pdu]:
    def parse(function: int, data: bytes) -> Pdu:
        _length(data, 4)
        address, value = _PAIR.unpack(data)
        return Pdu(function, is_request, data, address=address, value=value)

    return parse


def _write_many_request(function: int, data: bytes) -> Pdu:
    body = _counted(data, at=4)
    address, count = _PAIR.unpack_from(data)
    if len(body) != expected_byte_count(1 if function == 0x0F else 3, count):  # noqa: PLR2004 - 0x0F writes coils
        raise FrameError(f"{len(body)} bytes do not hold {count} values")
    registers = _registers(body) if function == 0x10 else None  # noqa: PLR2004 - 0x10 writes registers
    bits = None if registers else bits_of(body)[:count]
    return Pdu(function, True, data, address=address, count=count, registers=registers, bits=bits)


def _write_many_answer(function: int, data: bytes) -> Pdu:
    _length(data, 4)
    address, count = _PAIR.unpack(data)
    return Pdu(function, False, data, address=address, count=count)


def _read_write_request(function: int, data: bytes) -> Pdu:
    body = _counted(data, at=8)
    read_address, read_count, write_address, write_count = struct.unpack_from(">4H", data)
    if len(body) != 2 * write_count or not 1 <= read_count <= MOST_REGISTERS:
        raise FrameError(f"{len(body)} bytes for {write_count} registers to write, {read_count} to read")
    found = {"read_address": read_address, "read_count": read_count, "write_address": write_address}
    return Pdu(function, True, data, registers=_registers(body), **found)


def _status_request(function: int, data: bytes) -> Pdu:
    _length(data, 0)
    return Pdu(function, True, data)


def _status_answer(function: int, data: bytes) -> Pdu:
    _length(data, 1)
    return Pdu(function, False, data, status=data[0])


def _echoed(length: int, *, is_request: bool) -> Callable[[int, bytes], Pdu]:
    """Functions answered with their own request: diagnostics, masked writing."""

    def parse(function: int, data: bytes) -> Pdu:
        _length(data, length)
        return Pdu(function, is_request, data, address=_NUMBER.unpack_from(data)[0])

    return parse


def _server_id_answer(function: int, data: bytes) -> Pdu:
    return Pdu(function, False, data, byte_count=len(_counted(data)))


def _device_id_request(function: int, data: bytes) -> Pdu:
    _length(data, 3)
    if data[0] != DEVICE_ID_MEI:
        raise FrameError(f"encapsulated interface {data[0]:#04x}; device identification is 0x0e")
    return Pdu(function, True, data)


def _device_id_answer(function: int, data: bytes) -> Pdu:
    """Interface, access, conformity, more follows, next object, number of objects, then id, length, text each."""
    if len(data) < 6 or data[0] != DEVICE_ID_MEI:  # noqa: PLR2004 - the fixed part
        raise FrameError("not a device identification")
    objects: list[tuple[int, str]] = []
    at = 6
    for _ in range(data[5]):
        text = data[at + 2 : at + 2 + data[at + 1]] if at + 1 < len(data) else b""
        if at + 1 >= len(data) or len(text) != data[at + 1]:
            raise FrameError(f"{data[5]} objects announced, cut short in number {len(objects) + 1}")
        objects.append((data[at], text.decode("latin-1")))
        at += 2 + len(text)
    _length(data, at)
    return Pdu(function, False, data, objects=tuple(objects))


_REQUESTS: Final[dict[int, Callable[[int, bytes], Pdu]]] = {
    **dict.fromkeys(READS, _read_request),
    **dict.fromkeys((5, 6), _write_one(is_request=True)),
    **dict.fromkeys((7, 0x11), _status_request),
    8: _echoed(4, is_request=True),
    **dict.fromkeys((0x0F, 0x10), _write_many_request),
    0x16: _echoed(6, is_request=True),
    0x17: _read_write_request,
    0x2B: _device_id_request,
}
_ANSWERS: Final[dict[int, Callable[[int, bytes], Pdu]]] = {
    **dict.fromkeys(READS, _read_answer),
    **dict.fromkeys((5, 6), _write_one(is_request=False)),
    7: _status_answer,
    8: _echoed(4, is_request=False),
    0x11: _server_id_answer,
    **dict.fromkeys((0x0F, 0x10), _write_many_answer),
    0x16: _echoed(6, is_request=False),
    0x17: _read_answer,
    0x2B: _device_id_answer,
}


def _checked(answer: Pdu, request: Pdu, words: int | None) -> Pdu:
    if answer.function != request.function:
        raise FrameError(f"function {answer.function} answers a request for function {request.function}")
    if answer.exception_code is not None:
        return answer
    asked = request.count if request.read_count is None else request.read_count
    if answer.byte_count is not None and asked is not None:
        return _of_length(answer, request.function, words or asked)
    for name in ("address", "value", "count"):
        found, wanted = getattr(answer, name), getattr(request, name)
        if None not in {found, wanted} and found != wanted:
            raise FrameError(f"{name} {found} answers a request with {name} {wanted}")
    return answer


def _of_length(answer: Pdu, function: int, count: int) -> Pdu:
    wanted = expected_byte_count(function, count)
    if answer.byte_count != wanted:
        raise FrameError(f"{answer.byte_count} bytes answer a request for {count}, which takes {wanted}")
    if answer.bits is None:
        return answer
    return Pdu(answer.function, False, answer.data, byte_count=wanted, bits=answer.bits[:count])


_FIXED_REQUEST: Final = {**dict.fromkeys((*READS, 5, 6, 8), 4), 7: 0, 0x11: 0, 0x16: 6, 0x2B: 3}
_FIXED_ANSWER: Final = {**dict.fromkeys((5, 6, 8, 0x0F, 0x10), 4), 7: 1, 0x16: 6}
_COUNTED_REQUEST: Final = {0x0F: 5, 0x10: 5, 0x17: 9}  # place of the byte count, behind which its bytes stand
_COUNTED_ANSWER: Final = dict.fromkeys((*READS, 0x11, 0x17), 1)


def data_length(head: Sequence[int], *, is_request: bool) -> int | None:
    """Bytes behind the function code of the unit starting with `head`; None = not told yet, -1 = not known here."""
    if not head:
        return None
    function = head[0]
    if function & EXCEPTION_BIT:
        return -1 if is_request else 1
    fixed, counted = (_FIXED_REQUEST, _COUNTED_REQUEST) if is_request else (_FIXED_ANSWER, _COUNTED_ANSWER)
    place = counted.get(function)
    if place is None:
        return fixed.get(function, -1)
    return place + head[place] if len(head) > place else None
