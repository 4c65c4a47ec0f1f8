"""Sparkplug B payloads as bytes, written field by field; shares nothing with the decoder it is read by.

Field numbers: shared/facts/devices.md 2.1. Fields go out in the order of their numbers.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Datatype(IntEnum):
    """Datatypes a simulated metric can have."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


_LONG: Final = {Datatype.INT64, Datatype.UINT64}
_NARROW: Final = {Datatype.INT8, Datatype.INT16, Datatype.INT32, Datatype.UINT8, Datatype.UINT16, Datatype.UINT32}


@dataclass(frozen=True, slots=True)
class SentMetric:
    """One metric to send; None leaves the field out."""

    value: float | str | None
    kind: Datatype
    name: str | None = None
    alias: int | None = None
    time_ms: int | None = None
    states_kind: bool = True  # births do, data need not
    is_historical: bool = False
    unit: str | None = None


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - what seven bits hold
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number_field(field: int, number: int) -> bytes:
    """A field that holds a varint."""
    return varint(field << 3) + varint(number)


def bytes_field(field: int, content: bytes) -> bytes:
    """A field that holds text or a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def payload(time_ms: int, metrics: Iterable[SentMetric], seq: int | None) -> bytes:
    """One message."""
    body = b"".join(bytes_field(2, _metric(metric)) for metric in metrics)
    return number_field(1, time_ms) + body + (b"" if seq is None else number_field(3, seq))


def _metric(metric: SentMetric) -> bytes:
    out = b"" if metric.name is None else bytes_field(1, metric.name.encode())
    out += b"" if metric.alias is None else number_field(2, metric.alias)
    out += b"" if metric.time_ms is None else number_field(3, metric.time_ms)
    out += number_field(4, metric.kind) if metric.states_kind else b""
    out += number_field(5, 1) if metric.is_historical else b""
    if metric.value is None:
        out += number_field(7, 1)
    if metric.unit is not None:
        text = number_field(1, Datatype.STRING) + bytes_field(8, metric.unit.encode())
        out += bytes_field(9, bytes_field(1, b"engUnit") + bytes_field(2, text))
    return out + (b"" if metric.value is None else _value(metric.value, metric.kind))


def _value(value: float | str, kind: Datatype) -> bytes:
    if kind is Datatype.STRING:
        return bytes_field(15, str(value).encode())
    if kind is Datatype.BOOLEAN:
        return number_field(14, int(value))
    if kind is Datatype.DOUBLE:
        return varint(13 << 3 | 1) + struct.pack("<d", value)
    if kind is Datatype.FLOAT:
        return varint(12 << 3 | 5) + struct.pack("<f", value)
    if kind in _LONG:
        return number_field(11, int(value) & 0xFFFF_FFFF_FFFF_FFFF)
    return number_field(10, int(value) & 0xFFFF_FFFF)


def asks_for_births(command: bytes) -> bool:
    """Whether a node command holds Node Control/Rebirth = true."""
    return any(
        fields.get(1) == b"Node Control/Rebirth" and fields.get(14) == 1
        for field, content in _fields(command)
        if field == 2 and isinstance(content, bytes)  # noqa: PLR2004 - metrics
        for fields in [dict(_fields(content))]
    )


def _fields(message: bytes) -> Iterable[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        if key & 7 == 0:
            number, at = _number(message, at)
            yield key >> 3, number
        else:
            length = {1: 8, 5: 4}.get(key & 7, -1)
            if length < 0:
                length, at = _number(message, at)
            yield key >> 3, message[at : at + length]
            at += length


def _number(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message):
        number |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 0x80:  # noqa: PLR2004 - the last byte has no top bit
            break
    return number, at
