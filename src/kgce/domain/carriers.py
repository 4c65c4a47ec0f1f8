"""Energy carriers and water: what an institution is billed for."""

from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import InputError, UnknownUnit
from kgce.domain.quantities import Kind
from kgce.domain.units import UNITS, conversion

# The national statistics state petrol and diesel in litres; the density is the one its own figures imply.
# Source: shared/facts/coefficients.csv: gasoline_litre_stat 1.0747 / 1.4714, diesel_litre_stat 1.2431 / 1.4571
# (derived there).
_GASOLINE_KG_PER_L: Final = 1.0747 / 1.4714
_DIESEL_KG_PER_L: Final = 1.2431 / 1.4571


@dataclass(frozen=True, slots=True)
class Carrier:
    """One thing that is bought and counted, with the unit its amounts are kept in."""

    code: str
    name_en: str
    name_zh: str
    unit: str
    measurement: str  # device kind in the store
    quantity: str  # field name of its counter in the store
    is_energy: bool = True
    is_vehicle_fuel: bool = False  # left out of energy per area, kept in energy per capita
    kg_per_l: float | None = None

    def to_canonical(self, unit: str) -> float:
        """Factor that turns an amount in `unit` into this carrier's unit.

        Raises:
            UnknownUnit: the unit does not measure this carrier.
        """
        known = UNITS.get(unit)
        if known is not None and known.dimension == "volume" and self.kg_per_l is not None:
            return conversion(unit, "L")[0] * self.kg_per_l
        if self.code == "water" and known is not None and known.dimension == "mass":
            return conversion(unit, "t")[0]  # the statistics count water in tonnes, 1 t = 1 m3
        try:
            return conversion(unit, self.unit)[0]
        except UnknownUnit as error:
            raise UnknownUnit(f"{error} (carrier {self.code} is kept in {self.unit})") from None

    def field(self, kind: Kind) -> str:
        """Name of the store's field for a counter or for interval amounts of this carrier."""
        return self.quantity if kind is Kind.COUNTER else f"{self.quantity}_interval"


_FUEL: Final = "fuel"
_CATALOGUE: Final = (
    Carrier("electricity", "Electricity", "电力", "kWh", "electricity", "active_energy_import"),
    Carrier("natural_gas", "Natural gas", "天然气", "m3", "gas", "gas_volume"),
    Carrier("heat", "Heat", "热力", "kWh", "heat", "heat_energy"),
    Carrier("cooling", "Cooling", "冷量", "kWh", "heat", "cooling_energy"),
    Carrier("steam", "Low-pressure steam", "低压蒸汽", "kg", _FUEL, "fuel_mass_steam"),
    Carrier("raw_coal", "Raw coal", "原煤", "kg", _FUEL, "fuel_mass_raw_coal"),
    Carrier("lpg", "Liquefied petroleum gas", "液化石油气", "kg", _FUEL, "fuel_mass_lpg"),
    Carrier("fuel_oil", "Fuel oil", "燃料油", "kg", _FUEL, "fuel_mass_fuel_oil"),
    # The national form counts petrol and diesel as vehicle fuel; oil burnt for other purposes is a line of its own.
    Carrier("gasoline", "Petrol (vehicles)", "汽油(车辆)", "kg", _FUEL, "fuel_mass_gasoline",
            is_vehicle_fuel=True, kg_per_l=_GASOLINE_KG_PER_L),
    Carrier("diesel", "Diesel (vehicles)", "柴油(车辆)", "kg", _FUEL, "fuel_mass_diesel",
            is_vehicle_fuel=True, kg_per_l=_DIESEL_KG_PER_L),
    Carrier("gasoline_other", "Petrol (other purposes)", "汽油(其他)", "kg", _FUEL, "fuel_mass_gasoline_other",
            kg_per_l=_GASOLINE_KG_PER_L),
    Carrier("diesel_other", "Diesel (other purposes)", "柴油(其他)", "kg", _FUEL, "fuel_mass_diesel_other",
            kg_per_l=_DIESEL_KG_PER_L),
    # Energy stated by a publisher without its split into carriers; only an equivalent-value set can weigh it.
    Carrier("site_energy", "Site energy (undivided)", "总能耗(未分项)", "kWh", "energy", "site_energy"),
    Carrier("gas_energy", "Gas billed by energy", "天然气(按热值)", "kWh", "gas", "gas_energy"),
    Carrier("water", "Water", "水", "m3", "water", "water_volume", is_energy=False),
)  # fmt: skip

CARRIERS: Final[dict[str, Carrier]] = {carrier.code: carrier for carrier in _CATALOGUE}
_ALIASES: Final = {"gas": "natural_gas", "coal": "raw_coal", "petrol": "gasoline", "power": "electricity"}


def carrier_of(code: str) -> Carrier:
    """The carrier behind a code or a common alias (`gas`, `coal`, `petrol`).

    Raises:
        InputError: no such carrier.
    """
    carrier = CARRIERS.get(_ALIASES.get(code, code))
    if carrier is None:
        raise InputError(f"unknown carrier {code!r}; known: {', '.join(CARRIERS)}")
    return carrier
