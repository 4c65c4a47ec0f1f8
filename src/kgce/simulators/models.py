"""The device models a site may have: what each measures, how it speaks, how often it should be asked."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from kgce.simulators.devices.map_file import load_map, map_names


class Measures(StrEnum):
    """Which part of a building's truth a device shows; the words of the register facts."""

    ELECTRICITY = "electricity_meter"
    CHARGER = "ev_charger"
    BOILER = "boiler"
    HEAT = "heat_meter"
    WATER = "water_meter"
    GAS = "gas_corrector"


class Speaks(StrEnum):
    """Protocol of a device, which is also the table it has in the collectors' configuration."""

    MODBUS = "modbus"
    MQTT = "mqtt"
    DLT645 = "dlt645"
    CJT188 = "cjt188"
    MBUS = "mbus"


class Model:
    """Models the county's history knows by name."""

    SDM630: Final = "sdm630"
    LMV5: Final = "lmv5"
    TERRA_AC: Final = "terra_ac"
    WATER_METER: Final = "water_meter"
    GAS_METER: Final = "gas_meter"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What there is to know of a model before it stands anywhere."""

    measures: Measures
    speaks: Speaks
    every_s: float  # between polls or messages, unless the site says otherwise
    profile: str = ""  # what the collectors call it; for other protocols medium, type or convention
    unit: int | None = None  # unit id every such device has
    is_mapped: bool = False


# The Terra AC's vendor advises one poll per 30-90 s; meters fed by a battery are asked seldom.
_OWN: Final = {
    Model.SDM630: ModelFacts(Measures.ELECTRICITY, Speaks.MODBUS, 2.0, "eastron-sdm630"),
    Model.LMV5: ModelFacts(Measures.BOILER, Speaks.MODBUS, 5.0, "siemens-lmv5"),
    Model.TERRA_AC: ModelFacts(Measures.CHARGER, Speaks.MODBUS, 30.0, "abb-terra-ac"),
    Model.WATER_METER: ModelFacts(Measures.WATER, Speaks.MQTT, 5.0),
    Model.GAS_METER: ModelFacts(Measures.GAS, Speaks.MQTT, 5.0),
    "tasmota": ModelFacts(Measures.ELECTRICITY, Speaks.MQTT, 10.0, "tasmota"),
    "zigbee2mqtt": ModelFacts(Measures.ELECTRICITY, Speaks.MQTT, 10.0, "zigbee2mqtt"),
    "shelly_gen1": ModelFacts(Measures.ELECTRICITY, Speaks.MQTT, 10.0, "shelly_gen1"),
    "shelly_gen2": ModelFacts(Measures.ELECTRICITY, Speaks.MQTT, 10.0, "shelly_gen2"),
    "dlt645_meter": ModelFacts(Measures.ELECTRICITY, Speaks.DLT645, 60.0, "2007"),
    "dlt645_meter_1997": ModelFacts(Measures.ELECTRICITY, Speaks.DLT645, 60.0, "1997"),
    "cjt188_water": ModelFacts(Measures.WATER, Speaks.CJT188, 60.0, "10"),
    "cjt188_heat": ModelFacts(Measures.HEAT, Speaks.CJT188, 60.0, "20"),
    "cjt188_gas": ModelFacts(Measures.GAS, Speaks.CJT188, 60.0, "30"),
    "mbus_heat": ModelFacts(Measures.HEAT, Speaks.MBUS, 60.0, "heat"),
    "mbus_water": ModelFacts(Measures.WATER, Speaks.MBUS, 60.0, "water"),
    "mbus_gas": ModelFacts(Measures.GAS, Speaks.MBUS, 60.0, "gas"),
    "mbus_electricity": ModelFacts(Measures.ELECTRICITY, Speaks.MBUS, 60.0, "electricity"),
}
_INTERVAL_S: Final = {
    Measures.ELECTRICITY: 2.0,
    Measures.CHARGER: 30.0,
    Measures.BOILER: 5.0,
    Measures.HEAT: 10.0,
    Measures.WATER: 5.0,
    Measures.GAS: 5.0,
}


@cache
def models() -> dict[str, ModelFacts]:
    """Every model: the ones with code of their own and the map files."""
    found = dict(_OWN)
    for name in map_names():
        facts = load_map(name)
        measures = Measures(facts.kind)
        found[name] = ModelFacts(
            measures, Speaks.MODBUS, _INTERVAL_S[measures], facts.profile, facts.unit, is_mapped=True
        )
    return found
