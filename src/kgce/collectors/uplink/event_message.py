"""Events on the wire: a JSON list of what happened, with the evidence."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from kgce.domain.errors import InputError
from kgce.domain.events import Event, Severity


def encode(events: Sequence[Event]) -> bytes:
    """The events as JSON."""
    return orjson.dumps([asdict(event) for event in events], option=orjson.OPT_SERIALIZE_NUMPY)


def decode(payload: bytes) -> list[Event]:
    """The events behind the bytes.

    Raises:
        InputError: they are none.
    """
    try:
        return [_event(one) for one in orjson.loads(payload)]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not events: {error!r}") from None


def _event(one: dict[str, Any]) -> Event:
    texts = [one[name] for name in ("id", "subject", "message")]
    evidence = one.get("evidence", {})
    if not all(isinstance(text, str) for text in texts) or not isinstance(evidence, dict):
        raise TypeError("id, subject and message are texts, evidence is an object")
    name, subject, message = texts
    return Event(name, int(one["time_ms"]), subject, Severity(one["severity"]), message, evidence)
