"""Events as a store keeps them: once each, however often they are handed over.

InfluxDB: measurement `event`, tags gateway, id, severity, subject; fields message and evidence (JSON).
DuckDB: table `event` with the same columns.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from kgce.domain.events import Event
from kgce.store.line_protocol import encode

MEASUREMENT: Final = "event"
EVENT_TABLE: Final = (
    "create table if not exists event (gateway varchar, time_ms bigint, id varchar, subject varchar, severity varchar,"
    " message varchar, evidence varchar, primary key (gateway, time_ms, id, subject))"
)
INSERT_EVENT: Final = "insert or ignore into event values (?, ?, ?, ?, ?, ?, ?)"

_TAG_SIGNS: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_TEXT_SIGNS: Final = str.maketrans({'"': r"\"", "\\": r"\\", "\n": " ", "\r": " "})


def event_rows(gateway: str, events: Sequence[Event]) -> list[tuple[str, int, str, str, str, str, str]]:
    """Rows of the table, in its column order."""
    return [
        (gateway, one.time_ms, one.id, one.subject, one.severity.value, one.message, _evidence(one)) for one in events
    ]


def event_lines(gateway: str, events: Sequence[Event]) -> str:
    """Lines with millisecond times; the same event makes the same line, and the same place."""
    return "\n".join(_line(gateway, one) for one in events)


def _line(gateway: str, one: Event) -> str:
    tags = {"gateway": gateway, "id": one.id, "severity": one.severity.value, "subject": one.subject}
    head = "".join(f",{tag}={encode(value).translate(_TAG_SIGNS)}" for tag, value in tags.items() if value)
    message, evidence = (text.translate(_TEXT_SIGNS) for text in (one.message, _evidence(one)))
    return f'{MEASUREMENT}{head} message="{message}",evidence="{evidence}" {one.time_ms}'


def _evidence(one: Event) -> str:
    return orjson.dumps(dict(one.evidence), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS).decode()
