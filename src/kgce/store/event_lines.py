"""Events as lines: measurement `event`, tags gateway, id, severity, subject; fields message and evidence (JSON)."""

from collections.abc import Sequence
from typing import Final

from kgce.domain.events import Event
from kgce.store.events import evidence_text
from kgce.store.line_protocol import tags_of

MEASUREMENT: Final = "event"

_TEXT_SIGNS: Final = str.maketrans({'"': r"\"", "\\": r"\\", "\n": " ", "\r": " "})


def event_lines(gateway: str, events: Sequence[Event]) -> str:
    """Lines with millisecond times; the same event makes the same line, and the same place."""
    return "\n".join(_line(gateway, one) for one in events)


def _line(gateway: str, one: Event) -> str:
    tags = tags_of({"gateway": gateway, "id": one.id, "severity": one.severity.value, "subject": one.subject})
    message, evidence = (text.translate(_TEXT_SIGNS) for text in (one.message, evidence_text(one)))
    return f'{MEASUREMENT}{tags} message="{message}",evidence="{evidence}" {one.time_ms}'
