"""Role: what a person knows about a metering point that its readings do not say."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kgce.domain.errors import InputError

ITEMS: Final = {
    "A": ("lighting and sockets", "照明插座"),
    "B": ("air conditioning", "空调"),
    "C": ("power", "动力"),
    "D": ("special", "特殊"),
}  # DB37/T 5197-2021, energy_domain.md section 5.1; longer codes refine these: B1, B1A


class Use(StrEnum):
    """Whose consumption it is and what the rules do with it. Source: energy_domain.md section 3.1 (S-2671)."""

    OWN = "own"
    HEATING = "heating"  # judged by heated area, apart from the rest (section 6.2)
    SPECIAL = "special"  # laboratories, kitchens, laundries: in comprehensive energy, in no other (section 3.4)
    DATA_CENTRE = "data_centre"  # a special system; the whole room, for its EUE (section 6.6)
    IT = "it"  # the computers of a data centre alone; a part of DATA_CENTRE, for its EUE
    EV_OWN = "ev_own"  # charging of the unit's own cars: comprehensive energy, transport (section 3.3)
    EV_OTHER = "ev_other"  # charging of others' cars: not the unit's (section 3.3)
    TENANT = "tenant"  # separately accounted hotels, shops, housing: not the unit's (section 5.1.3)
    CONSTRUCTION = "construction"  # building sites: not the unit's (section 3.3)
    PV = "pv"  # generation on site: not counted as consumption (section 5.1.4)


TAKEN_OUT: Final = frozenset({Use.EV_OTHER, Use.TENANT, Use.CONSTRUCTION})  # not the unit's own consumption
SPECIAL_SYSTEMS: Final = frozenset({Use.SPECIAL, Use.DATA_CENTRE})


@dataclass(frozen=True, slots=True)
class Role:
    """What is known about a point besides its readings; the default knows nothing.

    item: end-use code (分类分项), A to D or finer; parent: `device.quantity` of the meter it hangs behind;
    width: value at which its register starts again at 0; most_per_hour: more than its supply can deliver; both in the
    point's unit; since_ms, until_ms: [start, end) of its service, UTC; counts: whether it counts in the carrier's
    total, None = as registered.

    Raises:
        InputError: an item outside A to D, a bound that is not positive, or an end before the start.
    """

    item: str = ""
    use: Use = Use.OWN
    parent: str = ""
    width: float | None = None
    most_per_hour: float | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    counts: bool | None = None

    def __post_init__(self) -> None:
        if self.item and self.item[0] not in ITEMS:
            raise InputError(f"unknown item {self.item!r}: it begins with one of {', '.join(ITEMS)}")
        for name, bound in (("width", self.width), ("most_per_hour", self.most_per_hour)):
            if bound is not None and not 0 < bound < float("inf"):
                raise InputError(f"{name} must be positive, is {bound:g}")
        if self.since_ms is not None and self.until_ms is not None and self.until_ms <= self.since_ms:
            raise InputError("a point's service must end after it began")


UNKNOWN_ROLE: Final = Role()
