"""What a scan found at one address."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """A profile that may be the device's: 1 is certain, by its identification; below, by what its values look like."""

    profile: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who answered."""

    protocol: str
    line: str
    address: str  # unit, meter address or bus address
    identification: str = ""
    guesses: tuple[Guess, ...] = ()  # best first; none = no idea
    sample: str = ""  # a few values, by the best guess
    note: str = ""
