"""A gateway's status, as JSON-able mapping, to what health and console show of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCOUNTED: Final = ("stored", "duplicate", "refused", "dropped", "waiting")


@dataclass(frozen=True, slots=True)
class GatewayView:
    """Counters, whether they balance, the way to the store, and who is silent."""

    counters: dict[str, int]
    equation_holds: bool
    uplink: dict[str, Any] | None
    devices: int
    devices_offline: tuple[str, ...]  # `institution/device`

    @property
    def is_well(self) -> bool:
        """Every row is accounted for and the store takes them."""
        return self.equation_holds and (self.uplink is None or self.uplink.get("state") != "down")


def gateway_view(status: Mapping[str, Any]) -> GatewayView:
    """What is shown of `Gateway.status()`; the balance is taken anew from the counters."""
    counters = {name: int(status.get("counters", {}).get(name, 0)) for name in ("polled", *ACCOUNTED)}
    devices = status.get("devices", ())
    offline = (f"{one['institution']}/{one['device']}" for one in devices if not one["online"])
    uplink = status.get("uplink")
    return GatewayView(
        counters,
        counters["polled"] == sum(counters[name] for name in ACCOUNTED),
        None if uplink is None else dict(uplink),
        len(devices),
        tuple(sorted(offline)),
    )
