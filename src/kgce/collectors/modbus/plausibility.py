"""Word-order slips found by plausibility: which orders give values a device can have, and whether the profile's does.

A voltage of 1e-23 V or 15 MV is a value with its words the wrong way round. Ranges are wide on purpose: they tell
nonsense from a strange day, nothing finer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kgce.collectors.decode_text import is_covered, registers_of, wire_of
from kgce.collectors.modbus.decode import Value, decoder
from kgce.collectors.profile import Profile
from kgce.collectors.profile_point import ProfilePoint
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.units import UNITS, conversion

ORDERS: Final = {"big": "ABCD", "little": "CDAB", "swapped": "BADC", "little swapped": "DCBA"}
_TINY: Final = 1e-9  # no meter resolves less in a canonical unit; floats read the wrong way round are often smaller
# quantity: (lowest, highest) in canonical units; voltage as in devices.md 1.7, between phases up to medium voltage
_BY_QUANTITY: Final = {
    "voltage": (80.0, 300.0), "frequency": (45.0, 65.0), "power_factor": (-1.0, 1.0), "humidity": (0.0, 100.0),
    "flue_gas_o2": (0.0, 25.0), "firing_rate": (0.0, 110.0), "valve_position": (0.0, 100.0),
    "irradiance": (-10.0, 1600.0), "flame_voltage": (0.0, 50.0), "phase_angle": (-360.0, 360.0),
}  # fmt: skip
_BY_DIMENSION: Final = {
    "voltage": (0.0, 40_000.0), "current": (-20_000.0, 20_000.0), "power": (-50_000.0, 50_000.0),
    "reactive_power": (-50_000.0, 50_000.0), "apparent_power": (0.0, 50_000.0), "energy": (-1e10, 1e10),
    "reactive_energy": (-1e10, 1e10), "apparent_energy": (-1e10, 1e10), "volume": (-1e9, 1e9),
    "volume_flow": (-1e5, 1e5),
    "temperature": (-60.0, 600.0), "temperature_difference": (-300.0, 300.0), "pressure": (-200.0, 20_000.0),
    "ratio": (-400.0, 400.0), "duration": (0.0, 1e6), "rotation": (0.0, 30_000.0), "velocity": (-100.0, 100.0),
    "mass": (0.0, 1e10),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """A value as one order gives it, in the unit of its quantity."""

    order: str  # ABCD, CDAB, BADC or DCBA
    value: Value
    unit: str
    is_plausible: bool


@dataclass(frozen=True, slots=True)
class Slip:
    """The profile's order gives nonsense where another one does not."""

    configured: str
    better: tuple[str, ...]
    nonsense: tuple[str, ...]  # the points that show it

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"order {self.configured} gives impossible values for {', '.join(self.nonsense[:4])}; "
            f"{' or '.join(self.better)} does not"
        )


def bounds(field: str) -> tuple[float, float] | None:
    """(lowest, highest) a device can have, in the quantity's unit; None where any number may be right."""
    quantity = quantity_of(field)
    if quantity.name == "voltage" and any(pair in field for pair in ("l1_l2", "l2_l3", "l3_l1", "ll")):
        return 80.0, 40_000.0
    return _BY_QUANTITY.get(quantity.name, _BY_DIMENSION.get(UNITS[quantity.unit].dimension))


def is_plausible(field: str, value: float) -> bool:
    """Whether a device can have this value, in the quantity's unit."""
    limits = bounds(field)
    if limits is None:
        return True
    counts = quantity_of(field).kind is Kind.COUNTER
    return (value == 0.0 or abs(value) >= _TINY) and (0.0 if counts else limits[0]) <= value <= limits[1]


def guesses(wire: bytes, type_name: str, field: str, *, scale: float = 1.0, unit: str | None = None) -> list[Guess]:
    """The value in every order that makes a difference; of a field such as voltage or active_power_l1.

    Raises:
        InputError: no known quantity, or a unit that does not measure it.
        ProfileError: unknown type.
    """
    quantity = quantity_of(field)
    to_scale, to_offset = conversion(quantity.unit if unit is None else unit, quantity.unit)
    found: dict[tuple[int, ...], Guess] = {}
    for order, letters in ORDERS.items():
        decode = decoder(type_name, order, scale=scale, length=len(wire))
        raw = decode(wire)
        if isinstance(raw, int | float):
            value = raw * to_scale + to_offset
            found.setdefault(decode.positions, Guess(letters, value, quantity.unit, is_plausible(field, value)))
        else:
            found.setdefault(decode.positions, Guess(letters, raw, quantity.unit, is_plausible=False))
    return list(found.values())


def word_order_slip(
    profile: Profile,
    registers: Mapping[int, int],
    table: str | None = None,
    *,
    earlier: Mapping[int, int] | None = None,
) -> Slip | None:
    """Whether the profile's order gives nonsense that another order turns into sense; None where all is well.

    With `earlier` registers of the same device a counter must not have fallen either.
    """
    judged = list(_judged(profile, registers, table, earlier))
    nonsense = [name for name, verdicts in judged if not verdicts["ABCD"]]
    if not nonsense:
        return None
    count = {letters: sum(verdicts[letters] for _, verdicts in judged) for letters in ORDERS.values()}
    best = max(count.values())
    if best <= count["ABCD"]:
        return None
    better = tuple(letters for letters, plausible in count.items() if plausible == best)
    base = profile.device.word_order, profile.device.byte_order
    return Slip(_letters(*base), tuple(_combined(letters, *base) for letters in better), tuple(nonsense))


def implausible(profile: Profile, registers: Mapping[int, int], table: str | None = None) -> list[tuple[str, float]]:
    """(name, canonical value) of the points no device can have as they are: order, scale or unit may be wrong."""
    found = []
    for point in _numeric(profile, registers, table):
        value = _value(profile, point, registers, "big")
        if value is not None and not is_plausible(point.name, value):
            found.append((point.name, value))
    return found


def _judged(
    profile: Profile, registers: Mapping[int, int], table: str | None, earlier: Mapping[int, int] | None
) -> Iterator[tuple[str, dict[str, bool]]]:
    """(point, {change of order: plausible}); what looks the same in every order, or is not there, says nothing."""
    for point in _numeric(profile, registers, table):
        if len(set(wire_of(registers_of(profile, point, registers)))) == 1:
            continue
        if point.register_.words == 1 or _value(profile, point, registers, "big") is None:
            continue
        yield (
            point.name,
            {letters: _makes_sense(profile, point, registers, change, earlier) for change, letters in ORDERS.items()},
        )


def _makes_sense(
    profile: Profile, point: ProfilePoint, registers: Mapping[int, int], change: str, earlier: Mapping[int, int] | None
) -> bool:
    value = _value(profile, point, registers, change)
    if value is None or not is_plausible(point.name, value):
        return False
    if earlier is None or point.kind is not Kind.COUNTER or not is_covered(profile, point, earlier):
        return True
    before = _value(profile, point, earlier, change)
    return before is None or value >= before


def _numeric(profile: Profile, registers: Mapping[int, int], table: str | None) -> Iterator[ProfilePoint]:
    for point in profile.point:
        is_number = not point.register_.is_text and not point.is_derived and point.kind is not Kind.STATE
        if is_number and table in {None, point.register_.table} and is_covered(profile, point, registers):
            yield point


def _value(profile: Profile, point: ProfilePoint, registers: Mapping[int, int], change: str) -> float | None:
    """The canonical value once the words on the wire are changed from the profile's order by `change`."""
    words = registers_of(profile, point, registers)
    if change in {"little", "little swapped"}:
        words = words[::-1]
    wire = wire_of(words)
    if change in {"swapped", "little swapped"}:
        wire = bytes(byte for at in range(0, len(wire), 2) for byte in (wire[at + 1], wire[at]))
    raw = profile.decoder(point)(wire)
    if raw is None or isinstance(raw, str):
        return None
    scale, offset = conversion(point.unit, quantity_of(point.name).unit)
    return raw * scale + offset


def _letters(word_order: str, byte_order: str) -> str:
    order = {"big": {"big": "ABCD", "little": "BADC"}, "little": {"big": "CDAB", "little": "DCBA"}}
    return order[word_order][byte_order]


def _combined(change: str, word_order: str, byte_order: str) -> str:
    """The order a change makes of the profile's."""
    words = (change in {"CDAB", "DCBA"}) is not (word_order == "little")
    bytes_ = (change in {"BADC", "DCBA"}) is not (byte_order == "little")
    return _letters("little" if words else "big", "little" if bytes_ else "big")
