"""VictoriaStore: readings in VictoriaMetrics; a correction is a sample under the next rev."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from re import escape
from typing import Final

import numpy as np
import orjson

from kgce.domain.batch import Batch, BoolArray, Int32Array
from kgce.domain.events import Event, Severity
from kgce.domain.ports import SeriesKey, StoredEvent, StoreStatus
from kgce.domain.touched import GRID_MS, Touched
from kgce.domain.tree import Series
from kgce.store.events import evidence_text
from kgce.store.gather import EARLIEST_MS, END_MS
from kgce.store.intake import Positions
from kgce.store.line_protocol import (
    QUALITY_SUFFIX,
    Lines,
    decode,
    encode,
    field_name,
    place_of,
    ready,
    series_at,
    tags_of,
)
from kgce.store.posting import ReadyLines, post
from kgce.store.server_store import ServerStore
from kgce.store.slots import Slots
from kgce.store.victoria.lines import reading_lines
from kgce.store.victoria.server import VictoriaServer, quoted
from kgce.store.victoria.slots import SampleRows

_AHEAD_MS: Final = 2 * 86_400_000  # the server drops samples further in the future than two days, and says nothing
_LOOKBACKS_S: Final = (300, 7_200, 3 * 86_400, 60 * 86_400, 3 * 366 * 86_400)  # then: everything
_DEVICES: Final = 50  # per matcher
_OVERLAP_MS: Final = 60_000
_MARK_SLOTS: Final = 1 << 20  # a mark is one number: first slot since 1970 x this + number of slots


class VictoriaStore(ServerStore):
    """Home of readings on a VictoriaMetrics; the database is the label `db`."""

    def __init__(
        self,
        url: str,
        database: str,
        *,
        username: str = "",
        password: str = "",
        timeout_s: float = 30.0,
        compress: bool = False,
        is_shared: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`compress` the bodies of writes; `is_shared`: see ServerStore."""
        super().__init__(is_shared=is_shared, clock=clock)
        self.server = VictoriaServer(
            url, database, username=username, password=password, timeout_s=timeout_s, compress=compress
        )
        self._database = database
        self._in_database = f"db={quoted(encode(database))}"

    def _release(self) -> None:
        self.server.close()

    def _bounds(self) -> tuple[int, int]:
        keeps_s, now_ms = self.server.keeps_s(), int(self._clock() * 1000)
        floor_ms = now_ms - keeps_s * 1000 if keeps_s else EARLIEST_MS
        return max(EARLIEST_MS, floor_ms), min(END_MS, now_ms + _AHEAD_MS)

    def _slots(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Slots:
        rows, wanted = SampleRows(), set(keys)
        for one in self.server.export(list(self._matchers(keys)), start_ms=start_ms, end_ms=end_ms):
            rows.add(one["metric"], one["timestamps"], one["values"], wanted)
        return rows.slots()

    def _newest(self, institution: str | None) -> Slots:
        place = "" if institution is None else f",institution={quoted(encode(institution))}"
        matcher = f'{{{self._in_database},measurement!=""{place}}}'
        expected, at_ms = self.server.count(matcher), int(self._clock() * 1000) + _AHEAD_MS
        rows = SampleRows()
        if not expected:
            return rows.slots()
        for lookback in (*(f"{seconds + _AHEAD_MS // 1000}s" for seconds in _LOOKBACKS_S), _everything(at_ms)):
            times = self.server.query(f"tlast_over_time({matcher}[{lookback}]) keep_metric_names", at_ms=at_ms)
            if len(times) >= expected:
                break
        values = self.server.query(f"last_over_time({matcher}[{lookback}]) keep_metric_names", at_ms=at_ms)
        value_of = {_labels(labels): value for labels, value in values}
        for labels, time_s in times:
            if _labels(labels) in value_of:
                rows.add(labels, [round(time_s * 1000)], [value_of[_labels(labels)]])
        return rows.slots().newest()

    def _matchers(self, keys: Iterable[SeriesKey]) -> Iterator[str]:
        """Selectors of these series' samples; they may find more."""
        for institution, of_one in groupby(sorted(keys), key=lambda key: key[0]):
            mine = list(of_one)
            for at in range(0, len(mine), _DEVICES):
                some = mine[at : at + _DEVICES]
                devices = "|".join(sorted({escape(encode(device)) for _, device, _ in some}))
                fields = "|".join(sorted({escape(field_name(quantity)) for *_, quantity in some}))
                yield (
                    f'{{{self._in_database},measurement!="",institution={quoted(encode(institution))},'
                    f"device=~{quoted(devices)},__name__=~{quoted(f'.*_({fields})({QUALITY_SUFFIX})?')}}}"
                )

    def _write(self, rows: Batch, overrules: Int32Array, is_deleted: BoolArray, marks: Sequence[bytes]) -> Positions:
        lines = reading_lines(rows, overrules, is_deleted, self._database)
        self._send([*lines, *marks])  # the server passes over what it cannot read; it rejects no line
        return np.empty(0, np.intp)

    def _send(self, lines: Sequence[bytes]) -> None:
        post(self.server.write, ReadyLines(lines), pool=self._pool)

    def _mark_lines(self, entries: Sequence[Series], marks: Touched, at_ms: int) -> list[bytes]:
        numbers, head = np.unique(marks.index, return_inverse=True)
        places = [{**place_of(entries[number]), "db": self._database} for number in numbers.tolist()]
        heads = [f"touched{tags_of(place)}".encode() for place in places]
        slots = (marks.end_ms - marks.start_ms) // GRID_MS
        codes = marks.start_ms // GRID_MS * _MARK_SLOTS + slots
        first = np.searchsorted(marks.index, marks.index)  # marks of one series take following milliseconds
        at = at_ms + np.arange(len(codes)) - first
        fields = [b"slot=%d" % code for code in codes.tolist()]
        return Lines(heads, head.astype(np.int32), at, ready(fields)).texts

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Write one sample per event; its words are labels."""
        tags = [
            {
                "gateway": gateway,
                "id": one.id,
                "severity": one.severity.value,
                "subject": one.subject,
                "message": one.message,
                "evidence": evidence_text(one),
                "db": self._database,
            }
            for one in events
        ]
        lines = [f"event{tags_of(tag)} n=1 {one.time_ms}" for one, tag in zip(events, tags, strict=True)]
        self._send([line.encode() for line in lines])

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times between which every reading (of one institution) lies; the outermost ones may have been deleted."""
        place = "" if institution is None else f",institution={quoted(encode(institution))}"
        matcher = f'{{{self._in_database},measurement!=""{place}}}'
        at_ms = int(self._clock() * 1000) + _AHEAD_MS
        found = [
            self.server.query(f"{outer}({inner}({matcher}[{_everything(at_ms)}]) keep_metric_names)", at_ms=at_ms)
            for outer, inner in (("min", "tfirst_over_time"), ("max", "tlast_over_time"))
        ]
        if not found[0] or not found[1]:
            return None
        first_ms, last_ms = (round(one[0][1] * 1000) for one in found)
        return first_ms, last_ms

    def touched(self, after: int = 0) -> Touched:
        """What late, corrected and deleted readings touched since the answer whose cursor was `after`."""
        matcher = f'{{{self._in_database},__name__="touched_slot"}}'
        end_ms = int(self._clock() * 1000) + _AHEAD_MS
        start_ms = max(EARLIEST_MS, after - _OVERLAP_MS)
        found: dict[Series, set[tuple[int, int]]] = {}
        cursor = after
        for one in self.server.export([matcher], start_ms=start_ms, end_ms=end_ms):
            marks = found.setdefault(series_at(one["metric"]), set())
            for code in map(int, one["values"]):
                start = code // _MARK_SLOTS * GRID_MS
                marks.add((start, start + code % _MARK_SLOTS * GRID_MS))
            cursor = max(cursor, *one["timestamps"])
        series = sorted(found, key=lambda one: one.key)
        rows = [(at, *mark) for at, one in enumerate(series) for mark in sorted(found[one])]
        columns = np.array(rows, np.int64).reshape(-1, 3)
        return Touched(tuple(series), columns[:, 0].astype(np.int32), columns[:, 1], columns[:, 2], cursor)

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """What happened, by time."""
        start_ms, end_ms = max(start_ms, EARLIEST_MS), min(end_ms, self._bounds()[1])
        matcher = f'{{{self._in_database},__name__="event_n"}}'
        found = {
            (time_ms, _labels(one["metric"])): _event(one["metric"], time_ms)
            for one in self.server.export([matcher], start_ms=start_ms, end_ms=end_ms)
            for time_ms in one["timestamps"]
        }
        return sorted(found.values(), key=lambda one: (one.event.time_ms, one.gateway, one.event.id, one.event.subject))

    def status(self) -> StoreStatus:
        """Retention as the server's own flag says."""
        first_ms, last_ms = self.extent() or (None, None)
        keeps_s = self.server.keeps_s()
        details = {
            "retention": f"{keeps_s // 86_400} days, by the server's -retentionPeriod" if keeps_s else "not told",
            "downsampling": "none here: the server has it in its enterprise edition",
            "digits": "values of more than 12 digits are kept as two halves beside the rounded one",
        }
        target = f"{self.server.url}/{self.server.database}"
        return StoreStatus("VictoriaMetrics", target, len(self.series()), first_ms, last_ms, details)


def _everything(at_ms: int) -> str:
    """How far back the oldest sample can be; a window that begins before 1970 finds nothing."""
    return f"{(at_ms - EARLIEST_MS) // 1000 + 1}s"


def _labels(metric: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(metric.items()))


def _event(labels: dict[str, str], time_ms: int) -> StoredEvent:
    text = {name: decode(labels.get(name, "")) for name in ("gateway", "id", "subject", "severity", "message")}
    evidence = orjson.loads(decode(labels.get("evidence", "{}")))
    event = Event(text["id"], time_ms, text["subject"], Severity(text["severity"]), text["message"], evidence)
    return StoredEvent(text["gateway"], event)
