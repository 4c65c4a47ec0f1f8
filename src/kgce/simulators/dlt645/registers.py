"""Which identifiers a simulated meter has, and from which planted quantity each is written.

Source: shared/facts/devices.md, section 3.1; formats of 1997 currents and reactive power are unverified.
"""

from dataclasses import dataclass
from typing import Final

_PHASES: Final = ("l1", "l2", "l3")


@dataclass(frozen=True, slots=True)
class Register:
    """One identifier, high first: a quantity in its canonical unit, which is also the one on the line."""

    quantity: str
    size: int
    decimals: int
    signed: bool = False


def _phases(stem: str, tail: str, first: int, size: int, decimals: int, *, signed: bool) -> dict[str, Register]:
    return {
        f"{stem}{first + row:02X}{tail}": Register(name, size, decimals, signed)
        for row, name in enumerate(_names(stem))
    }


def _names(stem: str) -> list[str]:
    if stem == "0201":
        return [f"voltage_{phase}_n" for phase in _PHASES]
    if stem == "0202":
        return [f"current_{phase}" for phase in _PHASES]
    quantity = {"0203": "active_power", "0204": "reactive_power", "0206": "power_factor"}[stem]
    return [f"{quantity}_{place}" for place in ("total", *_PHASES)]


REGISTERS_2007: Final[dict[str, Register]] = {
    "00000000": Register("active_energy_total", 4, 2, signed=True),
    "00010000": Register("active_energy_import", 4, 2),
    "00020000": Register("active_energy_export", 4, 2),
    "00030000": Register("reactive_energy_total_combined_1", 4, 2, signed=True),
    "00040000": Register("reactive_energy_total_combined_2", 4, 2, signed=True),
    **{f"0001{tariff:02X}00": Register(f"active_energy_import_tariff_{tariff}", 4, 2) for tariff in range(1, 5)},
    **_phases("0201", "00", 1, 2, 1, signed=False),
    **_phases("0202", "00", 1, 3, 3, signed=True),
    **_phases("0203", "00", 0, 3, 4, signed=True),
    **_phases("0204", "00", 0, 3, 4, signed=True),
    **_phases("0206", "00", 0, 2, 3, signed=True),
    "02800002": Register("frequency", 2, 2),
}
BLOCKS_2007: Final[dict[str, tuple[str, ...]]] = {
    "0201FF00": tuple(f"0201{row:02X}00" for row in (1, 2, 3)),
    "0202FF00": tuple(f"0202{row:02X}00" for row in (1, 2, 3)),
    "0203FF00": tuple(f"0203{row:02X}00" for row in range(4)),
    "0204FF00": tuple(f"0204{row:02X}00" for row in range(4)),
    "0206FF00": tuple(f"0206{row:02X}00" for row in range(4)),
    "0001FF00": tuple(f"0001{row:02X}00" for row in range(5)),
}
REGISTERS_1997: Final[dict[str, Register]] = {
    "9010": Register("active_energy_import", 4, 2),
    "9020": Register("active_energy_export", 4, 2),
    **{f"B61{row}": Register(f"voltage_l{row}_n", 2, 0) for row in (1, 2, 3)},
    **{f"B62{row}": Register(f"current_l{row}", 2, 2) for row in (1, 2, 3)},
    "B630": Register("active_power_total", 3, 4),
}
