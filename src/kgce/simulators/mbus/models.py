"""Kinds of simulated meters: which records they send, in which coding, as common meters do."""

from dataclasses import dataclass
from typing import Final

from kgce.simulators.mbus.encode import Coding, Field


@dataclass(frozen=True, slots=True)
class MeterModel:
    """Identity of a kind of meter and its telegrams; what a device has no value for is left out."""

    maker: str
    version: int
    medium: int
    telegrams: tuple[tuple[Field, ...], ...]


HEAT: Final = MeterModel(
    "KAM", 8, 0x04,
    ((
        Field("heat_energy", Coding.INT32, b"\x06", 1.0),
        Field("water_volume", Coding.INT32, b"\x14", 0.01),
        Field("supply_temperature", Coding.INT16, b"\x59", 0.01),
        Field("return_temperature", Coding.INT16, b"\x5d", 0.01),
        Field("heat_power", Coding.INT32, b"\x2d", 0.1),
        Field("water_flow", Coding.INT32, b"\x3b", 0.001),
        Field("heat_energy", Coding.INT32, b"\x06", 1.0, storage=1),
    ),),
)  # fmt: skip
WATER: Final = MeterModel(
    "HYD", 41, 0x07,
    ((
        Field("water_volume", Coding.BCD8, b"\x13", 0.001),
        Field("water_flow", Coding.BCD6, b"\x3b", 0.001),
        Field("water_volume", Coding.BCD8, b"\x13", 0.001, storage=1),
    ),),
)  # fmt: skip
GAS: Final = MeterModel(
    "ELS", 51, 0x03,
    ((
        Field("gas_volume", Coding.BCD8, b"\x14", 0.01),
        Field("gas_flow", Coding.BCD6, b"\x3b", 0.001),
    ),),
)  # fmt: skip
ELECTRICITY: Final = MeterModel(  # two telegrams, as meters with many records send
    "ABB", 2, 0x02,
    (
        (Field("active_energy_import", Coding.INT32, b"\x05", 0.1),),
        (
            Field("active_power_total", Coding.INT32, b"\x2b", 0.001),
            Field("voltage", Coding.INT16, b"\xfd\x48", 0.1),
            Field("current", Coding.INT32, b"\xfd\x59", 0.001),
            Field("frequency", Coding.INT16, b"\xfb\x2e", 0.1),
        ),
    ),
)  # fmt: skip
