"""Rows for store tests, and the plain dictionary every store must agree with."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from kgce.domain.batch import Batch, Quality
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.domain.tree import Series

Row = tuple[Series, int, float, int]
NOON_MS = 1_700_000_000_000
EARLIEST_MS = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp() * 1000)
END_MS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp() * 1000)

POWER = Series("school-1", "main", "active_power", "electricity", "A", "370102")
ENERGY = Series("school-1", "main", "active_energy_import", "electricity", "A", "370102")
WATER = Series("school-2", "w1", "water_volume", "water", "", "370102")


def rows_of(batch: Batch) -> list[tuple[SeriesKey, int, float | None, int]]:
    """Comparable rows in batch order; None for NaN."""
    return [
        (batch.series[at].key, time_ms, None if math.isnan(value) else value, quality)
        for at, time_ms, value, quality in zip(
            batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist(), strict=True
        )
    ]


def read_all(store, keys: Iterable[SeriesKey]) -> list[tuple[SeriesKey, int, float | None, int]]:
    return rows_of(store.read(list(keys), start_ms=0, end_ms=2**62))


class Model:
    """What a store must do, one row at a time."""

    def __init__(self, end_ms: int = END_MS) -> None:
        self.end_ms = end_ms
        self.rows: dict[tuple[SeriesKey, int], tuple[float | None, int]] = {}

    def append(self, rows: Sequence[Row]) -> AppendResult:
        result = AppendResult()
        for series, time_ms, value, quality in rows:
            result += self._append(series, time_ms, value, quality)
        return result

    def _append(self, series: Series, time_ms: int, value: float, quality: int) -> AppendResult:
        is_missing = math.isnan(value)
        if math.isinf(value) or (is_missing and not quality & Quality.BAD) or not EARLIEST_MS <= time_ms < self.end_ms:
            return AppendResult(refused=1)
        new = (None if is_missing else value, quality)
        old = self.rows.get((series.key, time_ms))
        self.rows[series.key, time_ms] = new
        if old is None:
            return AppendResult(stored=1)
        return AppendResult(duplicate=1) if old == new else AppendResult(stored=1, replaced=1)

    def delete(self, keys: Iterable[SeriesKey], start_ms: int, end_ms: int) -> int:
        wanted = set(keys)
        gone = [(key, at) for key, at in self.rows if key in wanted and start_ms <= at < end_ms]
        for place in gone:
            del self.rows[place]
        return len(gone)

    def read(self, keys: Iterable[SeriesKey], start_ms: int, end_ms: int):
        wanted = set(keys)
        return [
            (key, time_ms, *self.rows[key, time_ms])
            for key, time_ms in sorted(self.rows)
            if key in wanted and start_ms <= time_ms < end_ms
        ]

    def latest(self):
        newest = dict(sorted(self.rows))
        return [(key, time_ms, *self.rows[key, time_ms]) for key, time_ms in newest.items()]
