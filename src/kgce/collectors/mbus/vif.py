"""What a value is: the value information of EN 13757-3 (VIF, extension tables, VIFE) as quantity, unit and scale."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

E_MIN, E_HOUR, E_DAY = 60, 3600, 86_400


class ValueForm(Enum):
    """How the bytes of a value are to be read where the quantity decides that."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Meaning:
    """Quantity and unit of a record; value in unit = raw * factor * 10 ** exponent."""

    quantity: str
    unit: str = ""
    exponent: int = 0
    factor: float = 1
    form: ValueForm = ValueForm.NUMBER


def _powers(  # noqa: PLR0917 - rows of a table
    first: int, count: int, quantity: str, unit: str, exponent: int, factor: float = 1
) -> dict[int, Meaning]:
    return {first + step: Meaning(quantity, unit, exponent + step, factor) for step in range(count)}


def _durations(first: int, quantity: str, factors: Iterable[float]) -> dict[int, Meaning]:
    return {first + step: Meaning(quantity, "s", 0, factor) for step, factor in enumerate(factors)}


def _plain(names: dict[int, str]) -> dict[int, Meaning]:
    return {code: Meaning(name) for code, name in names.items()}


_SHORT_DURATIONS: Final = (1, E_MIN, E_HOUR, E_DAY)
_MONTH_S: Final = 2_629_743.83  # mean month; a calendar month has no length in seconds
_YEAR_S: Final = 31_556_926.0

# EN 13757-3, primary VIFs.
PRIMARY: Final[dict[int, Meaning]] = (
    _powers(0x00, 8, "energy", "Wh", -3)
    | _powers(0x08, 8, "energy", "J", 0)
    | _powers(0x10, 8, "volume", "m3", -6)
    | _powers(0x18, 8, "mass", "kg", -3)
    | _durations(0x20, "on_time", _SHORT_DURATIONS)
    | _durations(0x24, "operating_time", _SHORT_DURATIONS)
    | _powers(0x28, 8, "power", "W", -3)
    | _powers(0x30, 8, "power", "J/h", 0)
    | _powers(0x38, 8, "volume_flow", "m3/h", -6)
    | _powers(0x40, 8, "volume_flow", "m3/h", -7, E_MIN)
    | _powers(0x48, 8, "volume_flow", "m3/h", -9, E_HOUR)
    | _powers(0x50, 8, "mass_flow", "kg/h", -3)
    | _powers(0x58, 4, "supply_temperature", "degC", -3)
    | _powers(0x5C, 4, "return_temperature", "degC", -3)
    | _powers(0x60, 4, "temperature_difference", "K", -3)
    | _powers(0x64, 4, "external_temperature", "degC", -3)
    | _powers(0x68, 4, "pressure", "bar", -3)
    | {0x6C: Meaning("date", form=ValueForm.DATE), 0x6D: Meaning("time", form=ValueForm.TIME)}
    | {0x6E: Meaning("heat_cost", "HCA units")}
    | _durations(0x70, "averaging_duration", _SHORT_DURATIONS)
    | _durations(0x74, "actuality_duration", _SHORT_DURATIONS)
    | _plain({0x78: "fabrication_number", 0x79: "identification", 0x7A: "bus_address"})
)

# Table FD: the second extension.
TABLE_FD: Final[dict[int, Meaning]] = (
    _powers(0x00, 4, "credit", "currency", -3)
    | _powers(0x04, 4, "debit", "currency", -3)
    | _plain({
        0x08: "access_number", 0x09: "medium", 0x0A: "manufacturer", 0x0B: "parameter_set", 0x0C: "model_version",
        0x0D: "hardware_version", 0x0E: "firmware_version", 0x0F: "software_version", 0x10: "customer_location",
        0x11: "customer", 0x12: "access_code_user", 0x13: "access_code_operator", 0x14: "access_code_system_operator",
        0x15: "access_code_developer", 0x16: "password", 0x17: "error_flags", 0x18: "error_mask",
        0x1A: "digital_output", 0x1B: "digital_input", 0x1C: "baud_rate", 0x1D: "response_delay", 0x1E: "retry",
        0x20: "first_cyclic_storage", 0x21: "last_cyclic_storage", 0x22: "storage_block_size",
        0x3A: "dimensionless", 0x60: "reset_counter", 0x61: "cumulation_counter", 0x62: "control_signal",
        0x63: "day_of_week", 0x64: "week_number", 0x65: "day_change", 0x66: "parameter_activation",
        0x67: "supplier_information",
    })
    | _durations(0x24, "storage_interval", (*_SHORT_DURATIONS, _MONTH_S, _YEAR_S))
    | _durations(0x2C, "duration_since_readout", _SHORT_DURATIONS)
    | _durations(0x31, "tariff_duration", (E_MIN, E_HOUR, E_DAY))
    | _durations(0x34, "tariff_period", (*_SHORT_DURATIONS, _MONTH_S, _YEAR_S))
    | _powers(0x40, 16, "voltage", "V", -9)
    | _powers(0x50, 16, "current", "A", -12)
    | _durations(0x68, "duration_since_cumulation", (E_HOUR, E_DAY, _MONTH_S, _YEAR_S))
    | _durations(0x6C, "battery_operating_time", (E_HOUR, E_DAY, _MONTH_S, _YEAR_S))
    | {0x70: Meaning("battery_change", form=ValueForm.TIME)}
)  # fmt: skip

# Table FB: the first extension; reactive and apparent rows as in the 2013 and 2018 editions.
TABLE_FB: Final[dict[int, Meaning]] = (
    _powers(0x00, 2, "energy", "Wh", 5)
    | _powers(0x02, 2, "reactive_energy", "varh", 3)
    | _powers(0x08, 2, "energy", "J", 8)
    | _powers(0x10, 2, "volume", "m3", 2)
    | _powers(0x14, 4, "reactive_power", "var", 0)
    | _powers(0x18, 2, "mass", "kg", 5)
    | _powers(0x1A, 2, "relative_humidity", "%", -1)
    | _powers(0x28, 2, "power", "W", 5)
    | _powers(0x2A, 1, "phase_angle_voltage", "deg", -1)
    | _powers(0x2B, 1, "phase_angle_current", "deg", -1)
    | _powers(0x2C, 4, "frequency", "Hz", -3)
    | _powers(0x30, 2, "power", "J/h", 8)
    | _powers(0x34, 4, "apparent_power", "VA", 0)
    | _powers(0x58, 4, "supply_temperature", "degF", -3)
    | _powers(0x5C, 4, "return_temperature", "degF", -3)
    | _powers(0x60, 4, "temperature_difference", "degF difference", -3)
    | _powers(0x64, 4, "external_temperature", "degF", -3)
    | _powers(0x74, 4, "temperature_limit", "degC", -3)
    | _powers(0x78, 8, "cumulative_maximum_power", "W", -3)
)

UNKNOWN: Final = Meaning("unknown")
MANUFACTURER: Final = Meaning("manufacturer_specific")


def meaning_of(vif: int, vifes: bytes, unit_text: str) -> tuple[Meaning, bytes]:
    """Meaning of a value information block and the VIFEs that qualify it, corrections already applied to the scale.

    `unit_text` is the plain text of VIF 7C. Codes that the standard reserves mean "unknown".
    """
    code = vif & 0x7F
    if vif in {0xFB, 0xFD}:
        table = TABLE_FB if vif == 0xFB else TABLE_FD  # noqa: PLR2004 - the code that names the table
        if not vifes:
            return UNKNOWN, b""
        found, rest = table.get(vifes[0] & 0x7F, UNKNOWN), vifes[1:]
    elif code == 0x7C:  # noqa: PLR2004 - plain text
        found, rest = Meaning("text", unit_text), vifes
    elif code == 0x7F:  # noqa: PLR2004 - all that follows is the manufacturer's
        return MANUFACTURER, vifes
    else:
        found, rest = PRIMARY.get(code, UNKNOWN), vifes
    return _corrected(found, rest)


def _corrected(meaning: Meaning, vifes: bytes) -> tuple[Meaning, bytes]:
    """Multiplicative corrections move into the scale; after a manufacturer's VIFE nothing is standard any more."""
    exponent, kept = meaning.exponent, bytearray()
    for at, vife in enumerate(vifes):
        code = vife & 0x7F
        if code == 0x7F:  # noqa: PLR2004 - manufacturer specific from here on
            kept += vifes[at:]
            break
        if 0x70 <= code <= 0x77:  # noqa: PLR2004 - times 10 to the (n - 6)
            exponent += (code & 7) - 6
        elif code == 0x7D:  # noqa: PLR2004 - times 1000
            exponent += 3
        else:
            kept.append(vife)
    return Meaning(meaning.quantity, meaning.unit, exponent, meaning.factor, meaning.form), bytes(kept)
