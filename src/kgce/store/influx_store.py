"""InfluxStore: readings in InfluxDB, one line per device and time.

    Batch --accept, sort--> Intake --compare late rows--> Lines --post--> counts

Rows newer than the newest of their series are certainly new; only the others are compared with what the server holds.
The counts suppose that no other process writes the same series; the data is right either way.
"""

import logging
from collections.abc import Sequence
from threading import Lock
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, FloatArray, UInt8Array
from kgce.domain.errors import InputError, StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.domain.tree import Series
from kgce.store.events import event_lines
from kgce.store.influx_rows import InfluxRows
from kgce.store.influx_server import InfluxServer, LinesRejected
from kgce.store.influxql import SHOW_FIELDS, Fields, latest_statements, range_statements
from kgce.store.intake import EARLIEST_MS, END_MS, Intake, Positions, accept, is_text, used_series
from kgce.store.line_protocol import DERIVED, Lines
from kgce.store.series_table import SeriesTable

_LINES_PER_POST: Final = 5_000  # what InfluxData recommends for one write
_STATEMENTS_PER_QUERY: Final = 50
_NUMERIC: Final = frozenset({"float", "integer", "unsigned"})

logger = logging.getLogger(__name__)


class InfluxStore:
    """Home of readings on an InfluxDB server; connects at the first use."""

    def __init__(
        self,
        url: str,
        database: str,
        *,
        username: str = "",
        password: str = "",
        token: str = "",
        org: str = "",
        retention_policy: str = "",
        timeout_s: float = 30.0,
    ) -> None:
        self._server = InfluxServer(
            url,
            database,
            username=username,
            password=password,
            token=token,
            org=org,
            retention_policy=retention_policy,
            timeout_s=timeout_s,
        )
        self._append_lock = Lock()
        self._table: SeriesTable | None = None  # None: what the server holds must be looked at first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Release connections."""
        with self._append_lock:
            self._server.close()

    def append(self, batch: Batch) -> AppendResult:
        """Keep the batch, then count; rows the server rejects for good are refused, the others kept."""
        rows = accept(batch)
        refused = int(len(batch) - rows.sum())
        kept = batch if not refused else batch.select(rows)
        if not len(kept):
            return AppendResult(refused=refused)
        with self._append_lock:
            try:
                return self._append(kept, refused)
            except StoreUnavailable:
                self._table = None  # some lines may have arrived
                raise

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Write one line per event."""
        if events:
            try:
                self._server.write(event_lines(gateway, events).encode())
            except LinesRejected as reason:
                raise InputError(f"InfluxDB rejects the events for good: {reason}") from reason

    def _append(self, kept: Batch, refused: int) -> AppendResult:
        if self._table is None:
            self._table = _table_of(self.latest())
        table = self._table
        series, index = used_series(kept)
        numbers, new = table.numbers_for(series)
        intake = Intake(numbers[index], kept.time_ms, kept.value, kept.quality)
        entries = [*table.entries, *new]

        late = np.flatnonzero(intake.time_ms <= table.newest_ms(intake.number))
        settled = intake.settle(*self._held(intake, late, table))
        changed = np.flatnonzero(settled.insert | settled.update)
        failed = self._post(entries, intake, changed, settled.update[changed])

        stands = np.ones(len(intake), np.bool_)
        stands[failed] = False
        table.add(new)
        table.advance(intake.number[stands], intake.time_ms[stands], intake.value[stands], intake.quality[stands])
        return settled.result(refused=refused, failed=failed)

    def _held(self, intake: Intake, late: Positions, table: SeriesTable) -> tuple[Positions, FloatArray, UInt8Array]:
        """Which of the late groups the server holds, with value and quality."""
        if not len(late):
            return late, np.empty(0), np.empty(0, np.uint8)
        time_ms = intake.time_ms[late]
        numbers, local = np.unique(intake.number[late], return_inverse=True)
        keys = [table.entries[number].key for number in numbers]
        held = self.read(keys, start_ms=int(time_ms.min()), end_ms=int(time_ms.max()) + 1)
        local_of = {key: at for at, key in enumerate(keys)}
        held_local = np.array([local_of[series.key] for series in held.series], np.int64)[held.index]

        base, span = time_ms.min(), time_ms.max() - time_ms.min() + 1
        held_codes = held_local * span + (held.time_ms - base)
        order = np.argsort(held_codes)
        codes = local * span + (time_ms - base)
        at = np.searchsorted(held_codes[order], codes)
        found = at < len(order)
        found[found] = held_codes[order[at[found]]] == codes[found]
        rows = order[at[found]]
        return late[found], held.value[rows], held.quality[rows]

    def _post(
        self, entries: Sequence[Series], intake: Intake, rows: Positions, is_update: npt.NDArray[np.bool_]
    ) -> Positions:
        """Write these groups; gives back the groups the server rejects for good."""
        failed: list[int] = []
        lines = self._lines(entries, intake, rows, is_update)
        for start in range(0, len(lines.texts), _LINES_PER_POST):
            for line in self._send(lines.texts[start : start + _LINES_PER_POST], start):
                inside = lines.rows_of(line)
                for row in inside.tolist():
                    alone = self._lines(entries, intake, rows[[row]], is_update[[row]])
                    if len(inside) == 1 or self._send(alone.texts, 0):
                        failed.append(int(rows[row]))
        return np.array(failed, np.intp)

    @staticmethod
    def _lines(entries: Sequence[Series], intake: Intake, rows: Positions, is_update: npt.NDArray[np.bool_]) -> Lines:
        used, index = np.unique(intake.number[rows], return_inverse=True)
        series = [entries[number] for number in used]
        batch = Batch.of(series, index, intake.time_ms[rows], intake.value[rows], intake.quality[rows])
        return Lines(batch, is_update)

    def _send(self, texts: Sequence[str], first: int) -> list[int]:
        """Post lines; where the server rejects some, halve until they stand alone. Numbers of the rejected ones."""
        if not texts:
            return []
        try:
            self._server.write("\n".join(texts).encode())
        except LinesRejected as reason:
            if len(texts) == 1:
                logger.warning("InfluxDB rejects a line for good: %s", reason)
                return [first]
            half = len(texts) // 2
            return self._send(texts[:half], first) + self._send(texts[half:], first + half)
        return []

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms, by series key then time; the table has the series with rows."""
        start_ms, end_ms = max(start_ms, EARLIEST_MS), min(end_ms, END_MS)  # InfluxQL times overflow far outside
        wanted = sorted({key for key in keys if is_text("".join(key))})
        if not wanted or start_ms >= end_ms:
            return Batch.empty()
        rows = InfluxRows()
        statements = list(range_statements(self._fields(), wanted, start_ms=start_ms, end_ms=end_ms))
        for start in range(0, len(statements), _STATEMENTS_PER_QUERY):
            for _, result in self._server.query(statements[start : start + _STATEMENTS_PER_QUERY]):
                rows.add_fields(result)
        return rows.batch()

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series (of one institution), by key, as the server has it now."""
        statements = list(latest_statements(self._fields(), institution))
        rows = InfluxRows()
        for start in range(0, len(statements), _STATEMENTS_PER_QUERY):
            chunk = statements[start : start + _STATEMENTS_PER_QUERY]
            for statement, result in self._server.query([text for _, text in chunk]):
                rows.add_newest(result, chunk[statement][0])
        batch = rows.batch()
        return batch.select(np.append(batch.index[1:] != batch.index[:-1], np.ones(min(1, len(batch)), np.bool_)))

    def series(self, institution: str | None = None) -> list[Series]:
        """Every series that has a reading, sorted by key."""
        return list(self.latest(institution).series)

    def _fields(self) -> Fields:
        """Numeric fields of every measurement that holds readings."""
        return {
            result["name"]: frozenset(name for name, kind in result["values"] if kind in _NUMERIC)
            for _, result in self._server.query([SHOW_FIELDS])
            if result["name"] not in DERIVED
        }


def _table_of(latest: Batch) -> SeriesTable:
    table = SeriesTable()
    table.add(latest.series)
    table.advance(latest.index, latest.time_ms, latest.value, latest.quality)
    return table
