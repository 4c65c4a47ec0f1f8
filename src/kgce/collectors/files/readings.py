"""Readings from a file: rows of table.py, resolved by meters.py, checked by accepted.py, out as one Batch.

file --table--> lines --meters, times--> accepted rows --checks--> Batch + points + refusals
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from kgce.collectors.files.accepted import Accepted, Checks
from kgce.collectors.files.meters import Identity, Meters
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, Progress, read_table
from kgce.collectors.files.times import TimeReader
from kgce.domain.batch import Batch
from kgce.domain.findings import Finding
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series

COLUMNS: Final = Columns(("time", "institution", "point", "carrier", "kind", "unit", "value"), ("step",))


@dataclass(frozen=True, slots=True)
class ReadingsFile:
    """What a file of readings holds; rows counts those read, kept or refused."""

    batch: Batch
    points: list[Point]
    refusals: list[Refusal]
    rows: int
    findings: list[Finding] = field(default_factory=list)


def read_readings(
    path: Path,
    *,
    institutions: Mapping[str, Institution],
    known_points: Mapping[SeriesKey, Point],
    tz: str | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.time,
) -> ReadingsFile:
    """Readings of a CSV, CSV.gz or Parquet file in canonical units; bad rows are refused, the good ones kept.

    Raises:
        InputError: the file cannot be read at all, or its header does not fit.
        ConfigError: tz is no IANA zone.
    """
    times, meters = TimeReader(tz, now_s=clock()), Meters(institutions, known_points)
    accepted, refusals, rows = Accepted(path), [], 0
    for line in read_table(path, COLUMNS, progress):
        rows += 1
        reason = line.fault or _take(line, accepted, times, meters)
        if reason:
            refusals.append(refuse(path, line.number, reason, COLUMNS.all, line.cells))
    checks = Checks(accepted, COLUMNS)
    checks.run(meters)
    refusals = sorted(refusals + checks.refusals, key=lambda refusal: refusal.line)
    batch, points = _result(accepted, checks, meters)
    return ReadingsFile(batch, points, refusals, rows, _negative_amounts(batch))


def _take(line: Line, accepted: Accepted, times: TimeReader, meters: Meters) -> str:
    """Accept one row, or say why not."""
    time_text, institution, point, carrier, kind, unit, value_text, step = line.cells
    meter = meters.resolve(Identity(institution, point, carrier, kind, unit, step))
    if isinstance(meter, str):
        return meter
    instant = times.read(time_text)
    if isinstance(instant, str):
        return instant
    value = number(value_text)
    if isinstance(value, str):
        return value
    if value < 0 and meter.kind is Kind.COUNTER:
        return f"a counter cannot be negative ({value_text})"
    value *= meter.factor
    if not math.isfinite(value):
        return f"value {value_text!r} is too large"
    reason = meters.claim(meter)
    if not reason:
        accepted.add(meter, instant, value, line.number, (time_text, value_text))
    return reason


def _result(accepted: Accepted, checks: Checks, meters: Meters) -> tuple[Batch, list[Point]]:
    table: dict[Series, int] = {}
    points: list[Point] = []
    kept = np.flatnonzero(checks.keep)
    by_device: dict[int, int] = {}
    for device, row in zip(*np.unique(checks.device[kept], return_index=True), strict=True):
        meter = accepted.meters[kept[row]]
        by_device[int(device)] = table.setdefault(meter.series, len(table))
        known = meters.known(meter)
        step = checks.steps.get(int(device))
        points.append(Point(meter.series, meter.carrier.code, meter.kind, step, counts=known.counts if known else True))
    place = np.full(len(accepted.devices), -1, np.int32)
    place[list(by_device)] = list(by_device.values())
    values = np.array(accepted.value, np.float64)[kept]
    return Batch.of(tuple(table), place[checks.device[kept]], checks.time_ms[kept], values), points


def _negative_amounts(batch: Batch) -> list[Finding]:
    """An amount below zero is a net producer or a fault; it is kept, and told."""
    below = batch.select(batch.value < 0)
    findings = []
    for place in np.unique(below.index).tolist():
        series, amounts = batch.series[place], below.of_series(place)
        evidence = {
            "point": series.device,
            "count": len(amounts),
            "sum": float(amounts.value.sum()),
            "first_ms": int(amounts.time_ms.min()),
            "last_ms": int(amounts.time_ms.max()),
        }
        message = f"point {series.device}: {len(amounts)} amounts are below zero; kept as they are"
        findings.append(Finding("interval.negative", series.institution, message, evidence))
    return findings
