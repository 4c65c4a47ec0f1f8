"""Indicators: what each divides by what, by which clause; a definition that changes gets a new version.

accounts.py --what was used, and for what--> evaluating.py does what is said here
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kgce.analytics.accounts import Account, Part
from kgce.domain.carriers import CARRIERS
from kgce.domain.factors import FactorSet


class Indicator(StrEnum):
    """What institutions are compared by; less is better for each."""

    ENERGY_PER_AREA = "energy_per_area"
    ENERGY_PER_CAPITA = "energy_per_capita"
    WATER_PER_CAPITA = "water_per_capita"
    NON_HEATING_PER_AREA = "non_heating_per_area"
    HEATING_PER_HEATED_AREA = "heating_per_heated_area"
    CONVENTIONAL_ELECTRICITY_PER_AREA = "conventional_electricity_per_area"
    EUE = "eue"


class Divisor(StrEnum):
    """What an indicator is divided by."""

    AREA = "floor area"
    NET_AREA = "floor area without special systems"
    HEATED_AREA = "heated area"
    PEOPLE = "number of people"
    WATER_PEOPLE = "number of people using water"
    IT_ELECTRICITY = "electricity of the computers"


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator as its source words it.

    share: what part of an account belongs to the numerator: 1, 0, or -1 where it is taken out again; weighed: whether
    amounts are turned into kgce by a factor set; clause: where it is written.
    """

    indicator: Indicator
    unit: str
    divisor: Divisor
    share: Callable[[Account], int]
    weighed: bool
    clause: str
    version: str = "1"


def _is_energy(account: Account) -> bool:
    return CARRIERS[account.carrier].is_energy


def _comprehensive(account: Account) -> int:
    return int(account.part is Part.TOTAL and _is_energy(account))


def _without_vehicles(account: Account) -> int:
    return _comprehensive(account) * (not CARRIERS[account.carrier].is_vehicle_fuel)


def _non_heating(account: Account) -> int:
    taken_out = account.part in {Part.HEATING, Part.SPECIAL, Part.EV_OWN} and _is_energy(account)
    return -1 if taken_out else _without_vehicles(account)


def _heating(account: Account) -> int:
    return int(account.part is Part.HEATING and _is_energy(account))


def _conventional(account: Account) -> int:
    """Total less special systems and cars; where all of A, B and C are metered these count (evaluating.py)."""
    if account.carrier != "electricity":
        return 0
    return {Part.TOTAL: 1, Part.SPECIAL: -1, Part.EV_OWN: -1}.get(account.part, 0)


def _water(account: Account) -> int:
    return int(account == Account("water", Part.TOTAL))


def _data_centre(account: Account) -> int:
    return int(account == Account("electricity", Part.DATA_CENTRE))


_EVAL: Final = "demonstration-unit standard, section 6 (energy_domain.md section 2)"
_ALL: Final = (
    Definition(Indicator.ENERGY_PER_AREA, "kgce/m2", Divisor.AREA, _without_vehicles, True,
               f"(annual energy - vehicle fuel) / building area; {_EVAL}"),
    Definition(Indicator.ENERGY_PER_CAPITA, "kgce/p", Divisor.PEOPLE, _comprehensive, True,
               f"annual energy, vehicle fuel included / people using energy; {_EVAL}"),
    Definition(Indicator.WATER_PER_CAPITA, "m3/p", Divisor.WATER_PEOPLE, _water, False,
               f"annual water / people using water; {_EVAL}"),
    Definition(Indicator.NON_HEATING_PER_AREA, "kgce/m2", Divisor.NET_AREA, _non_heating, True,
               "(comprehensive - heating - transport - special systems) / area without theirs; "
               "DB37/T 2671-2019 sections 3.4, 5.2, 6.2. Own cars' charging is taken as transport: our reading"),
    Definition(Indicator.HEATING_PER_HEATED_AREA, "kgce/m2", Divisor.HEATED_AREA, _heating, True,
               "heating energy of the season / heated area; DB37/T 2671-2019 section 6.3. "
               "A calendar year holds one season's worth of months: our reading"),
    Definition(Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA, "kWh/m2", Divisor.NET_AREA, _conventional, False,
               "(lighting and sockets + air conditioning + power) / area; DB37/T 2671-2019 section 6.5. "
               "Where these are not metered apart: total less special systems and own cars' charging"),
    Definition(Indicator.EUE, "1", Divisor.IT_ELECTRICITY, _data_centre, False,
               "electricity of the data centre / electricity of its computers, over the year; "
               "DB37/T 2671-2019 section 6.6"),
)  # fmt: skip
DEFINITIONS: Final[Mapping[Indicator, Definition]] = MappingProxyType({one.indicator: one for one in _ALL})
UNIT: Final = MappingProxyType({one.indicator: one.unit for one in _ALL})
DIVISOR: Final = MappingProxyType({one.indicator: str(one.divisor) for one in _ALL})


def weight(account: Account, definition: Definition, factor_set: FactorSet) -> float:
    """What one unit of an account weighs in the numerator: kgce, or 1; NaN where the set has no factor."""
    if not definition.weighed:
        return float(definition.share(account))
    factor = factor_set.factors.get(account.carrier)
    share = definition.share(account)
    return float("nan") if factor is None and share else share * (factor.per_canonical if factor else 0.0)


def factor_set_of(indicator: Indicator, factor_set: FactorSet) -> str | None:
    """The set a figure names; None where none was used."""
    return factor_set.id if DEFINITIONS[indicator].weighed else None
