"""Payload: the bytes of one Sparkplug B message as metrics, or a refusal; no state, no I/O.

source.py --bytes--> parse --Payload--> session.py
"""

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError

from kgce.collectors.sparkplug.wire import new_message
from kgce.domain.errors import InputError

LONGEST: Final = 1024 * 1024  # bytes; a birth of 10 000 metrics needs about half of it
MOST_METRICS: Final = 20_000  # judged before the runtime builds an object for each
REBIRTH: Final = "Node Control/Rebirth"
BOOLEAN: Final = 11

Raw = int | float | bool | str | bytes
_METRICS: Final = 2  # the only field that repeats
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf wire types; groups are refused


class PayloadError(InputError):
    """The bytes are no Sparkplug B payload."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as it was sent; None = the field was not there."""

    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None  # UTC milliseconds
    datatype: int | None = None
    is_historical: bool = False
    is_transient: bool = False
    is_null: bool = False
    unit: str | None = None  # property engUnit or unit
    quality: int | None = None  # property Quality: 192 good, 0 bad, 500 stale
    field: str | None = None  # which value field was set, such as int_value
    raw: Raw | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One message."""

    timestamp: int | None = None
    metrics: tuple[Metric, ...] = ()
    seq: int | None = None


def parse(data: bytes) -> Payload:
    """The payload in these bytes.

    Raises:
        PayloadError: they are cut, joined, too long, or no payload at all.
    """
    if len(data) > LONGEST:
        raise PayloadError(f"payload of {len(data)} bytes; at most {LONGEST} are read")
    _check_outline(data)
    message = new_message()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise PayloadError("no protobuf message") from None
    seq = message.seq if message.HasField("seq") else None
    if seq is not None and seq > 255:  # noqa: PLR2004 - one byte by definition
        raise PayloadError(f"seq {seq}; it runs from 0 to 255")
    try:
        metrics = tuple(_metric(metric) for metric in message.metrics)
    except UnicodeDecodeError:
        raise PayloadError("text that is not UTF-8") from None
    return Payload(message.timestamp if message.HasField("timestamp") else None, metrics, seq)


def rebirth_command(now_ms: int) -> bytes:
    """Payload of the NCMD that asks a node for its births; commands carry no seq."""
    message = new_message()
    message.timestamp = now_ms
    metric = message.metrics.add()
    metric.name, metric.timestamp, metric.datatype, metric.boolean_value = REBIRTH.encode(), now_ms, BOOLEAN, True
    return bytes(message.SerializeToString())


def _metric(sent: Any) -> Metric:
    field = sent.WhichOneof("value")
    raw: Any = getattr(sent, field) if field is not None else None
    properties = _properties(sent.properties) if sent.HasField("properties") else {}
    unit = properties.get("engUnit", properties.get("unit"))
    quality = properties.get("Quality")
    return Metric(
        name=sent.name.decode() if sent.HasField("name") else None,
        alias=sent.alias if sent.HasField("alias") else None,
        timestamp=sent.timestamp if sent.HasField("timestamp") else None,
        datatype=sent.datatype if sent.HasField("datatype") else None,
        is_historical=sent.is_historical,
        is_transient=sent.is_transient,
        is_null=sent.is_null,
        unit=unit if isinstance(unit, str) else None,
        quality=quality if isinstance(quality, int) else None,
        field=field,
        raw=raw.decode() if field == "string_value" else raw,
    )


def _properties(sent: Any) -> dict[str, Raw]:
    """Properties by key; an uneven set says nothing."""
    if len(sent.keys) != len(sent.values):
        return {}
    found: dict[str, Raw] = {}
    for key, value in zip(sent.keys, sent.values, strict=True):
        field = value.WhichOneof("value")
        if field is not None and not value.is_null:
            raw = getattr(value, field)
            found[key.decode()] = raw.decode() if field == "string_value" else raw
    return found


def _check_outline(data: bytes) -> None:
    """Protobuf merges two joined payloads into one without a word; the fields a payload has once give them away."""
    seen: set[int] = set()
    metrics = at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == _METRICS:
            metrics += 1
        elif number in seen:
            raise PayloadError(f"field {number} comes twice: joined payloads")
        seen.add(number)
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            at += length
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        else:
            raise PayloadError("no protobuf message")
    if at > len(data):
        raise PayloadError("a cut payload")
    if metrics > MOST_METRICS:
        raise PayloadError(f"{metrics} metrics; at most {MOST_METRICS} are read")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(number, place after it)."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise PayloadError("a cut payload")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another byte follows
            return value, at
    raise PayloadError("no protobuf message")
