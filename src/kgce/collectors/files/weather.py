"""Weather from a file: lines of table.py in, a Batch of measurement `weather` out.

Weather belongs to a place, not to an institution: its series carry the institution WEATHER and the station as device.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, Progress, read_table
from kgce.collectors.files.times import Instant, TimeReader
from kgce.domain.batch import Batch
from kgce.domain.tree import Series

WEATHER: Final = "weather"  # institution and measurement of every weather series
COLUMNS: Final = Columns(("time", "station", "temperature_c"), ("humidity_pct", "irradiance_w_m2"))


class Bounds(NamedTuple):
    """Store's field of a column and what the atmosphere allows."""

    quantity: str
    low: float
    high: float


# Surface records: -89.2 and 56.7 degC (World Meteorological Organization); saturated hygrometers read a little over
# 100 %; pyranometers read a little below zero at night, and above the solar constant between bright clouds.
FIELDS: Final = {
    "temperature_c": Bounds("outdoor_temperature", -95.0, 60.0),
    "humidity_pct": Bounds("humidity", 0.0, 105.0),
    "irradiance_w_m2": Bounds("irradiance", -20.0, 2000.0),
}


@dataclass(frozen=True, slots=True)
class WeatherFile:
    """What a weather file holds; rows counts those read, kept or refused."""

    batch: Batch
    refusals: list[Refusal]
    rows: int


def weather_series(station: str, quantity: str) -> Series:
    """The series of one quantity at one station."""
    return Series(WEATHER, station, quantity, measurement=WEATHER)


def read_weather(
    path: Path, *, tz: str | None = None, progress: Progress | None = None, clock: Callable[[], float] = time.time
) -> WeatherFile:
    """Weather of a CSV, CSV.gz or Parquet file; an empty cell is a missing value, a bad row is refused whole.

    Raises:
        InputError: the file cannot be read at all, or its header does not fit.
        ConfigError: tz is no IANA zone.
    """
    times = TimeReader(tz, now_s=clock())
    good: list[_Row] = []
    refusals, rows = [], 0
    for line in read_table(path, COLUMNS, progress):
        rows += 1
        row = line.fault or _row(line, times)
        if isinstance(row, str):
            refusals.append(refuse(path, line.number, row, COLUMNS.all, line.cells))
        else:
            good.append(row)
    batch, reasons = _one_per_time(good)
    refusals += [refuse(path, line.number, reason, COLUMNS.all, line.cells) for line, reason in reasons]
    return WeatherFile(batch, sorted(refusals, key=lambda refusal: refusal.line), rows)


class _Row(NamedTuple):
    line: Line
    station: str
    instant: Instant
    values: list[tuple[str, float]]  # (quantity, value)


def _row(line: Line, times: TimeReader) -> _Row | str:
    """The row's values, or why it has none."""
    time_text, station, *cells = line.cells
    if not station:
        return "no station"
    instant = times.read(time_text)
    if isinstance(instant, str):
        return instant
    values: list[tuple[str, float]] = []
    for (column, bounds), cell in zip(FIELDS.items(), cells, strict=True):
        if not cell:
            continue
        value = number(cell)
        if isinstance(value, str) or not bounds.low <= value <= bounds.high:
            return f"{column} {cell!r} is not a number from {bounds.low:g} to {bounds.high:g}"
        values.append((bounds.quantity, value))
    return _Row(line, station, instant, values) if values else "no value"


def _one_per_time(rows: list[_Row]) -> tuple[Batch, list[tuple[Line, str]]]:
    """One row per station and time; a local time that happens twice is placed only when both rows are there."""
    alike = Counter((row.station, row.instant.ms) for row in rows)
    first: dict[tuple[str, int], int] = {}
    kept: list[tuple[Series, int, float, int]] = []
    reasons: list[tuple[Line, str]] = []
    for row in rows:
        at_ms = row.instant.ms
        if row.instant.second_ms is not None:
            if alike[row.station, at_ms] == 1:
                reasons.append(
                    (row.line, f"local time {row.line.cells[0]!r} happens twice and is given once; add the offset")
                )
                continue
            if (row.station, at_ms) in first:
                at_ms = row.instant.second_ms
        before = first.setdefault((row.station, at_ms), row.line.number)
        if before != row.line.number:
            reasons.append((row.line, f"duplicate of line {before}"))
            continue
        kept += [(weather_series(row.station, quantity), at_ms, value, 0) for quantity, value in row.values]
    return Batch.from_rows(kept), reasons
