"""What was declared about a meter: it was replaced, or it shows another unit since then."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kgce.domain.errors import InputError


class ChangeKind(StrEnum):
    """What happened to the meter behind a point."""

    REPLACED = "replaced"  # another meter hangs there since then
    UNIT = "unit"  # the same register counts in another unit since then
    RESET_CONFIRMED = "reset_confirmed"  # somebody looked: the register really fell; what was lost stays unknown


_NEEDS_LEVELS: Final = {ChangeKind.REPLACED}


@dataclass(frozen=True, slots=True, order=True)
class MeterChange:
    """One declared change of the meter behind a point, at one instant.

    old_last, new_first: what the old meter showed last and the new one first, in the point's unit (REPLACED);
    factor: canonical units per shown unit from then on (UNIT); by and note: who said so, and why.

    Raises:
        InputError: a replacement without both levels, or a factor that is not positive.
    """

    institution: str
    device: str
    quantity: str
    at_ms: int  # UTC; the new meter counts from here on
    kind: ChangeKind = ChangeKind.REPLACED
    old_last: float | None = None
    new_first: float | None = None
    factor: float = 1.0
    note: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        levels = (self.old_last, self.new_first)
        if self.kind in _NEEDS_LEVELS and any(level is None or not 0 <= level < float("inf") for level in levels):
            raise InputError("a replacement needs what the old meter showed last and the new one first, both from 0 up")
        if not 0 < self.factor < float("inf"):
            raise InputError(f"a unit's factor must be positive, is {self.factor:g}")

    @property
    def key(self) -> tuple[str, str, str]:
        """The series it belongs to."""
        return (self.institution, self.device, self.quantity)
