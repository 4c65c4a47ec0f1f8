"""InfluxRows: gathers the series of an InfluxDB answer."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, Int64Array
from kgce.domain.tree import Series
from kgce.store.influx.server import Result
from kgce.store.line_protocol import DELETED, TAGS, WITHDRAWN, decode, measurement_of
from kgce.store.slots import Slots

_QUALITY_BITS: Final = 0xFF
_Key = tuple[str, str, str]


class InfluxRows:
    """Rows by series; a series split over several sets of tags comes together here."""

    def __init__(self) -> None:
        self._series: dict[_Key, Series] = {}
        self._parts: list[tuple[_Key, Int64Array, FloatArray, npt.NDArray[np.int64]]] = []

    def add_fields(self, result: Result) -> None:
        """Take a range: columns time, then each field followed by its quality."""
        cells = _cells(result)
        for column in range(1, cells.shape[1], 2):
            self._add(result, result["columns"][column], cells[:, 0], cells[:, column], cells[:, column + 1])

    def add_newest(self, result: Result, field: str) -> None:
        """Take the newest point of one field: columns time, v and q in any order."""
        cells = _cells(result)
        value, quality = (cells[:, result["columns"].index(name)] for name in ("v", "q"))
        self._add(result, field, cells[:, 0], value, quality)

    def _add(self, result: Result, field: str, time_ms: FloatArray, value: FloatArray, quality: FloatArray) -> None:
        rows = ~(np.isnan(value) & np.isnan(quality))
        if not rows.any():
            return
        bits = np.nan_to_num(quality[rows]).astype(np.int64)
        values = np.where(bits & (WITHDRAWN | DELETED), np.nan, value[rows])
        series = _series(result, field)
        self._series.setdefault(series.key, series)
        self._parts.append((series.key, time_ms[rows].astype(np.int64), values, bits))

    def slots(self) -> Slots:
        """Every place that ever held a reading, one per series and time."""
        if not self._parts:
            return Slots.empty()
        position = {key: at for at, key in enumerate(sorted(self._series))}
        index = np.concatenate([np.full(len(times), position[key], np.int32) for key, times, _, _ in self._parts])
        time_ms, value, bits = (np.concatenate([part[at] for part in self._parts]) for at in (1, 2, 3))
        order = np.lexsort((time_ms, index))
        index, time_ms = index[order], time_ms[order]
        is_last = np.ones(len(index), np.bool_)
        is_last[:-1] = (index[1:] != index[:-1]) | (time_ms[1:] != time_ms[:-1])
        table = [self._series[key] for key in position]
        chosen = order[is_last]
        quality = (bits[chosen] & _QUALITY_BITS).astype(np.uint8)
        batch = Batch.of(table, index[is_last], time_ms[is_last], value[chosen], quality)
        return Slots(batch, np.zeros(len(batch), np.int32), (bits[chosen] & DELETED) != 0)


def _cells(result: Result) -> FloatArray:
    """(rows, columns) as numbers; null is NaN. Times in ms up to the year 2200 are whole numbers in float64 too."""
    return np.array(result["values"], np.float64)


def _series(result: Result, field: str) -> Series:
    tags = {tag: decode(result["tags"][tag]) for tag in TAGS}
    return Series(
        institution=tags["institution"],
        device=tags["device"],
        quantity=decode(field),
        measurement=measurement_of(result["name"]),
        building=tags["building"],
        region=tags["region"],
    )
