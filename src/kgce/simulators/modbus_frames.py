"""What a Modbus server says: request PDU in, answer PDU out; the TCP header.

Source: Modbus Application Protocol V1.1b3.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

HEADER: Final = struct.Struct(">HHHB")  # transaction, protocol (0), length of what follows, unit
_READ: Final = struct.Struct(">BHH")
_SHORTEST, _LONGEST = 2, 254  # unit and function at least; 253 bytes of PDU and the unit at most
_ADDRESSES: Final = 0x10000
_BIT_FUNCTIONS: Final = frozenset({1, 2})
_MOST_PER_READ: Final = {1: 2000, 2: 2000, 3: 125, 4: 125}
_ERROR_BIT: Final = 0x80


class ExceptionCode(IntEnum):
    """Why a request was refused."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    DEVICE_FAILURE = 4
    BUSY = 6
    GATEWAY_TARGET_SILENT = 11


class Refusal(Exception):
    """The unit answers with an exception code instead of data."""

    def __init__(self, code: ExceptionCode) -> None:
        super().__init__(code.name)
        self.code = code


class ModbusUnit(Protocol):
    """What stands behind one unit id."""

    def read(self, function: int, address: int, count: int) -> Sequence[int]:
        """`count` registers (functions 3, 4) or bits (1, 2) from `address`.

        Raises:
            Refusal: with the code to answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """The part before the PDU."""

    transaction: int
    unit: int
    pdu_length: int


def parse_header(raw: bytes) -> Header | None:
    """The seven header bytes; None when this cannot be Modbus TCP, so the connection must end."""
    transaction, protocol, length, unit = HEADER.unpack(raw)
    if protocol != 0 or not _SHORTEST <= length <= _LONGEST:
        return None
    return Header(transaction, unit, length - 1)


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A whole Modbus TCP frame."""
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def refusal_pdu(request: bytes, code: int) -> bytes:
    """Exception answer to a request PDU."""
    return bytes(((request[0] | _ERROR_BIT) & 0xFF, code))


def answer_pdu(unit: ModbusUnit, request: bytes) -> bytes:
    """Answer of a unit to a request PDU: data, or the exception it deserves.

    The checks come in the standard's order: function (01), quantity (03), address (02).
    """
    try:
        function, address, count = _checked(request)
        data = _pack(function, unit.read(function, address, count))
    except Refusal as refusal:
        return refusal_pdu(request, refusal.code)
    return bytes((function, len(data))) + data


def _checked(request: bytes) -> tuple[int, int, int]:
    function = request[0]
    if function not in _MOST_PER_READ:
        raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
    if len(request) != _READ.size:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    _, address, count = _READ.unpack(request)
    if not 1 <= count <= _MOST_PER_READ[function]:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    if address + count > _ADDRESSES:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    return function, address, count


def _pack(function: int, values: Sequence[int]) -> bytes:
    if function not in _BIT_FUNCTIONS:
        return struct.pack(f">{len(values)}H", *values)
    packed = bytearray((len(values) + 7) // 8)
    for position, value in enumerate(values):
        packed[position // 8] |= bool(value) << position % 8
    return bytes(packed)
