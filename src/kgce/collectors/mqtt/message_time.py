"""The time a message states, as UTC milliseconds; never guessed."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from kgce.collectors.mqtt.json_number import Refused, find, number
from kgce.collectors.mqtt.subscription import TimeRule

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS_PER: Final = {"unix_s": 1000, "unix_ms": 1}
_PLAUSIBLE_MS: Final = (315_532_800_000, 4_102_444_800_000)  # 1980 to 2100; outside, s and ms are mixed up


def message_time_ms(document: Any, rule: TimeRule) -> int:
    """The instant the message states.

    Raises:
        Refused: it states none, or one whose meaning is open.
    """
    try:
        return stated_ms(find(document, rule.steps), rule.format, rule.tz)
    except Refused as refusal:
        raise Refused(f"time {refusal}") from None


def stated_ms(found: Any, form: str, tz: str | None) -> int:
    """The instant a value states, written in this form.

    Raises:
        Refused: it states none, or one whose meaning is open.
    """
    if form == "iso_or_unix_ms":
        form = "iso" if isinstance(found, str) and not found.isdecimal() else "unix_ms"
    time_ms = _iso_ms(found, tz) if form == "iso" else number(found, ()) * _MS_PER[form]
    if not _PLAUSIBLE_MS[0] <= time_ms < _PLAUSIBLE_MS[1]:
        raise Refused("implausible")
    return round(time_ms)


def _iso_ms(text: Any, tz: str | None) -> int:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused("not ISO 8601") from None
    if at.tzinfo is None:
        at = _local(at, tz)
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _local(naive: datetime, tz: str | None) -> datetime:
    """The two folds differ exactly where the clock jumps (PEP 495)."""
    if tz is None:
        raise Refused("without offset")
    first, second = (naive.replace(tzinfo=ZoneInfo(tz), fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise Refused("unclear where the clock is changed")
    return first
