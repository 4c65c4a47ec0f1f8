"""InfluxStore: readings in InfluxDB, one line per device and time, one field per quantity."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from kgce.domain.batch import Batch, BoolArray, Int32Array
from kgce.domain.derived import Derived
from kgce.domain.errors import InputError
from kgce.domain.events import Event
from kgce.domain.ports import SeriesKey, StoredEvent, StoreStatus
from kgce.domain.touched import Touched
from kgce.domain.tree import Series
from kgce.store.client_writer import LinesRejected
from kgce.store.derived_lines import derived_lines
from kgce.store.event_lines import event_lines
from kgce.store.gather import EARLIEST_MS, END_MS
from kgce.store.influx.reader import InfluxReader
from kgce.store.influx.server import InfluxServer
from kgce.store.influx.setup import describe
from kgce.store.intake import Positions
from kgce.store.line_protocol import reading_lines
from kgce.store.mark_lines import mark_lines
from kgce.store.posting import ReadyLines, post
from kgce.store.server_store import ServerStore
from kgce.store.slots import Slots


class InfluxStore(ServerStore):
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
        compress: bool | None = None,
        is_shared: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`compress` the bodies of writes (None: off this machine only); `is_shared`: see ServerStore."""
        super().__init__(is_shared=is_shared, clock=clock)
        self.server = InfluxServer(
            url,
            database,
            username=username,
            password=password,
            token=token,
            org=org,
            retention_policy=retention_policy,
            timeout_s=timeout_s,
            compress=compress,
        )
        self._reader = InfluxReader(self.server)

    def _release(self) -> None:
        self.server.close()

    def _bounds(self) -> tuple[int, int]:
        return max(EARLIEST_MS, self.server.floor_ms()), END_MS

    def _slots(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Slots:
        return self._reader.slots(keys, start_ms=start_ms, end_ms=end_ms)

    def _newest(self, institution: str | None) -> Slots:
        return self._reader.newest(institution)

    def _write(self, rows: Batch, overrules: Int32Array, is_deleted: BoolArray, marks: Sequence[bytes]) -> Positions:
        states_quality = overrules > 0
        lines = reading_lines(rows, states_quality=states_quality, deleted=is_deleted)
        failed: list[int] = []
        for line in post(self.server.write, lines, pool=self._pool, behind=marks):
            inside = lines.rows_of(line).tolist()
            for row in inside:
                alone = reading_lines(
                    rows.select(np.array([row])), states_quality=states_quality[[row]], deleted=is_deleted[[row]]
                )
                if len(inside) == 1 or post(self.server.write, alone, pool=self._pool):
                    failed.append(row)
        return np.array(failed, np.intp)

    def _mark_lines(self, entries: Sequence[Series], marks: Touched, at_ms: int) -> list[bytes]:
        return mark_lines(entries, marks, at_ms=at_ms)

    def _send(self, lines: Sequence[bytes]) -> None:
        post(self.server.write, ReadyLines(lines), pool=self._pool)

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Write one line per event."""
        if events:
            try:
                self.server.write(event_lines(gateway, events).encode())
            except LinesRejected as reason:
                raise InputError(f"InfluxDB rejects the events for good: {reason}") from reason

    def put_derived(self, rows: Derived) -> None:
        """Write one line per row; derived series are never corrected, only written over."""
        if rejected := post(self.server.write, derived_lines(rows), pool=self._pool):
            raise InputError(f"InfluxDB rejects {len(rejected)} rows of {rows.measurement} for good: its log says why")

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times between which every reading (of one institution) lies; the outermost ones may have been deleted."""
        return self._reader.extent(institution)

    def touched(self, after: int = 0) -> Touched:
        """What late, corrected and deleted readings touched since the answer whose cursor was `after`."""
        return self._reader.touched(after)

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """What happened, by time."""
        return self._reader.events(start_ms=start_ms, end_ms=end_ms)

    def status(self) -> StoreStatus:
        """Generation, retention, downsampling."""
        first_ms, last_ms = self.extent() or (None, None)
        target = f"{self.server.url}/{self.server.database}"
        return StoreStatus(
            str(self.server.generation), target, len(self.series()), first_ms, last_ms, describe(self.server)
        )
