"""Grafana's unit ids for the store's canonical units, so that a panel cannot show another unit than is stored."""

from typing import Final

from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of

# Ids as in Grafana's list of value formats; it has no cubic metre per hour; `suffix:` is its way to add one.
_GRAFANA: Final = {
    "kW": "kwatt",
    "kWh": "kwatth",
    "kvar": "kvoltampreact",
    "kvarh": "suffix: kvarh",
    "kVA": "kvoltamp",
    "kVAh": "suffix: kVAh",
    "V": "volt",
    "A": "amp",
    "Hz": "hertz",
    "m3": "m3",
    "m3/h": "suffix: m³/h",
    "kg": "masskg",
    "kPa": "pressurekpa",
    "degC": "celsius",
    "%": "percent",
    "deg": "degree",
    "h": "h",
    "W/m2": "Wm2",
    "m/s": "velocityms",
    "rpm": "rotrpm",
    "ΔK": "suffix: K",
    "ppm": "ppm",
    "": "none",
}


def grafana_unit(field: str) -> str:
    """Grafana's unit id for a field of the store.

    Raises:
        InputError: no known quantity begins this name.
        ConfigError: the quantity's unit has no Grafana id yet.
    """
    unit = quantity_of(field).unit
    if unit not in _GRAFANA:
        raise ConfigError(f"no Grafana unit for {unit!r} of {field!r}: add it to dashboards/units.py")
    return _GRAFANA[unit]
