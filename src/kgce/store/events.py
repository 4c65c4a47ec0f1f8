"""Events as a store keeps them: once each, however often they are handed over.

InfluxDB and VictoriaMetrics: measurement `event`. DuckDB: table `event`, with the same columns.
"""

from collections.abc import Sequence

import orjson

from kgce.domain.events import Event, Severity
from kgce.domain.ports import StoredEvent

EventRow = tuple[str, int, str, str, str, str, str]  # gateway, time_ms, id, subject, severity, message, evidence (JSON)


def event_rows(gateway: str, events: Sequence[Event]) -> list[EventRow]:
    """A row for each."""
    return [
        (gateway, one.time_ms, one.id, one.subject, one.severity.value, one.message, evidence_text(one))
        for one in events
    ]


def event_of(row: EventRow) -> StoredEvent:
    """The event behind a row."""
    gateway, time_ms, event_id, subject, severity, message, evidence = row
    return StoredEvent(
        gateway, Event(event_id, int(time_ms), subject, Severity(severity), message, orjson.loads(evidence))
    )


def evidence_text(one: Event) -> str:
    """Its evidence as JSON, the same text for the same evidence."""
    return orjson.dumps(dict(one.evidence), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS).decode()
