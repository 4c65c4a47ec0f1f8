"""Sanity of imported factors: bands that every official factor lies in, and the slip that explains one outside.

Source: energy_domain.md section 1.2, bands of Shandong's auditors (house rules, V2), widened to what
coefficients.csv holds: natural gas 1.1 to 1.33, oils and liquefied gas 1.4 to 1.76, steam 0.0929 to 0.1286.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kgce.domain.factors import Factor, FactorSet
from kgce.domain.findings import Finding

EQUAL_VALUE: Final = "equal"  # basis of a set: what a power station burns for a kWh


@dataclass(frozen=True, slots=True)
class Band:
    """Both ends included, in kgce per `unit`."""

    low: float
    high: float
    unit: str


_HEAT: Final = Band(0.01, 0.05, "MJ")  # 0.03412; 34.12 is per GJ
_OIL: Final = Band(1.0, 2.0, "kg")
BANDS: Final = {
    "natural_gas": Band(1.05, 1.40, "m3"),
    "heat": _HEAT,
    "cooling": _HEAT,
    "gas_energy": _HEAT,
    "raw_coal": Band(0.2, 1.0, "kg"),
    "steam": Band(0.08, 0.14, "kg"),
    "lpg": _OIL,
    "fuel_oil": _OIL,
    "gasoline": _OIL,
    "gasoline_other": _OIL,
    "diesel": _OIL,
    "diesel_other": _OIL,
}
_ELECTRICITY: Final = {True: Band(0.2, 0.5, "kWh"), False: Band(0.12, 0.126, "kWh")}  # equal value, equivalent
SLIPS: Final = {
    1000.0: "1000 times too large: kgce/GJ for kgce/MJ, or kgce/t for kgce/kg",
    0.001: "1000 times too small: tce for kgce, or per Wh for per kWh",
    10_000.0: "10 000 times too large: a factor of 10 000 kWh or 10 000 m3",
    0.0001: "10 000 times too small: tce of 10 000 kWh or 10 000 m3",
    3.6: "3.6 times too large: a factor of kWh for MJ",
    1 / 3.6: "3.6 times too small: a factor of MJ for kWh",
}


def band_of(carrier: str, one: FactorSet) -> Band | None:
    """The band of a carrier in a set; None where there is none."""
    if carrier in {"electricity", "site_energy"}:
        return _ELECTRICITY[EQUAL_VALUE in one.basis.lower()]
    return BANDS.get(carrier)


def insane_factors(one: FactorSet) -> list[Finding]:
    """`factor.outside_band` for every factor of a set that lies outside, with the slip that would explain it."""
    return [finding for factor in one.factors.values() for finding in _judged(one, factor)]


def _judged(one: FactorSet, factor: Factor) -> Iterator[Finding]:
    band = band_of(factor.carrier, one)
    if band is None:
        return
    value = factor.per(band.unit)
    if band.low <= value <= band.high:
        return
    slips = [words for size, words in SLIPS.items() if band.low <= value / size <= band.high]
    hint = slips[0] if slips else "look at the source again"
    yield Finding(
        "factor.outside_band",
        one.id,
        f"{factor.carrier} {value:g} kgce/{band.unit} is outside {band.low:g} to {band.high:g}: {hint}",
        {
            "carrier": factor.carrier, "value": value, "unit": band.unit, "low": band.low, "high": band.high,
            "slip": slips[0] if slips else None,
        },
    )  # fmt: skip
