"""Export: what waits in a buffer as CSV, for a store that the gateway will never reach.

Billed counters take the form that `kgce import readings` reads; the raw form holds every row with its quality bits.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final, TextIO

from kgce.domain.batch import UNUSABLE, Batch
from kgce.domain.carriers import CARRIERS, Carrier
from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.tree import Series

BILLED: Final = ("time", "institution", "point", "carrier", "kind", "unit", "value")
RAW: Final = ("time", "institution", "device", "quantity", "unit", "value", "quality")


@dataclass(slots=True)
class Exported:
    """What went into the file and what did not: rows + other + unusable = all rows that were read."""

    rows: int = 0
    other: int = 0  # not a billed counter
    unusable: int = 0  # bad, suspect or out of range
    damaged_batches: int = 0


def export(batches: Iterable[Batch | None], file: TextIO, *, raw: bool = False) -> Exported:
    """Write the rows, one line each; times in UTC with an offset."""
    result = Exported()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(RAW if raw else BILLED)
    for batch in batches:
        if batch is None:
            result.damaged_batches += 1
            continue
        for row in _raw(batch) if raw else _billed(batch, result):
            writer.writerow(row)
            result.rows += 1
    return result


def _raw(batch: Batch) -> Iterator[tuple[object, ...]]:
    for series, time_ms, value, quality in _rows(batch):
        yield (
            _iso(time_ms),
            series.institution,
            series.device,
            series.quantity,
            _unit(series.quantity),
            value,
            quality,
        )


def _billed(batch: Batch, result: Exported) -> Iterator[tuple[object, ...]]:
    for series, time_ms, value, quality in _rows(batch):
        carrier = _carrier(series.measurement, series.quantity)
        if carrier is None:
            result.other += 1
        elif quality & UNUSABLE:
            result.unusable += 1
        else:
            who = (series.institution, series.device, carrier.code, Kind.COUNTER.value, carrier.unit)
            yield (_iso(time_ms), *who, value)


def _rows(batch: Batch) -> Iterator[tuple[Series, int, float, int]]:
    columns = (batch.index, batch.time_ms, batch.value, batch.quality)
    for index, time_ms, value, quality in zip(*(column.tolist() for column in columns), strict=True):
        yield batch.series[index], time_ms, value, quality


@cache
def _carrier(measurement: str, quantity: str) -> Carrier | None:
    """The carrier this series is billed as; the volume of a heat meter is not water."""
    fitting = (one for one in CARRIERS.values() if (one.measurement, one.quantity) == (measurement, quantity))
    return next(fitting, None)


@cache
def _unit(quantity: str) -> str:
    try:
        return quantity_of(quantity).unit
    except InputError:
        return ""  # of an older kgce that named it otherwise


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
