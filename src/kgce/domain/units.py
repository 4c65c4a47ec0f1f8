"""Units and their exact conversion to the canonical unit of each dimension."""

from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import UnknownUnit


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: canonical value = raw * scale + offset."""

    symbol: str
    dimension: str
    scale: float = 1.0
    offset: float = 0.0


_DEFINITIONS: Final = (
    # dimension, canonical unit, {symbol: scale}. Scales are exact by definition (SI Brochure 9th ed., tables 5-8).
    (
        "energy",
        "kWh",
        {
            "kWh": 1.0,
            "Wh": 1e-3,
            "W.min": 1 / 60_000,
            "MWh": 1e3,
            "GWh": 1e6,
            "GJ": 1e6 / 3600,
            "MJ": 1e3 / 3600,
            "kJ": 1 / 3600,
            "J": 1 / 3.6e6,
        },
    ),
    ("apparent_energy", "kVAh", {"kVAh": 1.0, "VAh": 1e-3, "MVAh": 1e3}),
    (
        "power",
        "kW",
        {
            "kW": 1.0,
            "W": 1e-3,
            "mW": 1e-6,
            "MW": 1e3,
            "GJ/h": 1e6 / 3600,
            "MJ/h": 1e3 / 3600,
            "kJ/h": 1 / 3600,
            "J/h": 1 / 3.6e6,
        },
    ),
    ("reactive_energy", "kvarh", {"kvarh": 1.0, "varh": 1e-3, "Mvarh": 1e3}),
    ("reactive_power", "kvar", {"kvar": 1.0, "var": 1e-3, "Mvar": 1e3}),
    ("apparent_power", "kVA", {"kVA": 1.0, "VA": 1e-3, "MVA": 1e3}),
    ("voltage", "V", {"V": 1.0, "mV": 1e-3, "kV": 1e3}),
    ("current", "A", {"A": 1.0, "mA": 1e-3, "kA": 1e3, "µA": 1e-6}),
    ("frequency", "Hz", {"Hz": 1.0, "mHz": 1e-3, "kHz": 1e3}),
    # Nm3 is gas at standard conditions: an amount of its own, told apart by the field, not by the unit
    ("volume", "m3", {"m3": 1.0, "m³": 1.0, "L": 1e-3, "l": 1e-3, "hL": 0.1, "Nm3": 1.0, "ft3": 0.3048**3}),
    (
        "volume_flow",
        "m3/h",
        {"m3/h": 1.0, "m³/h": 1.0, "L/h": 1e-3, "L/min": 0.06, "L/s": 3.6, "l/s": 3.6, "Nm3/h": 1.0},
    ),
    ("mass", "kg", {"kg": 1.0, "t": 1e3, "g": 1e-3}),
    ("pressure", "kPa", {"kPa": 1.0, "Pa": 1e-3, "bar": 100.0, "MPa": 1e3, "mbar": 0.1, "hPa": 0.1}),
    ("ratio", "%", {"%": 1.0}),
    ("angle", "deg", {"deg": 1.0}),
    ("duration", "h", {"h": 1.0, "s": 1 / 3600, "min": 1 / 60, "ms": 1 / 3.6e6, "d": 24.0}),
    ("irradiance", "W/m2", {"W/m2": 1.0, "W/m²": 1.0}),
    ("velocity", "m/s", {"m/s": 1.0, "mm/s": 1e-3, "km/h": 1 / 3.6}),
    ("rotation", "rpm", {"rpm": 1.0}),
    ("temperature_difference", "ΔK", {"ΔK": 1.0}),  # of its own: 1 K of difference is 1 °C, no offset
    ("concentration", "ppm", {"ppm": 1.0}),
    ("one", "", {"": 1.0, "percent": 0.01}),  # percent: a factor such as a power factor, written in hundredths
)

UNITS: Final[dict[str, Unit]] = {
    symbol: Unit(symbol, dimension, scale) for dimension, _, scales in _DEFINITIONS for symbol, scale in scales.items()
} | {
    "degC": Unit("degC", "temperature"),
    "°C": Unit("°C", "temperature"),
    "K": Unit("K", "temperature", 1.0, -273.15),
    "degF": Unit("degF", "temperature", 5 / 9, -160 / 9),
    "°F": Unit("°F", "temperature", 5 / 9, -160 / 9),
}

CANONICAL: Final[dict[str, str]] = {dimension: unit for dimension, unit, _ in _DEFINITIONS} | {"temperature": "degC"}


def unit_of(symbol: str) -> Unit:
    """The unit behind a symbol, exactly as written.

    Raises:
        UnknownUnit: nobody defined this symbol.
    """
    unit = UNITS.get(symbol)
    if unit is None:
        raise UnknownUnit(f"unknown unit {symbol!r}; known: {', '.join(sorted(filter(None, UNITS)))}")
    return unit


def convert(value: float, source: str, target: str) -> float:
    """Convert a value between two units of one dimension.

    Raises:
        UnknownUnit: a symbol is unknown, or the two measure different things.
    """
    scale, offset = conversion(source, target)
    return value * scale + offset


def conversion(source: str, target: str) -> tuple[float, float]:
    """(scale, offset) so that target = source * scale + offset; works on arrays too.

    Raises:
        UnknownUnit: a symbol is unknown, or the two measure different things.
    """
    origin, goal = unit_of(source), unit_of(target)
    if origin.dimension != goal.dimension:
        raise UnknownUnit(f"{source!r} measures {origin.dimension}, {target!r} measures {goal.dimension}")
    return origin.scale / goal.scale, (origin.offset - goal.offset) / goal.scale
