"""The quantity a value of one dimension is, by the words of its name and the kind of its device."""

from collections.abc import Set as AbstractSet
from typing import Final

from kgce.collectors.profile_import.codes import quantity_of_text, quantity_without_unit
from kgce.collectors.profile_import.given import Given

_GAS: Final = frozenset({"gas_corrector", "gas_meter"})


def quantity_by_dimension(given: Given) -> tuple[str, set[str]]:
    """(quantity, the words it stands for)."""
    if given.is_text:
        return quantity_of_text(given)
    choose = {
        "energy": _energy, "power": _power, "volume": _volume, "volume_flow": _flow, "temperature": _temperature,
        "ratio": _ratio, "duration": _duration, "current": _current, "voltage": _voltage, "mass": _mass,
    }.get(given.dimension)  # fmt: skip
    if choose is not None:
        return choose(given)
    if given.dimension in _PLAIN:
        quantity, used = _PLAIN[given.dimension]
        return _signed(quantity, given, used)
    return quantity_without_unit(given) if given.dimension in {"", "one"} else (f"other_{given.dimension}", set())


_PLAIN: Final = {
    "reactive_energy": ("reactive_energy_total", {"reactive", "energy", "total"}),
    "apparent_energy": ("apparent_energy", {"apparent", "energy"}),
    "reactive_power": ("reactive_power", {"reactive", "power"}),
    "apparent_power": ("apparent_power", {"apparent", "power"}),
    "frequency": ("frequency", {"frequency", "freq", "grid", "line"}),
    "pressure": ("pressure", {"pressure"}),
    "velocity": ("flow_velocity", {"velocity", "speed", "flow"}),
    "rotation": ("fan_speed", {"fan", "speed"}),
    "angle": ("phase_angle", {"phase", "angle"}),
    "irradiance": ("irradiance", {"irradiance", "solar", "radiation"}),
    "concentration": ("co2", {"co2"}),
}
_OUT: Final = {"export", "exported", "received", "feed", "fed", "reverse", "negative", "returned", "return",
               "generated", "generation", "production", "produced", "rec"}  # fmt: skip
_IN: Final = {"import", "imported", "delivered", "consumed", "consumption", "forward", "positive", "supplied", "imp"}


def _signed(quantity: str, given: Given, used: set[str]) -> tuple[str, set[str]]:
    """A counter of both directions, or of the one the name says."""
    if quantity != "reactive_energy_total":
        return quantity, used
    if _OUT & set(given.words):
        return "reactive_energy_export", used | _OUT
    return ("reactive_energy_import", used | _IN) if _IN & set(given.words) else (quantity, used)


# (quantity, words that show it, kinds of device that do, words it stands for); the first that fits
_ENERGIES: Final[tuple[tuple[str, AbstractSet[str], AbstractSet[str], AbstractSet[str]], ...]] = (
    ("cooling_energy", {"cooling", "cold", "cool"}, set(), {"cooling", "cold", "cool"}),
    ("heat_energy", {"heat", "heating", "thermal"}, {"heat_meter"}, {"heat", "heating", "thermal"}),
    ("session_energy", {"session", "charged", "transaction"}, set(), {"session", "charged", "transaction"}),
    ("net_energy", {"net", "minus", "balance"}, set(), {"net", "balance"}),
    ("gas_energy", {"gas"}, _GAS, {"gas"}),
    ("pv_energy", {"pv", "solar"}, set(), {"pv", "solar"}),
    ("active_energy_total", {"plus", "sum", "both"}, set(), {"del", "plus", "rec", "sum", "both"}),
    ("active_energy_export", _OUT, set(), _OUT),
    ("active_energy_import", _IN, {"ev_charger"}, _IN),
    ("active_energy_total", {"energy", "active", "total", "wh", "kwh"}, set(), set()),
)


def _energy(given: Given) -> tuple[str, set[str]]:
    for quantity, shown, kinds, used in _ENERGIES:
        if given.has(*shown) or given.kind in kinds:
            return quantity, {"energy", "active", "total", "wh", "kwh"} | used
    return "other_energy", set()


def _power(given: Given) -> tuple[str, set[str]]:
    used = {"power", "active", "thermal", "heat", "heating", "rate", "p"}
    if given.has("max", "rated", "rating", "limit", "setpoint"):
        return "power_rating", {"power"}
    if given.has("thermal", "heat", "heating", "cooling") or given.kind == "heat_meter":
        return "heat_power", used
    return "active_power", used


def _volume(given: Given) -> tuple[str, set[str]]:
    used = {
        "volume",
        "total",
        "forward",
        "positive",
        "totaliser",
        "totalizer",
        "accumulated",
        "consumption",
        "standard",
    }
    if given.has("increment", "hour", "hourly"):
        return "hourly_volume", {"volume", "increment", "hour", "hourly"}
    if given.has("net"):
        return "net_volume", used | {"net"}
    if given.has("oil"):
        return "oil_volume", used | {"oil"}
    if given.kind in _GAS or given.has("gas"):
        return "gas_volume", used | {"gas", "vb"}
    return "water_volume", used | {"water", "int", "flow"}


def _flow(given: Given) -> tuple[str, set[str]]:
    used = {"flow", "rate", "volume", "standard"}
    if given.has("fuel", "oil") or given.kind == "boiler":
        return "fuel_throughput", used | {"fuel", "throughput"}
    if given.kind in _GAS or given.has("gas"):
        return "gas_flow", used | {"gas"}
    return "water_flow", used | {"water"}


def _temperature(given: Given) -> tuple[str, set[str]]:
    used = {"temperature", "temp"}
    if given.has("difference", "delta", "dt", "diff", "spread"):
        return "temperature_difference", used | {"difference", "delta", "dt", "diff", "spread"}
    if given.has("setpoint", "reference", "target"):
        return "temperature", used
    for stem, names in _TEMPERATURES.items():
        if given.has(*names):
            return stem, used | names
    return "temperature", used | {"sensor"}


_TEMPERATURES: Final = {
    "supply_temperature": {"supply", "flow", "forward", "vl"},
    "return_temperature": {"return", "rl"},
    "flue_temperature": {"flue", "exhaust", "stack"},
    "outdoor_temperature": {"outdoor", "outside", "ambient"},
    "outlet_temperature": {"outlet"},
    "inlet_temperature": {"inlet"},
    "dhw_temperature": {"dhw", "hotwater"},
    "gas_temperature": {"gas"},
}
_RATIOS: Final = {
    "power_factor": {"power", "factor", "pf", "cos", "cosphi"},
    "thd_voltage": {"thd", "voltage", "u", "v"},
    "thd_current": {"thd", "current", "i"},
    "humidity": {"humidity", "rh"},
    "flue_gas_o2": {"o2", "oxygen", "flue", "gas"},
    "firing_rate": {"firing", "rate", "modulation", "burner", "load"},
    "valve_position": {"valve", "position"},
    "state_of_charge": {"soc", "charge", "battery", "state"},
    "flame_signal": {"flame", "signal"},
}
_KEYS: Final = {"power_factor": {"factor", "pf", "cos", "cosphi"}, "thd_voltage": {"voltage", "u", "v"},
                "thd_current": {"current", "i"}, "firing_rate": {"firing", "modulation"}, "valve_position": {"valve"},
                "state_of_charge": {"soc"}, "flame_signal": {"flame"}, "flue_gas_o2": {"o2", "oxygen"}}  # fmt: skip


def _ratio(given: Given) -> tuple[str, set[str]]:
    if given.has("setpoint") and given.has("power"):
        return "power_setpoint", {"power", "setpoint"}
    for quantity, used in _RATIOS.items():
        is_harmonic = quantity.startswith("thd")
        if given.has(*_KEYS.get(quantity, used)) and (not is_harmonic or given.has("thd")):
            return quantity, used
    return "other_ratio", set()


def _duration(given: Given) -> tuple[str, set[str]]:
    if given.has("timestamp", "date", "clock", "time") and given.has("timestamp", "stamp", "date", "clock", "utc"):
        return "device_time", {"timestamp", "time", "stamp"}
    if given.has("run", "operating", "operation", "running", "hours", "runtime"):
        return "operating_hours", {"run", "time", "operating", "operation", "running", "hours", "runtime"}
    for quantity in ("session_time", "charge_time", "connection_time"):
        if given.has(quantity.split("_")[0]):
            return quantity, set(quantity.split("_"))
    return "other_duration", set()


def _current(given: Given) -> tuple[str, set[str]]:
    if given.has("flame"):
        return "flame_current", {"flame", "current", "signal"}
    if given.has("max", "maximum", "rated", "supported"):
        return "max_current", {"max", "maximum", "current"}
    return "current", {"current", "i"}


_FUELS: Final = frozenset({"fuel", "coal", "oil", "lpg", "diesel", "gasoline", "steam", "pellets", "wood"})


def _mass(given: Given) -> tuple[str, set[str]]:
    return ("fuel_mass", {"fuel", "mass", "weight"}) if given.has(*_FUELS) else ("other_mass", {"mass"})


def _voltage(given: Given) -> tuple[str, set[str]]:
    return (
        ("flame_voltage", {"flame", "voltage", "signal"}) if given.has("flame") else ("voltage", {"voltage", "u", "v"})
    )
