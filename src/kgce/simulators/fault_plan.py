"""PlannedFault: which device has which fault when, from a word such as `main-meter:slow:2.5` or a site file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kgce.domain.errors import ConfigError
from kgce.simulators.faults import (
    Busy,
    Echo,
    Fault,
    Garbage,
    GatewaySilent,
    LateReply,
    Refusing,
    Silent,
    Slow,
    TornFrame,
    WrongUnit,
)
from kgce.simulators.value_faults import (
    ClockOff,
    CounterDip,
    CounterReset,
    RollOver,
    Sentinel,
    Stale,
    SwappedWords,
    ValueFault,
)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Every connection of the device's line is dropped, once."""


AnyFault = Fault | ValueFault | Reconnect


def _roll_over(modulus: str = "display", left: str = "1") -> RollOver:
    """`display` wraps after 999 999.99, `2^32` with the register, a number at that number."""
    named: dict[str, float | None] = {"display": RollOver().modulus, "2^32": None}
    return RollOver(named[modulus] if modulus in named else float(modulus), float(left))


# kind: (how it is made from its arguments, what they mean)
KINDS: Final[dict[str, tuple[Callable[..., AnyFault], str]]] = {
    "silent": (Silent, ""),
    "busy": (Busy, ""),
    "exception": (lambda code: Refusing(int(code)), "code"),
    "gateway-silent": (GatewaySilent, ""),
    "slow": (lambda delay_s: Slow(float(delay_s)), "seconds"),
    "wrong-unit": (lambda unit: WrongUnit(int(unit)), "unit"),
    "torn": (lambda kept="0.5": TornFrame(float(kept)), "[kept part]"),
    "late": (LateReply, ""),
    "echo": (Echo, ""),
    "garbage": (lambda bit=None: Garbage(flipped_bit=None if bit is None else int(bit)), "[flipped bit]"),
    "swapped-words": (SwappedWords, ""),
    "dip": (lambda reads="1": CounterDip(int(reads)), "[reads]"),
    "reset": (CounterReset, ""),
    "roll-over": (_roll_over, "[display|2^32|number[:left]]"),
    "sentinel": (lambda *names: Sentinel(names), "[quantity...]"),
    "clock-off": (lambda seconds: ClockOff(float(seconds)), "seconds"),
    "stale": (Stale, ""),
    "reconnect": (Reconnect, ""),
}


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault of one device (`device` or `institution/device`); times count from the start of the site."""

    device: str
    kind: str
    arguments: tuple[str, ...] = ()
    start_s: float = 0.0
    every_s: float | None = None  # None = once
    for_s: float | None = None  # None = until the next one or for ever

    def make(self) -> AnyFault:
        """A fresh fault.

        Raises:
            ConfigError: no such kind, or not its arguments.
        """
        if self.kind not in KINDS:
            raise ConfigError(f"no fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        build, meaning = KINDS[self.kind]
        try:
            return build(*self.arguments)
        except (TypeError, ValueError):
            asked = f"{self.kind}:{meaning}" if meaning else f"{self.kind} (no arguments)"
            raise ConfigError(f"fault {self.kind} does not understand {self.arguments}; write {asked}") from None

    def concerns(self, institution: str, device: str) -> bool:
        """Whether this device is meant."""
        return self.device in {device, f"{institution}/{device}"}


def parse_fault(text: str) -> PlannedFault:
    """`device:kind[:argument...]`, such as `main-meter:slow:2.5` or `school/main-meter:roll-over:2^32:0.5`.

    Raises:
        ConfigError: not written so, no such kind, or not its arguments.
    """
    device, kind, *arguments = text.split(":") if text.count(":") else ("", "")
    if not device or not kind:
        raise ConfigError(f"{text!r} is not a fault; write device:kind[:argument], such as main-meter:slow:2.5")
    planned = PlannedFault(device, kind, tuple(arguments))
    planned.make()
    return planned
