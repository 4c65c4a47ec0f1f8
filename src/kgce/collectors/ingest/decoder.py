"""BatchDecoder: batches from JSON straight into columns; tables of series that come again are not read again.

Two thirds of a batch are the names of its series, for one gateway nearly always the same ones. They are compared as
bytes with the last ones; what is left are four lists of numbers, which simdjson turns into arrays without a Python
object each.
"""

from collections import OrderedDict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import simdjson

from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.batch import Batch
from kgce.domain.tree import Series

_BEFORE: Final = b'"series":'
_AFTER: Final = b'],"s":['  # ends the table in what `message.encode` writes; no quoted text can hold it
_MOST_BYTES: Final = 64_000_000  # of remembered tables
_LISTS: Final = 5  # series, s, t, v, q
_INT32: Final = 2**31
_UINT8: Final = 256


class BatchDecoder:
    """Decodes messages; one thread at a time. What is not quite as expected goes the careful way, `message.decode`."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()
        self._last: OrderedDict[str, tuple[bytes, tuple[Series, ...]]] = OrderedDict()  # by gateway
        self._bytes = 0

    def decode(self, payload: bytes, gateway: str) -> Message:
        """The message behind the bytes that came as this gateway's.

        Raises:
            InputError: it is no batch; the text says what is wrong.
        """
        start = payload.find(_BEFORE) + len(_BEFORE)
        table, series = self._last.get(gateway, (b"", ()))
        end = start + len(table)
        if not table or not payload.startswith(table, start) or not payload.startswith(_AFTER, end - 1):
            found = message.decode(payload)
            self._remember(gateway, payload, start, found.batch.series)
            return found
        rest = b"%b[]%b" % (payload[:start], payload[end:])
        if rest.count(b"[") != _LISTS:  # lists within lists, which the arrays would not show
            return message.decode(payload)
        try:
            return self._decoded(rest, series)
        except (TypeError, ValueError, KeyError, AttributeError, RuntimeError, OverflowError):
            self._parser = simdjson.Parser()  # the failed document may still be alive in a traceback
            return message.decode(payload)

    def _decoded(self, rest: bytes, series: tuple[Series, ...]) -> Message:
        document: Any = self._parser.parse(rest)
        if len(document["series"]):  # a list at the top has no names: TypeError
            raise TypeError("the table was not where it seemed to be")
        index, time_ms, quality = _whole(document["s"]), _whole(document["t"]), _whole(document["q"])
        value = _values(document["v"])
        if len(quality) and (quality.max() >= _UINT8 or quality.min() < 0 or index.max() >= _INT32):
            raise ValueError("a number out of range")
        gateway, boot = _text(document["gateway"]), _text(document["boot"])
        seq, last = _count(document["seq"]), _count(document["last"])
        part, parts, sent_ms = _count(document["part"]), _count(document["parts"]), _count(document["sent_ms"])
        if not 1 <= seq <= last or not 1 <= part <= parts:
            raise ValueError("its numbers make no sense")
        batch = Batch(series, index.astype(np.int32), time_ms, value, quality.astype(np.uint8))
        return Message(Number(gateway, boot, seq, last, part, parts), sent_ms, batch)

    def _remember(self, gateway: str, payload: bytes, start: int, series: tuple[Series, ...]) -> None:
        end = payload.find(_AFTER, start) + 1
        if start < len(_BEFORE) or not end:
            return
        forgotten = self._last.pop(gateway, (b"", ()))[0]
        self._last[gateway] = (payload[start:end], series)
        self._bytes += end - start - len(forgotten)
        while self._bytes > _MOST_BYTES:
            _, (forgotten, _) = self._last.popitem(last=False)
            self._bytes -= len(forgotten)


def _text(found: Any) -> str:
    if not isinstance(found, str) or not found:
        raise TypeError("no text")
    return found


def _count(found: Any) -> int:
    if type(found) is not int or found < 0:
        raise TypeError("no whole number")
    return found


def _whole(column: Any) -> npt.NDArray[np.int64]:
    return np.frombuffer(column.as_buffer(of_type="i"), np.int64)


def _values(column: Any) -> npt.NDArray[np.float64]:
    """Null becomes NaN."""
    try:
        return np.frombuffer(column.as_buffer(of_type="d"), np.float64)
    except TypeError:
        plain = column.as_list()
        if not set(map(type, plain)) <= {float, int, type(None)}:
            raise
        return np.array(plain, np.float64)
