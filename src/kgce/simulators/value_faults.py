"""Faults of what a device measures or remembers: the frames are in order, the values in them are not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of
from kgce.simulators.devices.device import SimulatedDevice
from kgce.simulators.devices.registers import RegisterMap

_BITS_32: Final = float(2**32)
DISPLAY: Final = 1_000_000.0  # what follows 999 999.99


class ValueFault(Protocol):
    """What becomes of the planted values before the device encodes them."""

    def change(self, values: dict[str, float], device: SimulatedDevice, /) -> dict[str, float]:
        """The values it shows instead."""
        ...


@dataclass(frozen=True, slots=True)
class SwappedWords:
    """The words of every value in the opposite order, as after a firmware update or a wrong setting."""

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """The values are right; the register map is what changes."""
        return values


@dataclass(slots=True)
class CounterDip:
    """Counters read 0 for some reads (one unless said), then they are back."""

    reads: int = 1

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """Zeros while reads are left; a request that takes no counter out of them is none."""
        return _Dipped(values, self) if self.reads > 0 else values


class _Dipped(dict[str, float]):
    """Values whose counters are 0; the first one taken out is what counts as a read."""

    def __init__(self, values: dict[str, float], fault: CounterDip) -> None:
        self._zeros = frozenset(counters_of(values))
        super().__init__(values | dict.fromkeys(self._zeros, 0.0))
        self._fault: CounterDip | None = fault

    def __getitem__(self, name: str, /) -> float:
        if name in self._zeros and self._fault is not None:
            self._fault.reads -= 1
            self._fault = None
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None, /) -> Any:
        """As `[]`, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


@dataclass(slots=True)
class CounterReset:
    """Counters begin again at 0, as after an exchange or a lost memory."""

    _began: dict[str, float] = field(default_factory=dict, init=False)

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """What came since the first read."""
        counters = {name: values[name] for name in counters_of(values)}
        self._began = counters | self._began
        return values | {name: value - self._began[name] for name, value in counters.items()}


@dataclass(slots=True)
class RollOver:
    """Counters wrap at a modulus; the first read stands `left` below it.

    The modulus is in canonical units (1 000 000 is what follows 999 999.99); None is 2^32 of the counter's own
    register steps.
    """

    modulus: float | None = DISPLAY
    left: float = 1.0
    _began: dict[str, float] = field(default_factory=dict, init=False)

    def change(self, values: dict[str, float], device: SimulatedDevice, /) -> dict[str, float]:
        """The wrapped counters."""
        counters = {name: values[name] for name in counters_of(values)}
        self._began = counters | self._began
        shown = {}
        for name, value in counters.items():
            modulus = self.modulus if self.modulus is not None else _BITS_32 * _step(device, name)
            shown[name] = (value - self._began[name] + modulus - self.left) % modulus
        return values | shown


@dataclass(frozen=True, slots=True)
class Sentinel:
    """The device measures nothing, here or at all, and says so in its own way (all ones, NaN)."""

    quantities: Sequence[str] = ()

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """NaN, which encoders turn into what the device sends."""
        return values | dict.fromkeys(self.quantities or values, math.nan)


@dataclass(slots=True)
class Stale:
    """Every read shows what the first one showed: a frozen gateway cache."""

    _first: dict[str, float] | None = field(default=None, init=False)

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """The first values."""
        if self._first is None:
            self._first = dict(values)
        return dict(self._first)


@dataclass(frozen=True, slots=True)
class ClockOff:
    """The device's own clock is wrong; what it measures is right."""

    seconds: float

    def change(self, values: dict[str, float], _device: SimulatedDevice, /) -> dict[str, float]:
        """The values are right; the device's clock is what changes."""
        return values


class FaultyDevice:
    """A device with room for one value fault."""

    def __init__(self, device: SimulatedDevice) -> None:
        self.honest = device
        self.fault: ValueFault | None = None

    def values(self, time_ms: int) -> dict[str, float]:
        """What it shows."""
        values = self.honest.values(time_ms)
        return values if self.fault is None else self.fault.change(values, self.honest)

    def clock_ms(self, time_ms: int) -> int:
        """What its own clock shows."""
        return time_ms + int(self.fault.seconds * 1000) if isinstance(self.fault, ClockOff) else time_ms

    @property
    def register_map(self) -> RegisterMap:
        """Where its quantities live.

        Raises:
            AttributeError: it has no registers.
        """
        found: RegisterMap = self.honest.register_map  # type: ignore[attr-defined]  # only Modbus devices are asked
        if not isinstance(self.fault, SwappedWords):
            return found
        return found.with_habits(replace(found.habits, swapped_words=True))


def counters_of(values: dict[str, float]) -> list[str]:
    """Names of what only grows."""
    return [name for name in values if _is_counter(name)]


def _is_counter(name: str) -> bool:
    if name.endswith(("_whole", "_fraction")):  # parts of one counter in two registers
        return True
    try:
        return quantity_of(name).kind is Kind.COUNTER
    except InputError:  # a truth without a quantity, such as a device setting
        return False


def _step(device: SimulatedDevice, name: str) -> float:
    register_map = getattr(device, "register_map", None)
    found = [one for one in getattr(register_map, "registers", ()) if one.name == name and one.word_type.is_whole]
    return 1 / found[0].per_canonical if found else 1.0
