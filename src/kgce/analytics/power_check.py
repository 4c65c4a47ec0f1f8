"""Power check: a counter beside the integral of the same device's power; a finding where they do not agree.

The integral is never booked. It covers only the time between readings that are near each other, so a month takes part
when both were known nearly all of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.gauge import time_means
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.domain.batch import FloatArray
from kgce.domain.carriers import CARRIERS
from kgce.domain.changes import MeterChange
from kgce.domain.findings import Finding
from kgce.domain.ports import ReadingStore, SeriesKey
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point

POWER_OF: Final = {"active_energy_import": "active_power", "heat_energy": "heat_power"}  # counter -> its rate
TOLERANCE: Final = 0.05  # of the counter: two class 1 quantities and a load that moves between polls; house rule
LEAST: Final = 0.95  # coverage of both below which a month says nothing
_REACH_MS: Final = 7_200_000  # power before and after a month that bounds its edges
_SLIPS: Final = {
    1000.0: "W taken for kW",
    0.001: "kW taken for W",
    3.6: "MJ taken for kWh",
    1 / 3.6: "kWh taken for MJ",
}
_NEAR: Final = 0.1  # of a slip's ratio


def power_findings(
    store: ReadingStore, points: Iterable[Point], changes: Iterable[MeterChange], *, year: int, timezone: str
) -> list[Finding]:
    """`power.disagrees` for each counter whose device's power adds up to something else.

    Args:
        store: with the readings of both.
        points: any; those whose device sends the power that belongs to them are looked at.
        changes: declared ones of these meters.
        year: which.
        timezone: of the institution.

    Raises:
        StoreUnavailable: no answer.
    """
    declared = list(changes)
    chosen = [point for point in points if point.kind is Kind.COUNTER and point.series.quantity in POWER_OF]
    sent = {series.key for series in store.series()}
    found: list[Finding] = []
    for point in sorted(chosen, key=lambda one: one.series.key):
        institution, device, quantity = point.series.key
        power = (institution, device, POWER_OF[quantity])
        if power in sent:
            own = [change for change in declared if change.key == point.series.key]
            found += _judged(point, year, *_months(store, point, power, own, year, timezone))
    return found


def _months(  # noqa: PLR0917 - one meter, its power, its year
    store: ReadingStore, point: Point, power: SeriesKey, changes: Sequence[MeterChange], year: int, timezone: str
) -> tuple[FloatArray, FloatArray]:
    """(12,) counted and integrated amounts, NaN where either is not known for nearly all of the month."""
    counted, integral = np.full(12, np.nan), np.full(12, np.nan)
    for month, days in enumerate(month_edges_ms(year, timezone)):
        edges = days[[0, -1]]
        start, end = int(edges[0]), int(edges[1])
        gauge = store.read([power], start_ms=start - _REACH_MS, end_ms=end + _REACH_MS)
        means = time_means(gauge.time_ms, gauge.value, gauge.quality, edges)
        if means.coverage[0] < LEAST:
            continue
        read = read_neighbourly(store, [point], start_ms=start, end_ms=end)
        amounts = point_amounts([point], read.batch, edges, timezone, changes)
        if amounts.coverage[0, 0] >= LEAST:
            counted[month], integral[month] = amounts.amount[0, 0], means.integral[0] / means.coverage[0]
    return counted, integral


def _judged(point: Point, year: int, counted: FloatArray, integral: FloatArray) -> Iterator[Finding]:
    known = np.isfinite(counted)
    whole, summed = float(counted[known].sum()), float(integral[known].sum())
    if not known.any() or abs(summed - whole) <= TOLERANCE * abs(whole):
        return
    ratio = summed / whole if whole else np.inf
    slip = next((words for size, words in _SLIPS.items() if abs(ratio / size - 1) < _NEAR), "")
    unit = CARRIERS[point.carrier].unit
    hint = f"it looks like {slip}" if slip else "look for a wrong ratio, a wrong register or a phase without current"
    yield Finding(
        "power.disagrees",
        point.series.institution,
        f"{point.series.point_id} counted {whole:,.0f} {unit} in {year}, its power adds up to {summed:,.0f}: {hint}",
        {
            "year": year, "point": point.series.point_id, "months": int(known.sum()),
            f"counted_{unit}": whole, f"integral_{unit}": summed, "ratio": ratio if np.isfinite(ratio) else None,
        },
    )  # fmt: skip
