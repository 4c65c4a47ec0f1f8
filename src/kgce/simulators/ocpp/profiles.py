"""ChargingProfiles: what a simulated charger was told about its current, and what holds of it now."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import call_result as result16
from ocpp.v201 import call_result as result201


class ChargingProfiles:
    """Profiles by stack level; the highest that is valid holds (OCPP 1.6, 3.13.3)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_level: dict[int, tuple[float, float, float]] = {}  # level -> amperes, from, until

    def take(self, level: int, schedule: dict[str, Any], period: dict[str, Any]) -> None:
        """A profile replaces the one of its level."""
        start = schedule.get("start_schedule")
        from_s = datetime.fromisoformat(start).astimezone(UTC).timestamp() if start else float("-inf")
        until_s = from_s + schedule["duration"] if "duration" in schedule else float("inf")
        self._by_level[level] = (float(period["limit"]), from_s, until_s)

    def limit_a(self) -> float | None:
        """What may be drawn now; None while nobody said anything."""
        now_s = self._clock()
        valid = [(level, amperes) for level, (amperes, begin, end) in self._by_level.items() if begin <= now_s < end]
        return max(valid)[1] if valid else None


class Takes16:
    """Mixed into the 1.6 client."""

    charger: Any

    @on("SetChargingProfile")
    def on_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any], **_: Any) -> Any:
        """Take a profile."""
        del connector_id  # it has one
        schedule = cs_charging_profiles["charging_schedule"]
        self.charger.profiles.take(
            cs_charging_profiles["stack_level"], schedule, schedule["charging_schedule_period"][0]
        )
        return result16.SetChargingProfile("Accepted")


class Takes201:
    """Mixed into the 2.0.1 client."""

    charger: Any

    @on("SetChargingProfile")
    def on_profile(self, evse_id: int, charging_profile: dict[str, Any], **_: Any) -> Any:
        """Take a profile."""
        del evse_id  # it has one
        schedule = charging_profile["charging_schedule"][0]
        self.charger.profiles.take(charging_profile["stack_level"], schedule, schedule["charging_schedule_period"][0])
        return result201.SetChargingProfile("Accepted")
