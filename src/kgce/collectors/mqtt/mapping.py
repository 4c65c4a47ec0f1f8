"""Payload to readings, by the subscription's rules: pure, and never raising for what a device sent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from kgce.collectors.mqtt.config import SubscriptionConfig, TimeRule
from kgce.collectors.mqtt.paths import MISSING, lookup
from kgce.domain.batch import Batch
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import conversion

_UNIX_MS: Final = {"unix_s": 1000.0, "unix_ms": 1.0}


@dataclass(frozen=True, slots=True)
class Mapped:
    """Readings of one message, and why anything in it was not one."""

    batch: Batch
    refusals: Sequence[str] = ()


def map_message(subscription: SubscriptionConfig, payload: bytes, *, retained: bool, arrived_ms: int) -> Mapped:
    """Readings of one message.

    A retained message without its own time is no sample: nobody knows when it was taken (devices.md hazard 38).
    An empty payload clears a retained message; it is not zero. What is absent or no number is refused with its reason.
    """
    if not payload:
        return _refused("empty payload")
    if retained and subscription.time is None:
        return _refused("retained message without its own time")
    document = _document(payload, subscription)
    if document is MISSING:
        return _refused("payload is not JSON")
    time_ms = arrived_ms if subscription.time is None else _time_ms(document, subscription.time)
    if isinstance(time_ms, str):
        return _refused(time_ms)
    rows: list[tuple[Series, int, float, int]] = []
    refusals: list[str] = []
    for quantity, rule in subscription.fields.items():
        value = _number(lookup(document, rule.path))
        if isinstance(value, str):
            refusals.append(f"{quantity}: {value}")
            continue
        scale, offset = conversion(rule.unit, quantity_of(quantity).unit)
        rows.append(
            (subscription.series(quantity, subscription.measurement), time_ms, value * rule.scale * scale + offset, 0)
        )
    return Mapped(Batch.from_rows(rows), refusals)


def _refused(reason: str) -> Mapped:
    return Mapped(Batch.empty(), [reason])


def _document(payload: bytes, subscription: SubscriptionConfig) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        whole = all(not rule.path for rule in subscription.fields.values())
        return payload.decode("utf-8", "replace").strip() if whole and subscription.time is None else MISSING


def _number(found: Any) -> float | str:
    if found is MISSING:
        return "absent"
    if found is None:
        return "null"
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return f"{type(found).__name__} is no number"
    try:
        value = float(found)  # some families send their numbers as text
    except ValueError:
        return f"{found!r} is no number"
    return value if math.isfinite(value) else f"{found!r} is no finite number"


def _time_ms(document: Any, rule: TimeRule) -> int | str:
    """UTC milliseconds of the payload's own time, or why it has none."""
    found = lookup(document, rule.path)
    if rule.format in _UNIX_MS:
        value = _number(found)
        return f"time: {value}" if isinstance(value, str) else round(value * _UNIX_MS[rule.format])
    if not isinstance(found, str):
        return "time: absent"
    try:
        moment = datetime.fromisoformat(found)
    except ValueError:
        return "time: not ISO 8601"
    if moment.tzinfo is None:
        if rule.tz is None:
            return "time: no offset, and no tz configured"
        moment = moment.replace(tzinfo=ZoneInfo(rule.tz))
    return round(moment.timestamp() * 1000)
