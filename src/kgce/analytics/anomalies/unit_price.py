"""Unit price: a bill's cost per amount against what the carrier costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.anomalies.powers import slipped_power
from kgce.analytics.anomalies.robust import ROUNDING
from kgce.domain.batch import FloatArray
from kgce.domain.carriers import carrier_of
from kgce.domain.findings import Finding


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What one unit of a carrier costs, both ends included. [yuan per the carrier's unit]."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Halfway between the ends."""
        return (self.low + self.high) / 2


_KWH_PER_GJ: Final = 1e6 / 3600
_HEAT: Final = 89.6 / _KWH_PER_GJ  # yuan/kWh; metered heat is "about" that price: 5 % either way is our reading

# Source: energy_domain.md section 2, unit-price back-check of Shandong auditors, V2. Another place or year has its own.
PRICE_BANDS: Final = {
    "electricity": PriceBand(0.70, 0.78),  # yuan/kWh
    "water": PriceBand(4.1, 5.0),  # yuan/m3
    "natural_gas": PriceBand(3.0, 4.6),  # yuan/m3
    "heat": PriceBand(0.95 * _HEAT, 1.05 * _HEAT),  # yuan/kWh
}


def unit_prices(
    subjects: Sequence[str],
    carrier: str,
    *,
    cost_yuan: FloatArray,
    amount: FloatArray,
    usual: FloatArray | None = None,
    bands: Mapping[str, PriceBand] = PRICE_BANDS,
) -> list[Finding]:
    """`bill.unit_price` for bills whose price is outside the band, `bill.ten_thousand` where a unit slipped.

    A slip (10^3 or 10^4 off, either way) explains the price, so it is told instead of the band.

    Args:
        subjects: n bills' institutions or meters.
        carrier: one with a band; others give no finding.
        cost_yuan: (n,) NaN = unknown, no finding. [yuan]
        amount: (n,) NaN, zero or less = unknown, no finding. [the carrier's unit]
        usual: (n,) the unit's own or its peers' usual price, NaN = the band's middle. [yuan per the carrier's unit]
        bands: price bands by carrier.

    Raises:
        InputError: no such carrier.
    """
    chosen = carrier_of(carrier)
    band = bands.get(chosen.code)
    if band is None:
        return []
    price = np.divide(cost_yuan, amount, out=np.full(len(amount), np.nan), where=amount > 0)
    expected = np.full(len(price), band.middle) if usual is None else np.where(np.isnan(usual), band.middle, usual)
    power = slipped_power(price, expected)
    outside = (price < band.low * (1 - ROUNDING)) | (price > band.high * (1 + ROUNDING))
    findings = []
    for place in np.flatnonzero(outside | (power != 0)).tolist():
        evidence = {
            "carrier": chosen.code,
            "cost_yuan": float(cost_yuan[place]),
            f"amount_{chosen.unit.lower()}": float(amount[place]),
            f"price_yuan_per_{chosen.unit.lower()}": float(price[place]),
        }
        if power[place]:
            findings.append(_slip(subjects[place], evidence, power=int(power[place]), usual=float(expected[place])))
        else:
            findings.append(_outside(subjects[place], evidence, chosen.unit, float(price[place]), band))
    return findings


def _slip(subject: str, evidence: Mapping[str, object], *, power: int, usual: float) -> Finding:
    return Finding(
        "bill.ten_thousand",
        subject,
        f"the bill's price of {evidence['carrier']} is about 10^{power} times the usual one: "
        "check yuan against wan yuan, and the unit of the amount",
        {**evidence, "power_of_ten": power, "usual_yuan_per_unit": usual},
    )


def _outside(subject: str, evidence: Mapping[str, object], unit: str, price: float, band: PriceBand) -> Finding:
    return Finding(
        "bill.unit_price",
        subject,
        f"the bill makes {evidence['carrier']} {price:.4g} yuan/{unit}, usual is {band.low:.4g} to {band.high:.4g}: "
        "compare cost and amount with the paper",
        {**evidence, "low_yuan_per_unit": band.low, "high_yuan_per_unit": band.high},
    )
