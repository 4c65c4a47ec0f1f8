"""Costs: amounts of quarters of an hour, days or months priced by the tariffs of their time.

Nothing is rounded on the way: the cost of a month is the sum of its days. Coarse amounts under prices by time of use
cost the tariff's average where it states one, and are unknown where it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.tariffs import Tariff

QUARTER_MS: Final = 900_000
_SATURDAY: Final = 5
DEMAND: Final = "demand"
UNPRICED: Final = "no tariff"
AVERAGE: Final = "average"


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """(m,) yuan of each interval, NaN where unknown; parts: the same split by period, tier, demand; they add up."""

    total: FloatArray
    parts: dict[str, FloatArray]


def cost_of(
    amount: FloatArray, edges_ms: Int64Array, tariffs: Sequence[Tariff], timezone: str, *, used_before: float = 0.0
) -> Cost:
    """Cost of one carrier's amounts.

    Args:
        amount: (m,) of each interval; NaN = unknown. [carrier's unit]
        edges_ms: (m + 1,) ascending. UTC. [ms]
        tariffs: of the carrier; the one that holds at an interval's start prices it.
        timezone: of the local clock the periods follow: an hour that the clock shows twice is priced twice.
        used_before: in the calendar year of the first interval before it: tiers count from the year's start.

    Returns:
        Demand is charged at the last interval of each month, on its highest quarter of an hour. [kW]; only where the
        amounts are quarters of an hour, and all of the month is known.
    """
    count = len(amount)
    local = [datetime.fromtimestamp(ms / 1000, ZoneInfo(timezone)) for ms in edges_ms[:-1].tolist()]
    parts: dict[str, FloatArray] = {}
    priced = np.zeros(count, np.bool_)
    is_fine = bool(count) and bool((np.diff(edges_ms) == QUARTER_MS).all())
    for tariff in tariffs:
        holds = np.array(
            [
                tariff.valid_from <= at.date() and (tariff.valid_to is None or at.date() < tariff.valid_to)
                for at in local
            ],
            np.bool_,
        )
        if not holds.any():
            continue
        priced |= holds
        for name, values in _energy(amount, holds, local, tariff, fine=is_fine, used_before=used_before).items():
            parts[name] = parts.get(name, np.zeros(count)) + values
        if tariff.demand_price:
            known = _demand(amount, holds, local, tariff.demand_price, fine=is_fine)
            parts[DEMAND] = parts.get(DEMAND, np.zeros(count)) + known
    total = np.sum(list(parts.values()), axis=0) if parts else np.zeros(count)
    total = np.where(priced & np.isfinite(amount), total, np.nan)
    return Cost(total, parts)


def _energy(
    amount: FloatArray,
    holds: npt.NDArray[np.bool_],
    local: Sequence[datetime],
    tariff: Tariff,
    *,
    fine: bool,
    used_before: float,
) -> dict[str, FloatArray]:
    used = np.where(holds & np.isfinite(amount), amount, 0.0)
    if tariff.tiers:
        return _tiered(used, holds, local, tariff, used_before)
    if tariff.is_flat:
        return {tariff.periods[0].name: used * tariff.periods[0].price}
    if not fine:
        price = np.nan if tariff.average is None else tariff.average
        return {AVERAGE: np.where(holds, used * price, 0.0)}
    place = np.array([tariff.slots[at.month - 1][at.weekday() >= _SATURDAY][_quarter(at)] for at in local], np.intp)
    found: dict[str, FloatArray] = {}
    for number, period in enumerate(tariff.periods):  # one name may stand for several rows of the file
        priced = np.where(place == number, used, 0.0) * period.price
        found[period.name] = found.get(period.name, np.zeros(len(used))) + priced
    return found


def _quarter(at: datetime) -> int:
    return at.hour * 4 + at.minute // 15


def _tiered(
    used: FloatArray, holds: npt.NDArray[np.bool_], local: Sequence[datetime], tariff: Tariff, used_before: float
) -> dict[str, FloatArray]:
    """Each interval's amount cut where the year's sum crosses into the next tier."""
    years = np.array([at.year for at in local], np.intp)
    before = np.zeros(len(used))
    for year in np.unique(years).tolist():
        rows = np.flatnonzero(years == year)
        start = used_before if len(local) and year == local[0].year else 0.0
        before[rows] = start + np.concatenate(([0.0], np.cumsum(used[rows])[:-1]))
    found = {}
    for number, tier in enumerate(tariff.tiers, start=1):
        top = tariff.tiers[number].above if number < len(tariff.tiers) else np.inf
        inside = np.clip(before + used, tier.above, top) - np.clip(before, tier.above, top)
        found[f"tier {number}"] = np.where(holds, inside, 0.0) * tier.price
    return found


def _demand(
    amount: FloatArray, holds: npt.NDArray[np.bool_], local: Sequence[datetime], price: float, *, fine: bool
) -> FloatArray:
    """The charge at the last interval of each month; NaN there when the quarters of its hours are not all known."""
    months = np.array([at.year * 12 + at.month for at in local], np.int64)
    charge = np.zeros(len(amount))
    for month in np.unique(months[holds]).tolist():
        rows = np.flatnonzero((months == month) & holds)
        highest_kw = float(amount[rows].max()) * 4 if fine else np.nan
        charge[rows[-1]] = highest_kw * price
    return charge
