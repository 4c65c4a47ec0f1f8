"""How fast a counter can rise at most: wide on purpose, a site narrows it to what its supply can carry.

A register that is one off its marker for "not available" reads as a counter of 42 949 672.94 kWh; no supply delivers
that between two polls. Amounts per hour in the quantity's canonical unit.
"""

from collections.abc import Mapping
from typing import Final

from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind, quantity_of

# 1 GW is ten times the largest campus; the others are the same order in their unit. Hours of operation grow by one
# each hour; meters round them up.
RATES: Final[Mapping[str, float]] = {"kWh": 1e6, "kvarh": 1e6, "m3": 1e6, "kg": 1e6, "h": 2.0}
UNLIMITED: Final = float("inf")


def max_per_hour(device: str, field: str, overrides: Mapping[str, float]) -> float:
    """The bound of one counter; an override names `device.field`, the field or its quantity."""
    try:
        quantity = quantity_of(field)
    except InputError:
        return UNLIMITED
    if quantity.kind is not Kind.COUNTER:
        return UNLIMITED
    for name in (f"{device}.{field}", field, quantity.name):
        if name in overrides:
            return overrides[name]
    return RATES.get(quantity.unit, UNLIMITED)
