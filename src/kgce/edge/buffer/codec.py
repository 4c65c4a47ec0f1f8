"""Batch <-> bytes for the buffer: columns as in memory, compressed, with a checksum that finds flipped bits."""

import struct
import zlib
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from kgce.domain.batch import Batch
from kgce.domain.tree import Series

_MAGIC: Final = b"kg1"
_HEAD: Final = struct.Struct("<3sI")  # magic, CRC-32 of what follows
_LENGTHS: Final = struct.Struct("<II")  # bytes of the series table, rows
_COLUMNS: Final[tuple[np.dtype[Any], ...]] = (np.dtype("<i4"), np.dtype("<i8"), np.dtype("<f8"), np.dtype("u1"))
_FASTEST: Final = 1  # zlib level: the gateway's core is scarcer than its disk


class CorruptBatch(ValueError):
    """These bytes are not a batch any more; caught inside the buffer, never seen outside."""


def encode(batch: Batch) -> bytes:
    """Bytes that decode to the very same columns; series nobody points to are left out."""
    used, index = np.unique(batch.index, return_inverse=True)
    table = orjson.dumps(
        [
            [one.institution, one.device, one.quantity, one.measurement, one.building, one.region]
            for one in (batch.series[position] for position in used)
        ]
    )
    columns: tuple[npt.NDArray[Any], ...] = (index, batch.time_ms, batch.value, batch.quality)
    parts = [column.astype(dtype).tobytes() for column, dtype in zip(columns, _COLUMNS, strict=True)]
    body = zlib.compress(b"".join([_LENGTHS.pack(len(table), len(batch)), table, *parts]), _FASTEST)
    return _HEAD.pack(_MAGIC, zlib.crc32(body)) + body


def decode(blob: bytes) -> Batch:
    """The batch behind the bytes.

    Raises:
        CorruptBatch: checksum, compression or layout is wrong.
    """
    try:
        magic, checksum = _HEAD.unpack_from(blob)
        body = blob[_HEAD.size :]
        if magic != _MAGIC or zlib.crc32(body) != checksum:
            raise CorruptBatch("the checksum does not fit")
        return _unpack(zlib.decompress(body))
    except (struct.error, zlib.error, TypeError, ValueError) as error:
        raise CorruptBatch(str(error)) from error


def _unpack(plain: bytes) -> Batch:
    table_bytes, rows = _LENGTHS.unpack_from(plain)
    offset = _LENGTHS.size + table_bytes
    series = _series_table(plain[_LENGTHS.size : offset])
    columns = []
    for dtype in _COLUMNS:
        # A copy, because frombuffer gives read-only memory and a sink may sort in place.
        columns.append(np.frombuffer(plain, dtype, rows, offset).astype(dtype.newbyteorder("=")))
        offset += rows * dtype.itemsize
    return Batch.of(series, *columns)


@lru_cache(maxsize=1024)
def _series_table(text: bytes) -> tuple[Series, ...]:
    """Batches of one device share their table, byte for byte."""
    return tuple(Series(*fields) for fields in orjson.loads(text))
