"""Bills from a file: what an institution was billed for in a month, entered by a person, with what it cost.

A bill becomes the amount of its month, of quality MANUAL, on the device `bill`; the cost stays beside it for checks.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, read_table
from kgce.domain.batch import Batch, Quality
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import UnknownUnit
from kgce.domain.quantities import Kind
from kgce.domain.tree import DEFAULT_TIMEZONE, Point, Series, Step

COLUMNS: Final = Columns(("institution", "carrier", "month", "amount", "unit"), ("cost_yuan", "building", "region"))
DEVICE: Final = "bill"
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")


class Bill(NamedTuple):
    """One month of one carrier; amount in the carrier's unit, cost_yuan NaN where it is not stated."""

    series: Series
    carrier: str
    time_ms: int
    amount: float
    cost_yuan: float
    line: int


@dataclass(frozen=True, slots=True)
class BillsFile:
    """What a file of bills holds; rows counts those read, kept or refused."""

    bills: list[Bill]
    refusals: list[Refusal]
    rows: int

    @property
    def points(self) -> list[Point]:
        """The metering points the bills belong to."""
        found = {bill.series.key: Point(bill.series, bill.carrier, Kind.INTERVAL, Step.MONTH) for bill in self.bills}
        return list(found.values())

    @property
    def batch(self) -> Batch:
        """The bills as readings."""
        table = list(dict.fromkeys(bill.series for bill in self.bills))
        place_of = {one: place for place, one in enumerate(table)}
        return Batch.of(
            table,
            np.array([place_of[bill.series] for bill in self.bills], np.int32),
            np.array([bill.time_ms for bill in self.bills], np.int64),
            np.array([bill.amount for bill in self.bills], np.float64),
            np.full(len(self.bills), int(Quality.MANUAL), np.uint8),
        )


def read_bills(path: Path, *, timezones: dict[str, str]) -> BillsFile:
    """Bills of a CSV, CSV.gz or Parquet file; a bad row is refused whole, the last of two bills of one month counts.

    Args:
        path: of the file.
        timezones: of the institutions that are known: their months are cut by it.

    Raises:
        InputError: the file cannot be read at all, or its header does not fit.
    """
    good: dict[tuple[Series, int], Bill] = {}
    refusals, rows = [], 0
    for line in read_table(path, COLUMNS, None):
        rows += 1
        bill = line.fault or _bill(line, timezones)
        if isinstance(bill, str):
            refusals.append(refuse(path, line.number, bill, COLUMNS.all, line.cells))
            continue
        before = good.get((bill.series, bill.time_ms))
        if before is not None and (before.amount, before.cost_yuan) != (bill.amount, bill.cost_yuan):
            reason = f"line {before.line} states the same month with another amount or cost"
            refusals.append(refuse(path, line.number, reason, COLUMNS.all, line.cells))
            continue
        good[bill.series, bill.time_ms] = bill
    return BillsFile(list(good.values()), refusals, rows)


def _bill(line: Line, timezones: dict[str, str]) -> Bill | str:
    """The bill of a row, or why there is none."""
    institution, carrier_name, month_text, amount_text, unit, cost_text, building, region = line.cells
    carrier = CARRIERS.get(carrier_name)
    if not institution:
        return "no institution"
    if carrier is None:
        return f"unknown carrier {carrier_name!r}: choose of {', '.join(CARRIERS)}"
    month = _MONTH.fullmatch(month_text)
    if month is None or not 1 <= int(month[2]) <= 12 or int(month[1]) < 1980:  # noqa: PLR2004 - months, first year
        return f"month {month_text!r} is none: write 2024-07"
    try:
        factor = carrier.to_canonical(unit)
    except UnknownUnit as error:
        return str(error)
    figures = _figures(amount_text, cost_text)
    if isinstance(figures, str):
        return figures
    amount, cost = figures
    zone = ZoneInfo(timezones.get(institution, DEFAULT_TIMEZONE))
    start = datetime(int(month[1]), int(month[2]), 1, tzinfo=zone)
    series = Series(institution, DEVICE, carrier.field(Kind.INTERVAL), carrier.measurement, building, region)
    return Bill(series, carrier.code, round(start.timestamp() * 1000), amount * factor, cost, line.number)


def _figures(amount_text: str, cost_text: str) -> tuple[float, float] | str:
    """Amount and cost (NaN = not stated), or why they are none."""
    amount, cost = number(amount_text), number(cost_text) if cost_text else float("nan")
    if isinstance(amount, str):
        return f"amount: {amount}"
    if isinstance(cost, str):
        return f"cost_yuan: {cost}"
    return (
        "a bill is not negative: enter the corrected amount of its month" if min(amount, cost) < 0 else (amount, cost)
    )
