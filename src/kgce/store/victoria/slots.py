"""SampleRows: what the samples of a VictoriaMetrics come to, one per series and time: the highest rev that is there."""

from collections.abc import Container
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, Int64Array
from kgce.domain.tree import Series
from kgce.store.line_protocol import DELETED
from kgce.store.slots import Slots
from kgce.store.victoria.lines import described

_KINDS: Final = ("value", "quality", "hi", "lo")
_QUALITY_BITS: Final = 0xFF
_HALF_BITS: Final = np.uint64(32)
_Key = tuple[str, str, str]


class SampleRows:
    """Gathers samples of time series."""

    def __init__(self) -> None:
        self._series: dict[_Key, Series] = {}
        self._parts: list[tuple[_Key, int, int, Int64Array, FloatArray]] = []  # key, rev, kind, times, values

    def add(self, labels: dict[str, str], times: Any, values: Any, wanted: Container[_Key] | None = None) -> None:
        """Take the samples of one time series, if it is of a wanted series."""
        if "measurement" not in labels:  # somebody else's under the same db
            return
        series, rev, kind = described(labels)
        if wanted is not None and series.key not in wanted:
            return
        self._series.setdefault(series.key, series)
        at = _KINDS.index(kind)
        self._parts.append((series.key, rev, at, np.asarray(times, np.int64), np.asarray(values, np.float64)))

    def slots(self) -> Slots:
        """All of them."""
        if not self._parts:
            return Slots.empty()
        position = {key: at for at, key in enumerate(sorted(self._series))}

        def column(values: list[int], kind: type[np.generic]) -> npt.NDArray[Any]:
            return np.repeat(np.array(values, kind), [len(part[3]) for part in self._parts])

        index = column([position[part[0]] for part in self._parts], np.int32)
        rev = column([part[1] for part in self._parts], np.int32)
        kind = column([part[2] for part in self._parts], np.int8)
        time_ms = np.concatenate([part[3] for part in self._parts])
        value = np.concatenate([part[4] for part in self._parts])

        order = np.lexsort((rev, time_ms, index))
        index, rev, kind, time_ms, value = (part[order] for part in (index, rev, kind, time_ms, value))
        is_first = np.ones(len(index), np.bool_)
        is_first[1:] = (index[1:] != index[:-1]) | (time_ms[1:] != time_ms[:-1])
        starts = np.flatnonzero(is_first)
        slot = np.cumsum(is_first) - 1
        highest = rev[np.append(starts[1:], len(rev)) - 1]
        stands = rev == highest[slot]
        columns = np.full((len(_KINDS), len(starts)), np.nan)
        columns[kind[stands], slot[stands]] = value[stands]
        plain, quality, high, low = columns

        bits = np.nan_to_num(quality).astype(np.int64)
        is_deleted = (bits & DELETED) != 0
        exact = ~np.isnan(high) & ~np.isnan(low)
        halves = np.zeros(len(starts), np.uint64)
        halves[exact] = (high[exact].astype(np.uint64) << _HALF_BITS) | low[exact].astype(np.uint64)
        found = np.where(exact, halves.view(np.float64), plain)
        found[is_deleted] = np.nan
        batch = Batch.of(
            [self._series[key] for key in position],
            index[starts],
            time_ms[starts],
            found,
            (bits & _QUALITY_BITS).astype(np.uint8),
        )
        return Slots(batch, highest, is_deleted)
