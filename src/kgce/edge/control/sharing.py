"""Sharing: who of the chargers may draw how much, so that the site's limit holds whatever else happens.

room = limit - building - what chargers that do not answer may be drawing
Everybody with a car gets the same, up to its own maximum; where there is not enough for all, those who waited longest
charge and the others pause: 6 A is the least a car takes (IEC 61851-1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kgce.edge.control.config import MINIMUM_A


@dataclass(frozen=True, slots=True)
class Charger:
    """One charger as it is now."""

    name: str
    max_a: float
    fallback_a: float
    granted_a: float  # what it was told last
    has_car: bool
    is_reachable: bool
    served_last_s: float = 0.0  # when it last had a share: who waits longest comes first


def shares(limit_a: float, building_a: float, chargers: Sequence[Charger]) -> dict[str, float]:
    """Amperes per phase for every charger that can be told; 0 pauses."""
    reserved = sum(max(one.granted_a, one.fallback_a) for one in chargers if not one.is_reachable)
    room = max(0.0, limit_a - building_a - reserved)
    waiting = sorted(
        (one for one in chargers if one.is_reachable and one.has_car), key=lambda one: (one.served_last_s, one.name)
    )
    served = waiting[: int(room // MINIMUM_A)]
    found = {one.name: 0.0 for one in chargers if one.is_reachable}
    open_ends = sorted(served, key=lambda one: one.max_a)
    for at, one in enumerate(open_ends):  # whoever takes less than its share leaves the rest to the others
        share = min(one.max_a, room / (len(open_ends) - at))
        found[one.name] = share
        room -= share
    return found


def safe_shares(chargers: Sequence[Charger]) -> dict[str, float]:
    """When nobody knows what the building draws: what everybody may have while nobody looks."""
    return {one.name: one.fallback_a for one in chargers if one.is_reachable}
