"""Traps of the annual disclosure; feeds benchmark_annual.py with findings."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from kgce.domain.findings import Finding

EXTREME_KWH_PER_M2: Final = 10_000.0  # over 1 kW per m2 around the clock: no building sustains it
DIFFERENCE_RATIO: Final = 0.02  # a total this far from its parts is told
_FINE: Final = frozenset({"Compliant", "In Compliance"})
_TOTAL: Final = "site_energy_kwh"
_PARTS: Final = (
    "electricity_kwh", "gas_kwh", "district_steam_kwh", "district_hot_water_kwh", "chilled_water_kwh", "other_fuel_kwh",
)  # fmt: skip


class Disclosed(Protocol):
    """What these checks need to know of a property."""

    @property
    def id(self) -> str:
        """Institution."""
        ...

    @property
    def city(self) -> str:
        """Publisher."""
        ...

    @property
    def year(self) -> int:
        """Calendar year."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """The publisher's own remarks."""
        ...

    @property
    def area_m2(self) -> float | None:
        """Floor area as published."""
        ...

    @property
    def published(self) -> Mapping[str, float | None]:
        """Published amounts by column; None = blank."""
        ...


def find_traps(properties: Sequence[Disclosed]) -> list[Finding]:
    """Findings on single properties, then one per city of what many share."""
    findings = [finding for one in properties for finding in _of_one(one)]
    for city in dict.fromkeys(one.city for one in properties):
        findings += _of_city(city, [one for one in properties if one.city == city])
    return findings


def _of_one(one: Disclosed) -> Iterator[Finding]:
    evidence = {"city": one.city, "year": one.year}
    for column, amount in one.published.items():
        if amount == 0.0 and column in {_TOTAL, "water_m3"}:
            message = f"{column} of {one.year} is published as zero, which means missing; not stored"
            yield Finding("zero.as_missing", one.id, message, evidence | {"column": column})
        if amount is not None and amount < 0:
            message = f"{column} of {one.year} is {amount:g}: a net producer or a fault; kept as it is"
            yield Finding("amount.negative", one.id, message, evidence | {"column": column, "value": amount})
    if one.area_m2 is not None and one.area_m2 <= 0:
        yield Finding("area.zero", one.id, f"area of {one.year} is published as {one.area_m2:g} m2: unknown", evidence)
    total = one.published[_TOTAL]
    if total and one.area_m2 and total / one.area_m2 > EXTREME_KWH_PER_M2:
        intensity = total / one.area_m2
        message = (
            f"{intensity:,.0f} kWh/m2 in {one.year} is beyond any building: a plant, or a wrong area or unit; kept"
        )
        yield Finding("intensity.implausible", one.id, message, evidence | {"kwh_per_m2": intensity})
    if one.published["other_fuel_kwh"]:
        message = "other fuel is a mixture without a carrier: it is in the total, not in the details"
        yield Finding("fuel.not_loaded", one.id, message, evidence | {"kwh": one.published["other_fuel_kwh"]})


def _of_city(city: str, properties: Sequence[Disclosed]) -> Iterator[Finding]:
    years = sorted({one.year for one in properties})
    for flag, count in Counter(flag for one in properties for flag in one.flags if flag not in _FINE).most_common():
        message = f"{city}: the publisher remarks {flag!r} on {count} of {len(properties)} properties"
        yield Finding("source.flag", city, message, {"flag": flag, "count": count, "years": years})
    absent = [one for one in properties if one.published[_TOTAL] is None]
    if absent:
        partial = sum(any(one.published[part] for part in _PARTS) for one in absent)
        message = f"{city}: {len(absent)} of {len(properties)} properties have no total; {partial} of them have parts"
        yield Finding("total.absent", city, message, {"count": len(absent), "with_parts": partial, "years": years})
    gaps = {one.id: gap for one in properties if (gap := _gap_ratio(one)) > DIFFERENCE_RATIO}
    if gaps:
        worst = max(gaps, key=gaps.__getitem__)
        message = (
            f"{city}: {len(gaps)} totals differ from the sum of their parts by over {DIFFERENCE_RATIO:.0%} "
            f"(most: {worst}, {gaps[worst]:.0%}); the total counts"
        )
        yield Finding("total.differs", city, message, {"count": len(gaps), "worst": worst, "ratio": gaps[worst]})


def _gap_ratio(one: Disclosed) -> float:
    """How far the total is from its parts, as a share of the total; 0 where either is missing."""
    total = one.published[_TOTAL]
    parts = [value for part in _PARTS if (value := one.published[part]) is not None]
    return abs(total - sum(parts)) / abs(total) if total and parts else 0.0
