"""InfluxReader: what is asked of a server, in InfluxQL, the one language that every generation shares."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson

from kgce.domain.events import Event, Severity
from kgce.domain.ports import SeriesKey, StoredEvent
from kgce.domain.touched import Touched
from kgce.domain.tree import Series
from kgce.store.gather import EARLIEST_MS, END_MS
from kgce.store.influx import influxql
from kgce.store.influx.influxql import Fields
from kgce.store.influx.rows import InfluxRows
from kgce.store.influx.server import InfluxServer, Result
from kgce.store.line_protocol import DERIVED, decode, series_at
from kgce.store.slots import Slots

_STATEMENTS_PER_QUERY: Final = 50
_NUMERIC: Final = frozenset({"float", "integer", "unsigned"})
_OVERLAP_MS: Final = 60_000  # clocks of several writers differ, and marks may come in late


class InfluxReader:
    """Asks one server."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server

    def slots(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Slots:
        """Every place of a span that ever held a reading."""
        rows = InfluxRows()
        statements = influxql.range_statements(self._fields(), keys, start_ms=start_ms, end_ms=end_ms)
        for _, result in self._ask(statements):
            rows.add_fields(result)
        return rows.slots()

    def newest(self, institution: str | None) -> Slots:
        """The newest place of every series (of one institution)."""
        statements = list(influxql.latest_statements(self._fields(), institution))
        rows = InfluxRows()
        for number, result in self._ask([text for _, text in statements]):
            rows.add_newest(result, statements[number][0])
        return rows.slots().newest()

    def extent(self, institution: str | None) -> tuple[int, int] | None:
        """Times between which every reading lies."""
        times = [
            int(row[0])
            for _, result in self._ask(influxql.bounds_statements(self._fields(), institution))
            for row in result["values"]
        ]
        return (min(times), max(times)) if times else None

    def touched(self, after: int) -> Touched:
        """Marks made since, and a little before."""
        series: list[Series] = []
        marks: list[tuple[int, int, int, int]] = []
        for _, result in self._ask([influxql.touched_statement(max(0, after - _OVERLAP_MS))]):
            marks += [(len(series), int(start), int(end), int(at)) for start, end, at in result["values"]]
            series.append(series_at(result["tags"]))
        order = sorted(range(len(series)), key=lambda at: series[at].key)
        place = {old: new for new, old in enumerate(order)}
        rows = sorted((place[at], start_ms, end_ms) for at, start_ms, end_ms, _ in marks)
        columns = np.array(rows, np.int64).reshape(-1, 3)
        cursor = max([after, *(at for *_, at in marks)])
        return Touched(
            tuple(series[at] for at in order), columns[:, 0].astype(np.int32), columns[:, 1], columns[:, 2], cursor
        )

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """Events of a span, by time."""
        statement = influxql.event_statement(max(start_ms, EARLIEST_MS), min(end_ms, END_MS))
        found = [
            _event(result["tags"], dict(zip(result["columns"], row, strict=True)))
            for _, result in self._ask([statement])
            for row in result["values"]
        ]
        return sorted(found, key=lambda one: (one.event.time_ms, one.gateway, one.event.id, one.event.subject))

    def _ask(self, statements: Iterable[str]) -> Iterator[tuple[int, Result]]:
        texts = list(statements)
        for start in range(0, len(texts), _STATEMENTS_PER_QUERY):
            for number, result in self._server.query(texts[start : start + _STATEMENTS_PER_QUERY]):
                yield start + number, result

    def _fields(self) -> Fields:
        """Numeric fields of every measurement that holds readings."""
        return {
            result["name"]: frozenset(name for name, kind in result["values"] if kind in _NUMERIC)
            for _, result in self._server.query([influxql.SHOW_FIELDS])
            if result["name"] not in DERIVED
        }


def _event(tags: dict[str, str], fields: dict[str, Any]) -> StoredEvent:
    event = Event(
        id=decode(tags.get("id", "")),
        time_ms=int(fields["time"]),
        subject=decode(tags.get("subject", "")),
        severity=Severity(decode(tags["severity"])),
        message=fields["message"],
        evidence=orjson.loads(fields["evidence"]),
    )
    return StoredEvent(decode(tags.get("gateway", "")), event)
