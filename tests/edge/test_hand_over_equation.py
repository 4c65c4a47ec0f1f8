"""polled = stored + duplicate + refused + dropped + waiting, whatever fails and whenever the process dies."""

import asyncio
import math
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from kgce.edge.checks.checks import Checks
from kgce.edge.intake import Intake
from kgce.edge.uplink.uplink import Uplink
from tests.edge.fakes import ENERGY, NOW_MS, POWER, MoodySink, clock, corrupt_waiting, full_disk, power_batch

# Few distinct readings, so that repeats, corrections, falls of the counter and refusals all happen often.
READING = st.tuples(
    st.sampled_from([POWER, ENERGY]),
    st.sampled_from([0, NOW_MS - 3000, NOW_MS - 2000, NOW_MS - 1000, NOW_MS, NOW_MS + 10**9]),
    st.sampled_from([0.0, 1.0, 2.0, 1e13, math.nan, math.inf]),
    st.sampled_from([0, 1]),
)
STEP = st.one_of(
    st.tuples(st.just("emit"), st.lists(READING, max_size=8)),
    st.tuples(st.just("drain"), st.lists(st.sampled_from(["ok", "down", "lost answer", "bug"]), max_size=4)),
    st.tuples(st.just("restart"), st.just(())),
    st.tuples(st.just("damage"), st.just(())),
    st.tuples(st.just("disk is full"), st.integers(0, 1000)),
)


class Gatewayish:
    """Intake, buffer and uplink over one folder; `restart` is a new process after a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sink = MoodySink(poison=lambda batch: 2.0 in batch.value.tolist() and ENERGY in batch.series)
        self.polled = 0
        self.start()

    def start(self) -> None:
        self.buffer = Buffer(self.folder, max_bytes=80_000, clock=clock)
        self.intake = Intake(Checks(clock=clock), self.buffer)

    def restart(self, _) -> None:
        self.buffer.close()
        self.start()

    def emit(self, rows) -> None:
        batch = rows if isinstance(rows, Batch) else Batch.from_rows(rows)
        try:
            self.intake.take([batch])
        except StoreUnavailable:
            self.buffer.note_dropped(len(batch), "buffer.unavailable")
        self.polled += len(batch)

    def drain(self, moods) -> None:
        self.sink.moods = list(moods)
        asyncio.run(Uplink(self.buffer, self.sink, clock=clock).drain())

    def damage(self, _) -> None:
        oldest = self.buffer._db.execute("SELECT min(seq) FROM batch").fetchone()[0]
        if oldest is not None:
            corrupt_waiting(self.buffer, oldest)

    def disk_is_full(self, first) -> None:
        full_disk(self.buffer, is_full=True)
        before = self.buffer.counters()["dropped"]
        self.emit(power_batch(first, 20_000))  # about 180 kB: more than the file has free within its bound
        assert self.buffer.counters()["dropped"] == before + 20_000
        full_disk(self.buffer, is_full=False)

    def check(self) -> None:
        counts = self.buffer.counters()
        assert counts["polled"] == self.polled
        assert holds(counts), counts
        in_table = self.buffer._db.execute("SELECT coalesce(sum(rows), 0), count(*) FROM batch").fetchone()
        assert (counts["waiting"], self.buffer.waiting_batches()) == in_table, "waiting is what the table holds"


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_every_polled_row_is_accounted_for_after_every_step(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gatewayish(Path(folder))
        for name, argument in steps:
            getattr(gateway, name.replace(" ", "_"))(argument)
            gateway.check()
        gateway.buffer.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP.filter(lambda step: step[0] in {"emit", "drain", "restart"}), max_size=25))
def test_once_the_sink_answers_every_acceptable_reading_is_in_it(steps) -> None:
    """Failures and restarts delay readings; they lose none and leave the last emitted value standing."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gatewayish(Path(folder))
        gateway.sink.poison = lambda _batch: False
        expected = {}
        for name, argument in steps:
            getattr(gateway, name)(argument)
            if name == "emit":
                for series, time_ms, value, _ in argument:
                    if 0 < time_ms <= NOW_MS and not math.isinf(value):
                        expected[series.key, time_ms] = None if math.isnan(value) else value
        gateway.drain([])
        gateway.check()
        assert gateway.buffer.counters()["waiting"] == 0
        assert {key: value for key, (value, _) in gateway.sink.inner.rows.items()} == expected
        gateway.buffer.close()
