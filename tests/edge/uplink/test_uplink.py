"""The uplink hands over oldest first, gives nothing up for a sink that is down, and lets no batch block the rest."""

import asyncio
import random

import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError, UnknownInstitution
from kgce.domain.ports import AppendResult
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from kgce.edge.uplink.backoff import Backoff
from kgce.edge.uplink.config import UplinkTable
from kgce.edge.uplink.uplink import Uplink
from tests.edge.fakes import NOW_MS, POWER, MemorySink, MoodySink, clock, full_disk, power_batch, until


@pytest.fixture
def buffer(tmp_path):
    with Buffer(tmp_path, clock=clock) as opened:
        yield opened


def fill(buffer: Buffer, batches: int, rows: int = 2) -> None:
    for i in range(batches):
        buffer.put(power_batch(i * rows, rows))


def has(value: float):
    return lambda batch: value in batch.value.tolist()


async def test_everything_waiting_is_handed_over_oldest_first_in_few_appends(buffer) -> None:
    fill(buffer, 50)
    sink = MemorySink()
    assert await Uplink(buffer, sink).drain()
    assert sink.order == sorted(sink.order)
    assert (len(sink.rows), sink.appends) == (100, 1), "small batches travel together"
    assert buffer.counters()["stored"] == 100


async def test_a_backlog_larger_than_one_append_is_cut(buffer) -> None:
    sink = MemorySink()
    uplink = Uplink(buffer, sink)
    fill(buffer, 5, rows=5000)
    assert await uplink.drain()
    assert sink.appends == 3  # 25 000 rows, two batches of 5000 reach the 10 000 of one append
    assert sink.order == sorted(sink.order)


async def test_a_sink_that_is_down_keeps_everything_waiting(buffer) -> None:
    fill(buffer, 3)
    uplink = Uplink(buffer, MoodySink(["down"]), clock=clock)
    assert not await uplink.drain()
    assert buffer.waiting_rows() == 6
    assert uplink.status() == {
        "kind": "store", "target": "", "taken_over": False, "state": "down", "since_ms": NOW_MS, "failures": 1,
        "last_error": "the sink is down", "last_success_ms": None, "live_rows": 0, "history_rows": 6,
    }  # fmt: skip
    assert await uplink.drain()
    assert uplink.status()["state"] == "up"
    assert buffer.counters()["stored"] == 6


async def test_an_outage_is_logged_once_and_so_is_its_end(buffer, caplog) -> None:
    caplog.set_level("INFO")
    fill(buffer, 1)
    uplink = Uplink(buffer, MoodySink(["down"] * 5))
    while not await uplink.drain():
        pass
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_lost_answer_is_asked_again_and_counted_as_duplicate(buffer) -> None:
    """The sink kept the rows; the gateway cannot know, sends them again and counts what it is told."""
    fill(buffer, 2)
    sink = MoodySink(["lost answer"])
    uplink = Uplink(buffer, sink)
    assert not await uplink.drain()
    assert await uplink.drain()
    assert len(sink.inner.rows) == 4
    assert buffer.counters() == {
        "polled": 4, "stored": 0, "duplicate": 4, "refused": 0, "dropped": 0, "waiting": 0,
    }  # fmt: skip


@pytest.mark.parametrize("error", [InputError("bad value"), UnknownInstitution("who?")])
async def test_only_the_row_the_sink_refuses_for_good_is_refused(buffer, error) -> None:
    fill(buffer, 5, rows=8)
    sink = MoodySink(poison=has(13.0))  # a row in the middle of the second batch
    sink.permanent = error
    assert await Uplink(buffer, sink).drain()
    assert len(sink.inner.rows) == 39
    assert buffer.counters()["refused"] == 1
    assert buffer.reasons()["refused"] == {"sink.refused": 1}
    assert holds(buffer.counters())


async def test_rows_the_sink_counts_as_refused_are_counted_as_refused(buffer) -> None:
    buffer.put(Batch.from_rows([(POWER, NOW_MS, float("nan"), 0), (POWER, NOW_MS + 1, 1.0, 0)]))
    assert await Uplink(buffer, MemorySink()).drain()
    assert buffer.counters()["refused"] == buffer.counters()["stored"] == 1


async def test_a_batch_that_breaks_the_sink_is_set_aside_when_others_pass(buffer) -> None:
    fill(buffer, 4)
    sink = MoodySink(poison=has(3.0))  # the second batch
    sink.permanent = RuntimeError("cannot encode")
    assert await Uplink(buffer, sink).drain()
    assert len(sink.inner.rows) == 6
    assert [(letter.seq, letter.rows) for letter in buffer.letters()] == [(2, 2)]
    assert "cannot encode" in buffer.letters()[0].reason
    assert buffer.reasons()["refused"] == {"sink.refused": 2}
    assert holds(buffer.counters())


@pytest.mark.parametrize("error", [RuntimeError("no route"), ConfigError("no such database")])
async def test_a_sink_that_takes_nothing_at_all_is_down_and_no_batch_is_blamed(buffer, error) -> None:
    fill(buffer, 3)
    sink = MoodySink(poison=lambda _batch: True)
    sink.permanent = error
    uplink = Uplink(buffer, sink)
    assert not await uplink.drain()
    assert buffer.waiting_rows() == 6
    assert buffer.letters() == []
    assert uplink.status()["last_error"] == str(error)
    sink.poison = lambda _batch: False
    assert await uplink.drain()
    assert len(sink.inner.rows) == 6


async def test_a_hiccup_while_batches_are_tried_singly_blames_nobody(buffer) -> None:
    fill(buffer, 3)
    sink = MoodySink(["bug", "bug"])  # all together, then the first alone; its second try passes
    assert await Uplink(buffer, sink).drain()
    assert len(sink.inner.rows) == 6
    assert buffer.letters() == []


async def test_the_only_batch_waiting_is_never_blamed_but_does_not_block_the_next(buffer) -> None:
    buffer.put(power_batch(0))
    sink = MoodySink(poison=has(0.0))
    sink.permanent = RuntimeError("cannot encode")
    uplink = Uplink(buffer, sink, table=UplinkTable(dead_letter_after=1))
    assert not await uplink.drain()
    assert not await uplink.drain()
    assert buffer.waiting_rows() == 1
    buffer.put(power_batch(1))
    assert await uplink.drain()
    assert len(sink.inner.rows) == 1
    assert len(buffer.letters()) == 1


async def test_a_sink_that_miscounts_is_not_covered_up(buffer) -> None:
    """The health figure is there to show it."""

    class Miscounting:
        def append(self, batch: Batch) -> AppendResult:
            return AppendResult(stored=len(batch) - 1)

    fill(buffer, 1)
    await Uplink(buffer, Miscounting()).drain()
    assert not holds(buffer.counters())


async def test_a_disk_too_full_to_note_the_answer_means_asking_again(buffer) -> None:
    fill(buffer, 2)
    sink = MemorySink()
    uplink = Uplink(buffer, sink)
    done, buffer.done = buffer.done, lambda *_: full_disk_error(buffer)
    assert not await uplink.drain()
    buffer.done = done
    assert await uplink.drain()
    assert len(sink.rows) == 4
    assert buffer.counters()["duplicate"] == 4


def full_disk_error(buffer: Buffer) -> None:
    full_disk(buffer, is_full=True)
    try:
        buffer.put(power_batch(0, 10_000))
    finally:
        full_disk(buffer, is_full=False)


async def test_stopping_hands_over_what_still_waits(buffer) -> None:
    sink = MemorySink()
    uplink = Uplink(buffer, sink, table=UplinkTable(flush_interval_s=3600))
    running = asyncio.create_task(uplink.run())
    fill(buffer, 1)
    await until(lambda: len(sink.rows) == 2)
    fill(buffer, 3)
    uplink.stop()
    await asyncio.wait_for(running, 5)
    assert len(sink.rows) == 6


async def test_after_failures_the_uplink_tries_again_by_itself(buffer) -> None:
    fill(buffer, 2)
    sink = MoodySink(["down", "bug", "lost answer"])
    uplink = Uplink(buffer, sink, table=UplinkTable(flush_interval_s=0.001), backoff=Backoff(first_s=0.001))
    running = asyncio.create_task(uplink.run())
    await until(lambda: buffer.waiting_rows() == 0)
    uplink.stop()
    await running
    assert len(sink.inner.rows) == 4


def test_waits_double_up_to_their_limit_with_jitter_and_start_short_again() -> None:
    class NoJitter(random.Random):
        def uniform(self, a: float, b: float) -> float:
            assert (a, b) == (0.5, 1.0)
            return b

    backoff = Backoff(first_s=1.0, limit_s=5.0, jitter=NoJitter())
    assert [backoff.next_s() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next_s() == 1.0
    real = Backoff(first_s=8.0, limit_s=8.0)
    assert all(4.0 <= real.next_s() <= 8.0 for _ in range(100))


async def test_rows_that_a_sink_refuses_while_it_takes_the_rest_are_found_and_kept(buffer) -> None:
    """It says how many, not which: they are asked for by halves, and asking again is harmless."""

    class TakesNoOddValues(MemorySink):
        def append(self, batch: Batch) -> AppendResult:
            even = batch.select(batch.value % 2 == 0)
            return super().append(even) + AppendResult(refused=len(batch) - len(even))

    sink = TakesNoOddValues()
    buffer.put(power_batch(0, 9))
    assert await Uplink(buffer, sink).drain()
    assert sorted(value for value, _ in sink.rows.values()) == [0.0, 2.0, 4.0, 6.0, 8.0]
    (letter,) = buffer.letters()
    assert buffer.letter(letter.seq)[1].value.tolist() == [1.0, 3.0, 5.0, 7.0]
    counts = buffer.counters()
    assert (counts["stored"], counts["refused"], counts["waiting"]) == (5, 4, 0)
    assert holds(counts)
