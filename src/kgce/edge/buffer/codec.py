"""Batch <-> bytes for the buffer: columns as in memory, compressed, with a checksum that finds flipped bits.

    kg2, CRC-32 | rows, tables | length, series table (JSON, compressed) ... | columns (compressed)

A batch of a hundred meters has a hundred tables; each is packed once and kept. kg1, written before, had one table.
"""

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.roster import JoinedTable

_MAGIC: Final = b"kg2"
_MAGIC_1: Final = b"kg1"
_HEAD: Final = struct.Struct("<3sI")  # magic, CRC-32 of what follows
_COUNTS: Final = struct.Struct("<IH")  # rows, tables
_LENGTH: Final = struct.Struct("<I")
_LENGTHS_1: Final = struct.Struct("<II")  # bytes of the series table, rows
_COLUMNS: Final[tuple[np.dtype[Any], ...]] = (np.dtype("<i4"), np.dtype("<i8"), np.dtype("<f8"), np.dtype("u1"))
_FASTEST: Final = 1  # zlib level: the gateway's core is scarcer than its disk

Table = tuple[Series, ...]
Index = npt.NDArray[np.integer[Any]]


class CorruptBatch(ValueError):
    """These bytes are not a batch any more; caught inside the buffer, never seen outside."""


def encode(batch: Batch) -> bytes:
    """Bytes that decode to the very same columns; series nobody points to are left out, where that is cheap."""
    tables, index = _tables(batch)
    columns: tuple[npt.NDArray[Any], ...] = (index, batch.time_ms, batch.value, batch.quality)
    packed = [_packed.of(table) for table in tables]
    plain = b"".join(column.astype(dtype).tobytes() for column, dtype in zip(columns, _COLUMNS, strict=True))
    parts = [_COUNTS.pack(len(batch), len(packed)), *(_LENGTH.pack(len(one)) + one for one in packed)]
    body = b"".join([*parts, zlib.compress(plain, _FASTEST)])
    return _HEAD.pack(_MAGIC, zlib.crc32(body)) + body


def decode(blob: bytes) -> Batch:
    """The batch behind the bytes.

    Raises:
        CorruptBatch: checksum, compression or layout is wrong.
    """
    try:
        magic, checksum = _HEAD.unpack_from(blob)
        body = blob[_HEAD.size :]
        if magic not in {_MAGIC, _MAGIC_1} or zlib.crc32(body) != checksum:
            raise CorruptBatch("the checksum does not fit")
        return _unpack(body) if magic == _MAGIC else _unpack_1(zlib.decompress(body))
    except (struct.error, zlib.error, TypeError, ValueError) as error:
        raise CorruptBatch(str(error)) from error


def _tables(batch: Batch) -> tuple[Sequence[Table], Index]:
    """The tables that have rows, and (m,) the place of each row's series in all of them."""
    series = batch.series
    if isinstance(series, JoinedTable):
        of_row = np.searchsorted(series.starts, batch.index, "right") - 1
        used, place = np.unique(of_row, return_inverse=True)
        lengths = np.array([len(series.tables[one]) for one in used.tolist()])
        starts = np.cumsum(lengths) - lengths
        return [series.tables[one] for one in used.tolist()], batch.index - series.starts[of_row] + starts[place]
    used, index = np.unique(batch.index, return_inverse=True)
    if len(used) == len(series):
        return [series], batch.index
    return [tuple(series[position] for position in used.tolist())], index


def _pack(table: Table) -> bytes:
    rows = [[one.institution, one.device, one.quantity, one.measurement, one.building, one.region] for one in table]
    return zlib.compress(orjson.dumps(rows))


_packed: Final = ByTable(_pack)


def _unpack(body: bytes) -> Batch:
    rows, count = _COUNTS.unpack_from(body)
    offset = _COUNTS.size
    series: list[Series] = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, offset)
        offset += _LENGTH.size + length
        series += _series_table(body[offset - length : offset])
    return _batch(tuple(series), zlib.decompress(body[offset:]), rows, 0)


def _unpack_1(plain: bytes) -> Batch:
    table_bytes, rows = _LENGTHS_1.unpack_from(plain)
    offset = _LENGTHS_1.size + table_bytes
    return _batch(_series_of(plain[_LENGTHS_1.size : offset]), plain, rows, offset)


def _batch(series: Table, plain: bytes, rows: int, offset: int) -> Batch:
    columns = []
    for dtype in _COLUMNS:
        # A copy, because frombuffer gives read-only memory and a sink may sort in place.
        columns.append(np.frombuffer(plain, dtype, rows, offset).astype(dtype.newbyteorder("=")))
        offset += rows * dtype.itemsize
    return Batch.of(series, *columns)


@lru_cache(maxsize=1024)
def _series_table(packed: bytes) -> Table:
    """Batches of one device share their table, byte for byte."""
    return _series_of(zlib.decompress(packed))


def _series_of(text: bytes) -> Table:
    return tuple(Series(*fields) for fields in orjson.loads(text))
