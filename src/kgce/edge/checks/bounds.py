"""Bounds: what a single row shows by itself: no value, or a value that cannot be."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray, FloatArray, Quality, UInt8Array
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.limits import Limit, limit_of
from kgce.edge.checks.rated import Rated

_BAD: Final = np.uint8(Quality.BAD)
_OUT_OF_RANGE: Final = np.uint8(Quality.OUT_OF_RANGE)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    unnameable: BoolArray
    low: FloatArray
    high: FloatArray


class Bounds:
    """Limits by series, worked out once per series table."""

    def __init__(self, overrides: Mapping[str, Limit], rated: Rated) -> None:
        self._overrides, self._rated = overrides, rated
        self._tables = ByTable(self._table)

    def unnameable(self, batch: Batch) -> BoolArray:
        """(m,) rows whose series has no name a store could keep."""
        return self._tables.of(batch.series).unnameable[batch.index]

    def mark(self, batch: Batch) -> tuple[UInt8Array, Counter[str]]:
        """(m,) quality bits, and rows marked by rule."""
        table = self._tables.of(batch.series)
        low, high = table.low[batch.index], table.high[batch.index]
        quality = batch.quality.copy()
        usable = (quality & _BAD) == 0
        missing = np.isnan(batch.value) & usable
        outside = ((batch.value < low) | (batch.value > high)) & usable
        quality[missing] |= _BAD
        quality[outside] |= _OUT_OF_RANGE
        return quality, Counter({"value.missing": int(missing.sum()), "value.out_of_range": int(outside.sum())})

    def _table(self, series: tuple[Series, ...]) -> _Table:
        limits = [self._limit(one) for one in series]
        return _Table(
            np.array([not _is_nameable(one) for one in series], np.bool_),
            np.array([limit.low for limit in limits], np.float64),
            np.array([limit.high for limit in limits], np.float64),
        )

    def _limit(self, series: Series) -> Limit:
        limit = limit_of(series.quantity, self._overrides)
        try:
            quantity = quantity_of(series.quantity)
        except InputError:
            return limit
        if series.quantity in self._overrides or quantity.name in self._overrides:
            return limit  # what a person wrote about this very value stands
        return self._rated.limit(series.device, quantity, limit)


def _is_nameable(series: Series) -> bool:
    """Lone surrogates are not text, and a field needs a name."""
    if not series.quantity:
        return False
    try:
        "".join((*series.key, series.measurement, series.building, series.region)).encode()
    except UnicodeEncodeError:
        return False
    return True
