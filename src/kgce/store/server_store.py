"""ServerStore: what the stores on servers share; a server gives its places, takes rows, and is asked the rest.

    Batches --gather, sort--> Intake --compare late rows with the server's places--> marks; rows, marks --> counts

Rows newer than the newest of their series are certainly new; only the others are compared with what the server holds.
Nothing can be deleted field by field there, so what was deleted stands there as such and reading passes over it.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, BoolArray, Int32Array, Int64Array
from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.domain.rollup import Rollup
from kgce.domain.touched import Touched
from kgce.domain.tree import Series
from kgce.store.gather import EARLIEST_MS, END_MS, gather, is_text
from kgce.store.intake import Intake, Positions, matching
from kgce.store.posting import AT_ONCE
from kgce.store.rollups import rollup_by_reading
from kgce.store.series_table import Numbering, SeriesTable
from kgce.store.slots import Slots, drop_unused
from kgce.store.tags import has_tags

FRESH_S: Final = 120.0  # how young a row must be to be taken as new where several processes write
_BACK_MS: Final = 3_600_000  # first step back from a newest reading that was deleted


class ServerStore(ABC):
    """Home of readings on a server; connects at the first use."""

    def __init__(self, *, is_shared: bool, clock: Callable[[], float] = time.time) -> None:
        """`is_shared`: other processes write the same series, so every row that is not fresh is compared first."""
        self._is_shared = is_shared
        self._clock = clock
        self._change_lock = Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="post")
        self._table: SeriesTable | None = None  # None: what the server holds must be looked at first

    @abstractmethod
    def _slots(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Slots:
        """Every place of these series in a span."""

    @abstractmethod
    def _newest(self, institution: str | None) -> Slots:
        """The newest place of every series (of one institution)."""

    @abstractmethod
    def _write(self, rows: Batch, overrules: Int32Array, is_deleted: BoolArray, marks: Sequence[bytes]) -> Positions:
        """Write rows over places (`overrules`: 0 = a new one, else its rev + 1), and lines of marks behind them.

        Gives back the positions of rows that are never taken.
        """

    @abstractmethod
    def _mark_lines(self, entries: Sequence[Series], marks: Touched, at_ms: int) -> list[bytes]:
        """Marks of touched slots as lines."""

    @abstractmethod
    def _send(self, lines: Sequence[bytes]) -> None:
        """Write lines."""

    @abstractmethod
    def _bounds(self) -> tuple[int, int]:
        """Times the server keeps: from, and before."""

    @abstractmethod
    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times between which every reading (of one institution) lies; the outermost ones may have been deleted."""

    @abstractmethod
    def _release(self) -> None:
        """Let connections go."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Release connections."""
        with self._change_lock:
            self._pool.shutdown()
            self._release()

    def append(self, batch: Batch) -> AppendResult:
        """Keep the batch, then count; rows the server rejects for good are refused, the others kept."""
        [result] = self.append_all([batch])
        return result

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        """Keep the batches in as few writes as they need, then count each."""
        if not any(map(len, batches)):
            return [AppendResult() for _ in batches]
        with self._change_lock:
            try:
                return self._append(batches)
            except StoreUnavailable:
                self._table = None  # some lines may have arrived
                raise

    def _append(self, batches: Sequence[Batch]) -> list[AppendResult]:
        if self._table is None:
            self._table = _table_of(self._newest(None).batch)
        table = self._table
        numbering = Numbering(table)
        floor_ms, end_ms = self._bounds()
        gathered = gather(batches, numbering, floor_ms=floor_ms, end_ms=end_ms)
        intake, new = gathered.intake(), numbering.new
        entries = [*table.entries, *new] if new else table.entries

        is_late = intake.time_ms <= table.highest_ms(intake.number)
        if self._is_shared:
            is_late |= intake.time_ms < (self._clock() - FRESH_S) * 1000
        late = np.flatnonzero(is_late)
        slots, groups, held = self._held(intake, late, entries)
        stands = held[~slots.is_deleted[held]]
        settled = intake.settle(groups[~slots.is_deleted[held]], slots.batch.value[stands], slots.batch.quality[stands])
        overrules = np.zeros(len(intake), np.int32)
        overrules[groups] = slots.rev[held] + 1

        changed = np.flatnonzero(settled.insert | settled.update)
        marked = changed[is_late[changed]]
        used, index = np.unique(intake.number[changed], return_inverse=True)
        rows = Batch.of(
            [entries[number] for number in used.tolist()],
            index,
            intake.time_ms[changed],
            intake.value[changed],
            intake.quality[changed],
        )
        marks = self._marked(entries, intake.number[marked], intake.time_ms[marked])
        failed = changed[self._write(rows, overrules[changed], np.zeros(len(rows), np.bool_), marks)]

        kept = np.ones(len(intake), np.bool_)
        kept[failed] = False
        table.add(new)
        table.advance(intake.number[kept], intake.time_ms[kept], intake.value[kept], intake.quality[kept])
        return settled.results(gathered.refused, gathered.expired, failed=failed)

    def _held(self, intake: Intake, late: Positions, entries: Sequence[Series]) -> tuple[Slots, Positions, Positions]:
        """Places among which the late groups are looked for; which groups have one, and which place it is."""
        if not len(late):
            return Slots.empty(), late, late
        time_ms = intake.time_ms[late]
        numbers, local = np.unique(intake.number[late], return_inverse=True)
        keys = [entries[number].key for number in numbers]
        slots = self._slots(sorted(keys), start_ms=int(time_ms.min()), end_ms=int(time_ms.max()) + 1)
        local_of = {key: at for at, key in enumerate(keys)}
        held_local = np.array([local_of.get(series.key, -1) for series in slots.batch.series], np.int64)
        rows, held = matching(local, time_ms, held_local[slots.batch.index], slots.batch.time_ms)
        return slots, late[rows], held

    def _marked(self, entries: Sequence[Series], number: npt.NDArray[np.integer], time_ms: Int64Array) -> list[bytes]:
        """Mark slots before they change, so that no change goes unmarked; the marks to write again behind it."""
        if not len(number):
            return []
        lines = self._mark_lines(entries, Touched.of((), number.astype(np.int32), time_ms), int(self._clock() * 1000))
        self._send(lines)
        return lines

    def delete(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> int:
        """Write over the readings that they are deleted; how many there were."""
        with self._change_lock:
            slots = self._asked(keys, start_ms, end_ms)
            there = slots.batch.select(~slots.is_deleted)
            if len(there):
                nothing = Batch.of(there.series, there.index, there.time_ms, np.full(len(there), np.nan), there.quality)
                marks = self._marked(there.series, there.index, there.time_ms)
                self._write(nothing, slots.rev[~slots.is_deleted] + 1, np.ones(len(there), np.bool_), marks)
            return len(there)

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms, by series key then time; the table has the series with rows."""
        return self._asked(keys, start_ms, end_ms).readings()

    def _asked(self, keys: Sequence[SeriesKey], start_ms: int, end_ms: int) -> Slots:
        start_ms, end_ms = max(start_ms, EARLIEST_MS), min(end_ms, END_MS)  # times of servers overflow far outside
        wanted = sorted({key for key in keys if is_text("".join(key))})
        return self._slots(wanted, start_ms=start_ms, end_ms=end_ms) if wanted and start_ms < end_ms else Slots.empty()

    def rollup(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int, every_ms: int) -> Rollup:
        """The same readings summed up per interval, here: the server knows no quality."""
        return rollup_by_reading(self, keys, start_ms=start_ms, end_ms=end_ms, every_ms=every_ms)

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series (of one institution), by key, as the server has it now."""
        newest = self._newest(institution)
        if not newest.is_deleted.any():
            return drop_unused(newest.batch)
        slots = newest.batch
        found = [
            self._newest_before(slots.series[slots.index[row]].key, int(slots.time_ms[row]))
            if newest.is_deleted[row]
            else drop_unused(slots.select(np.array([row])))
            for row in range(len(slots))
        ]
        return Batch.concat(sorted(filter(len, found), key=lambda one: one.series[0].key))

    def _newest_before(self, key: SeriesKey, time_ms: int) -> Batch:
        """The newest reading before a time, looked for in ever longer spans."""
        step_ms, end_ms = _BACK_MS, time_ms
        while end_ms > EARLIEST_MS:
            found = self.read([key], start_ms=end_ms - step_ms, end_ms=end_ms)
            if len(found):
                return found.select(np.array([len(found) - 1]))
            end_ms, step_ms = end_ms - step_ms, 8 * step_ms
        return Batch.empty()

    def series(self, institution: str | None = None, **tags: str | None) -> list[Series]:
        """Every series that has a reading and these tags, sorted by key."""
        return [series for series in self.latest(institution).series if has_tags(series, tags)]


def _table_of(newest: Batch) -> SeriesTable:
    newest = drop_unused(newest)
    table = SeriesTable()
    table.add(newest.series)
    table.advance(newest.index, newest.time_ms, newest.value, newest.quality)
    return table
