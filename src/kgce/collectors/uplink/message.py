"""A batch on the wire: JSON columns under the number by which both sides know it (design section 8).

    {"gateway": "g1", "boot": "3f2a9c01-7-9e02", "seq": 17, "last": 19, "part": 1, "parts": 1, "sent_ms": 1767225600000,
     "series": [["town-hall", "main", "active_power", "electricity", "a", "370102"]],
     "s": [0, 0], "t": [1767225590000, 1767225591000], "v": [12.5, null], "q": [0, 1]}

series: institution, device, quantity, measurement, building, region. s: place in `series`, t: UTC ms, v: value in the
quantity's canonical unit (null = not available), q: quality bits. `seq` to `last` are the gateway's own batch numbers;
`part` of `parts` says that they did not fit one message.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.tree import Series

CONTENT_TYPE: Final = "application/json"
_MOST_ROWS: Final = 1_000_000
_MOST_SERIES: Final = 100_000
_SERIES_FIELDS: Final = 6
_MOST: Final = 2**63 - 1
_LONGEST_NAME: Final = 4096


@dataclass(frozen=True, slots=True)
class Number:
    """What both sides call one message; unique for ever."""

    gateway: str
    boot: str
    seq: int  # first batch in it
    last: int  # last batch in it
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message: its number, when it was sent, its rows."""

    number: Number
    sent_ms: int
    batch: Batch

    def name(self) -> bytes:
        """Correlation data that comes back with the receipt; other rows under the same number have another name."""
        batch, number = self.batch, self.number
        digest = 0
        for column in (batch.index, batch.time_ms, batch.value, batch.quality):
            digest = zlib.crc32(column.tobytes(), digest)
        return f"{number.boot}/{number.seq}/{number.last}/{number.part}/{number.parts}/{digest:08x}".encode()


def encode(message: Message) -> bytes:
    """The message as JSON; series nobody points to are left out."""
    batch, number = message.batch, message.number
    used, index = np.unique(batch.index, return_inverse=True)
    columns = {
        "gateway": number.gateway,
        "boot": number.boot,
        "seq": number.seq,
        "last": number.last,
        "part": number.part,
        "parts": number.parts,
        "sent_ms": message.sent_ms,
        "series": [
            [one.institution, one.device, one.quantity, one.measurement, one.building, one.region]
            for one in (batch.series[position] for position in used.tolist())
        ],
        "s": index.astype(np.int32),
        "t": batch.time_ms,
        "v": batch.value,
        "q": batch.quality,
    }
    return orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY)


def decode(payload: bytes) -> Message:
    """The message behind the bytes.

    Raises:
        InputError: it is no batch; the text says what is wrong.
    """
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError("not a batch: no JSON object")
    number = Number(
        _text(document, "gateway"),
        _text(document, "boot"),
        _whole(document, "seq"),
        _whole(document, "last", _whole(document, "seq")),
        _whole(document, "part", 1),
        _whole(document, "parts", 1),
    )
    if not 1 <= number.seq <= number.last or not 1 <= number.part <= number.parts:
        raise InputError(f"not a batch: its numbers make no sense: {number}")
    return Message(number, _whole(document, "sent_ms", 0), _batch(document))


def _batch(document: dict[str, Any]) -> Batch:
    series = _series(document.get("series"))
    index, time_ms, quality = (
        _column(document, name, {int}, dtype) for name, dtype in (("s", np.int32), ("t", np.int64), ("q", np.uint8))
    )
    value = _column(document, "v", {float, int, type(None)}, np.float64)
    try:
        return Batch(series, index, time_ms, value, quality)
    except ValueError as error:
        raise InputError(f"not a batch: {error}") from None


def _column(document: dict[str, Any], name: str, types: set[type], dtype: type[np.generic]) -> Any:
    """(m,) one column; null becomes NaN."""
    column = document.get(name)
    if not isinstance(column, list) or len(column) > _MOST_ROWS:
        raise InputError(f"not a batch: {name} is no list, or has more than {_MOST_ROWS} rows")
    if not set(map(type, column)) <= types:
        raise InputError(f"not a batch: {name} holds something that is no number of its kind")
    try:
        found = np.array(column, np.float64 if dtype is np.float64 else np.int64)
    except OverflowError:
        raise InputError(f"not a batch: {name} holds a number out of range") from None
    narrow = found.astype(dtype)
    if narrow.dtype.kind != "f" and not np.array_equal(narrow, found):
        raise InputError(f"not a batch: {name} holds a number out of range")
    return narrow


def _series(found: Any) -> tuple[Series, ...]:
    if not isinstance(found, list) or len(found) > _MOST_SERIES:
        raise InputError("not a batch: series is no list, or too long")
    for one in found:
        if not isinstance(one, list) or len(one) != _SERIES_FIELDS or not all(isinstance(name, str) for name in one):
            raise InputError("not a batch: a series is six texts")
        if max(map(len, one)) > _LONGEST_NAME:
            raise InputError(f"not a batch: a name is longer than {_LONGEST_NAME} signs")
    return tuple(Series(*one) for one in found)


def _text(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or not found or len(found) > _LONGEST_NAME:
        raise InputError(f"not a batch: {name} is no text")
    return found


def _whole(document: dict[str, Any], name: str, default: int | None = None) -> int:
    found = document.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= _MOST:
        raise InputError(f"not a batch: {name} is no whole number")
    return found
