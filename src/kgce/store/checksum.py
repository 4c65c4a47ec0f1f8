"""Checksum of readings: the same for the same readings, whatever their order and wherever they are kept."""

from zlib import crc32

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch
from kgce.store.intake import matching

_UInt64 = npt.NDArray[np.uint64]
_FACTORS = tuple(np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def checksum(batch: Batch) -> int:
    """Sum of the rows' hashes, modulo 2**64: of series key, time, value (every NaN alike, -0 as 0) and quality."""
    names = np.array([crc32("\x1f".join(series.key).encode()) for series in batch.series], np.uint64)
    value = np.where(np.isnan(batch.value), np.nan, batch.value + 0.0)
    columns = (names[batch.index], batch.time_ms.view(np.uint64), value.view(np.uint64), batch.quality)
    mixed = np.zeros(len(batch), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            mixed = _mix(mixed ^ column.astype(np.uint64))
        return int(mixed.sum(dtype=np.uint64))


def differing(wanted: Batch, there: Batch) -> int:
    """How many of the wanted readings (each series and time once) do not stand there with their value and quality."""
    place = {series.key: at for at, series in enumerate(wanted.series)}
    number = np.array([place.get(series.key, -1) for series in there.series], np.int64)
    rows, held = matching(wanted.index, wanted.time_ms, number[there.index], there.time_ms)
    left, right = wanted.value[rows], there.value[held]
    is_same = ((left == right) | (np.isnan(left) & np.isnan(right))) & (wanted.quality[rows] == there.quality[held])
    return len(wanted) - int(np.count_nonzero(is_same))


def _mix(value: _UInt64) -> _UInt64:
    """Every bit of the input bears on every bit of the output (the finisher of splitmix64)."""
    value = value * _FACTORS[0]
    value = (value ^ (value >> np.uint64(30))) * _FACTORS[1]
    value = (value ^ (value >> np.uint64(27))) * _FACTORS[2]
    return value ^ (value >> np.uint64(31))
