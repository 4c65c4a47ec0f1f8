"""What a device's supply can carry: a site that names it gets far sharper bounds than physics alone gives.

rated_kw: a meter behind a 63 A three-phase fuse cannot show 100 kW, nor count 100 kWh within an hour; likewise heat.
max_flow_m3h: the overload flow of a water or gas meter, in its value and in what its counter can gain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kgce.domain.quantities import Kind, Quantity
from kgce.edge.checks.limits import Limit

MARGIN: Final = 1.2  # fuses and drives carry more than their rating for a while
_POWERS: Final = frozenset({"kW", "kvar", "kVA"})
_ENERGIES: Final = frozenset({"kWh", "kvarh", "kVAh"})
_NO_FLOW: Final = frozenset({"power_rating"})  # says what could flow, not what does


@dataclass(frozen=True, slots=True)
class Rated:
    """By device."""

    kw: Mapping[str, float] = field(default_factory=dict)
    max_flow_m3h: Mapping[str, float] = field(default_factory=dict)

    def limit(self, device: str, quantity: Quantity, otherwise: Limit) -> Limit:
        """The bound of a gauge."""
        carried = self._carried(device, quantity, _POWERS, "m3/h")
        if carried is None or quantity.kind is not Kind.GAUGE or quantity.name in _NO_FLOW:
            return otherwise
        return Limit(max(-carried, otherwise.low), min(carried, otherwise.high))

    def per_hour(self, device: str, quantity: Quantity, otherwise: float) -> float:
        """How much a counter can gain in an hour, in its unit."""
        carried = self._carried(device, quantity, _ENERGIES, "m3")
        return otherwise if carried is None else min(carried, otherwise)

    def _carried(self, device: str, quantity: Quantity, electric: frozenset[str], volume: str) -> float | None:
        if quantity.unit in electric and device in self.kw:
            return MARGIN * self.kw[device]
        if quantity.unit == volume and device in self.max_flow_m3h:
            return MARGIN * self.max_flow_m3h[device]
        return None
