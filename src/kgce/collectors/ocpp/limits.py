"""Limits: what a charger is told about the current it may draw, as charging profiles (OCPP 1.6 5.16, 2.0.1 K).

stack level 0: the fallback, for ever.  stack level 1: the share, which runs out by itself
The highest level that is valid holds, so a charger nobody speaks to any more falls back when its share runs out.
"""

from datetime import UTC, datetime
from typing import Any, Final

_FALLBACK: Final = (1, 0)  # number and stack level of the profile
_SHARE: Final = (2, 1)
_PURPOSE: Final = "TxDefaultProfile"  # also holds for the transaction under way, unless that has a profile of its own
_NEAREST: Final = 0.1  # A, what both versions can say


def profile_16(amperes: float, now_s: float, *, valid_s: float | None) -> dict[str, Any]:
    """`csChargingProfiles` of a 1.6 SetChargingProfile; `valid_s` None: the fallback."""
    number, level = _FALLBACK if valid_s is None else _SHARE
    schedule: dict[str, Any] = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": _rounded(amperes)}],
    }
    if valid_s is not None:
        schedule |= {"duration": round(valid_s), "startSchedule": _iso(now_s)}
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": _PURPOSE,
        "chargingProfileKind": "Relative" if valid_s is None else "Absolute",
        "chargingSchedule": schedule,
    }


def profile_201(amperes: float, now_s: float, *, valid_s: float | None) -> dict[str, Any]:
    """`chargingProfile` of a 2.0.1 SetChargingProfile, in the library's spelling."""
    number, level = _FALLBACK if valid_s is None else _SHARE
    schedule: dict[str, Any] = {
        "id": number,
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": _rounded(amperes)}],
    }
    if valid_s is not None:
        schedule |= {"duration": round(valid_s), "start_schedule": _iso(now_s)}
    return {
        "id": number,
        "stack_level": level,
        "charging_profile_purpose": _PURPOSE,
        "charging_profile_kind": "Relative" if valid_s is None else "Absolute",
        "charging_schedule": [schedule],
    }


def _rounded(amperes: float) -> float:
    """Down: a limit is never exceeded by its own rounding."""
    return int(amperes / _NEAREST + 1e-9) / 10  # what lies a hair below a tenth is that tenth


def _iso(now_s: float) -> str:
    return datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
