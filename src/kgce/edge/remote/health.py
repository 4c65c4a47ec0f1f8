"""Health: what a new configuration must not make worse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Device = tuple[str, str]  # institution, device


@dataclass(frozen=True, slots=True)
class Health:
    """Which devices answer, and whether the uplink does."""

    devices: Mapping[Device, bool] = field(default_factory=dict)  # False: asked, and silent
    uplink: str = "idle"  # idle, up, down


def health_of(status: Mapping[str, Any]) -> Health:
    """From the gateway's status; a device nobody has asked yet says nothing."""
    devices = {
        (one["institution"], one["device"]): bool(one["online"])
        for one in status.get("devices", ())
        if one["online"] or one["polls"] or one["failures"] or one["last_error"]
    }
    return Health(devices, str(status.get("uplink", {}).get("state", "idle")))


def worse(before: Health, now: Health) -> str:
    """What was well and is not, in words; empty when nothing. A device that was taken out is no loss."""
    silent = sorted(
        "/".join(device) for device, answers in now.devices.items() if not answers and before.devices.get(device)
    )
    if silent:
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        return f"{silent[0]}{more} answered before and is silent now"
    if before.uplink == "up" and now.uplink == "down":
        return "the uplink was up before and is down now"
    return ""
