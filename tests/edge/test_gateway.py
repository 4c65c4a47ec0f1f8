"""The gateway joins the stages: durable before acknowledged, one failure never spreads, a stop is quick and clean."""

import asyncio
import threading
import time

import orjson
import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import DeviceUnreachable
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from kgce.edge.gateway import Gateway
from kgce.edge.uplink.backoff import Backoff
from kgce.edge.uplink.config import UplinkTable
from tests.edge.fakes import (
    NOW_MS,
    VOLTAGE,
    FakeSource,
    MemorySink,
    MoodySink,
    clock,
    full_disk,
    power_batch,
    until,
)


def quick() -> Backoff:
    return Backoff(first_s=0.001, limit_s=0.01)


@pytest.fixture
def buffer(tmp_path):
    with Buffer(tmp_path, clock=clock) as opened:
        yield opened


def make(buffer, sources, sink, **options) -> Gateway:
    return Gateway(
        "gw-1",
        sources,
        sink,
        buffer,
        clock=clock,
        **{"uplink": UplinkTable(flush_interval_s=0.005), "make_backoff": quick, **options},
    )


async def stop(running: asyncio.Task) -> float:
    """Seconds it took."""
    begin = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return time.monotonic() - begin


async def test_readings_of_all_sources_reach_the_sink_and_are_counted(buffer) -> None:
    sources = [FakeSource("a", [power_batch(0, 3)]), FakeSource("b", [power_batch(10, 2), power_batch(20, 5)])]
    sink = MemorySink()
    gateway = make(buffer, sources, sink)
    running = asyncio.create_task(gateway.run())
    await until(lambda: len(sink.rows) == 10 and buffer.waiting_rows() == 0)
    assert gateway.counters() == {
        "polled": 10, "stored": 10, "duplicate": 0, "refused": 0, "dropped": 0, "waiting": 0,
    }  # fmt: skip
    assert await stop(running) < 5


async def test_emit_returns_only_when_the_batch_is_on_disk(buffer) -> None:
    """A source acknowledges after emit; a kill right then must find the batch."""
    source = FakeSource("a", [power_batch(0, 3)])
    gateway = make(buffer, [source], MoodySink(["down"] * 1000))
    running = asyncio.create_task(gateway.run())
    await until(lambda: source.acknowledged == 1)
    on_disk = buffer._db.execute("SELECT sum(rows) FROM batch").fetchone()[0]
    assert on_disk == 3
    assert not buffer._db.in_transaction
    await stop(running)


async def test_marks_and_refusals_of_the_checks_are_applied_on_the_way(buffer) -> None:
    rows = [(VOLTAGE, NOW_MS, float("inf"), 0), (VOLTAGE, NOW_MS, -1.0, 0)]
    sink = MemorySink()
    gateway = make(buffer, [FakeSource("a", [Batch.from_rows(rows)])], sink)
    running = asyncio.create_task(gateway.run())
    await until(lambda: len(sink.rows) == 1)
    assert sink.rows[VOLTAGE.key, NOW_MS] == (-1.0, int(Quality.OUT_OF_RANGE))
    assert gateway.counters()["refused"] == 1
    assert gateway.status()["marks"] == {"value.out_of_range": 1}
    await stop(running)


@pytest.mark.parametrize("death", [RuntimeError("bug"), DeviceUnreachable("gone"), asyncio.CancelledError()])
async def test_a_source_that_dies_is_started_again_and_the_others_go_on(buffer, caplog, death) -> None:
    caplog.set_level("INFO", logger="kgce.edge.supervisor")
    dying = FakeSource("dying", [power_batch(0), death, death, death, power_batch(1)])
    healthy = FakeSource("healthy", [power_batch(10 + i) for i in range(5)])
    sink = MemorySink()
    gateway = make(buffer, [dying, healthy], sink)
    running = asyncio.create_task(gateway.run())
    await until(lambda: len(sink.rows) == 7 and dying.acknowledged == 2)
    assert (dying.starts, healthy.starts) == (4, 1)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"], "said once, and once when it is back"
    status = {source["name"]: source for source in gateway.status()["sources"]}
    assert status["dying"]["restarts"] == 3
    assert not status["dying"]["failing"]
    assert await stop(running) < 5


async def test_a_source_that_is_finished_is_not_started_again(buffer) -> None:
    class Finite(FakeSource):
        async def run(self, emit) -> None:
            self.starts += 1
            await emit(power_batch(0))

    source, sink = Finite("file"), MemorySink()
    running = asyncio.create_task(make(buffer, [source], sink).run())
    await until(lambda: len(sink.rows) == 1)
    assert not running.done(), "the uplink stays"
    assert source.starts == 1
    await stop(running)


async def test_a_full_disk_is_told_once_counted_as_dropped_and_polling_goes_on(buffer, caplog) -> None:
    caplog.set_level("INFO", logger="kgce.edge.gateway")
    source = FakeSource("a")
    gateway = make(buffer, [source], MoodySink(["down"] * 10_000))
    emit = gateway.emitter(source)
    full_disk(buffer, is_full=True)
    for i in range(20):
        await emit(power_batch(1000 * i, 1000))
    counts = gateway.counters()
    assert counts["polled"] == 20_000
    assert counts["dropped"] >= 19_000
    assert holds(counts)
    full_disk(buffer, is_full=False)
    await emit(power_batch(50_000, 10))
    assert gateway.counters()["waiting"] == counts["waiting"] + 10
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "disk is full" in caplog.messages[0]


class RepeatingSource(FakeSource):
    """Like MQTT QoS 1: what was not acknowledged comes again after a restart."""

    repeats_unacknowledged = True

    async def run(self, emit) -> None:
        self.starts += 1
        while self.batches:
            await emit(self.batches[0])
            self.batches.pop(0)
            self.acknowledged += 1
        await asyncio.Event().wait()


async def test_a_sender_that_repeats_is_not_told_that_a_lost_batch_is_safe(buffer) -> None:
    """Without the acknowledgement the sender keeps the message: nothing is lost, nothing counted, no repeat seen."""
    source, sink = RepeatingSource("mqtt", [power_batch(0, 2000)]), MemorySink()
    full_disk(buffer, is_full=True)
    gateway = make(buffer, [source], sink)
    running = asyncio.create_task(gateway.run())
    await until(lambda: source.starts >= 3)
    assert source.acknowledged == 0
    assert gateway.counters()["polled"] == gateway.counters()["dropped"] == 0
    full_disk(buffer, is_full=False)
    await until(lambda: len(sink.rows) == 2000 and buffer.waiting_rows() == 0)
    assert source.acknowledged == 1
    assert gateway.counters()["stored"] == gateway.counters()["polled"] == 2000
    await stop(running)


async def test_stopping_commits_what_is_under_way_and_hands_over_the_rest(buffer) -> None:
    """The emit is held inside the buffer's lock while the gateway is told to stop."""
    source, sink = FakeSource("a", [power_batch(0, 3)]), MemorySink()
    gateway = make(buffer, [source], sink, uplink=UplinkTable(flush_interval_s=3600))
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with buffer._lock:
            holding.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    running = asyncio.create_task(gateway.run())
    await until(lambda: len(gateway._in_flight) == 1)
    running.cancel()
    await until(lambda: not any(task.get_name() == "a" for task in asyncio.all_tasks()))
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    holder.join()
    assert source.acknowledged == 0, "the source was cancelled before it could acknowledge"
    assert len(sink.rows) == 3, "its batch was committed and handed over all the same"
    assert holds(gateway.counters())


async def test_a_sink_that_hangs_does_not_keep_the_gateway_from_stopping(buffer) -> None:
    release = threading.Event()

    class Hanging(MemorySink):
        def append(self, batch):
            release.wait(30)
            return super().append(batch)

    gateway = make(buffer, [FakeSource("a", [power_batch(0, 3)])], Hanging())
    running = asyncio.create_task(gateway.run())
    await until(lambda: buffer.waiting_rows() == 3)
    try:
        assert await stop(running) < 5
        assert buffer.waiting_rows() == 3, "not answered for, so still here"
    finally:
        release.set()


async def test_a_source_that_ignores_its_cancellation_does_not_keep_the_gateway_from_stopping(buffer) -> None:
    let_go = asyncio.Event()

    class Deaf(FakeSource):
        async def run(self, emit) -> None:
            self.starts += 1
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

    source = Deaf("deaf")
    running = asyncio.create_task(make(buffer, [source], MemorySink()).run())
    await until(lambda: source.starts == 1)
    assert await stop(running) < 5
    let_go.set()
    await until(lambda: not any(task.get_name() == "deaf" for task in asyncio.all_tasks()))


async def test_what_waits_is_sent_after_the_next_start(tmp_path) -> None:
    with Buffer(tmp_path, clock=clock) as buffer:
        source = FakeSource("a", [power_batch(0, 3)])
        running = asyncio.create_task(make(buffer, [source], MoodySink(["down"] * 1000)).run())
        await until(lambda: source.acknowledged == 1)
        await stop(running)
    sink = MemorySink()
    with Buffer(tmp_path, clock=clock) as buffer:
        gateway = make(buffer, [], sink)
        running = asyncio.create_task(gateway.run())
        await until(lambda: len(sink.rows) == 3)
        await stop(running)
        assert gateway.counters() == {
            "polled": 3, "stored": 3, "duplicate": 0, "refused": 0, "dropped": 0, "waiting": 0,
        }  # fmt: skip


async def test_the_status_is_json_and_says_how_the_gateway_is(buffer) -> None:
    source = FakeSource("a", [power_batch(0, 3)])
    gateway = make(buffer, [source], MoodySink(["down"] * 1000))
    running = asyncio.create_task(gateway.run())
    await until(lambda: gateway.status()["uplink"]["failures"] > 0)
    status = orjson.loads(orjson.dumps(gateway.status()))
    assert status["gateway"] == "gw-1"
    assert status["boot"] == buffer.boot
    assert status["counters"]["waiting"] == 3
    assert status["equation_holds"] is True
    assert status["uplink"]["state"] == "down"
    assert status["uplink"]["last_error"] == "the sink is down"
    assert status["buffer"]["batches"] == 1
    assert 0 < status["buffer"]["bytes"] < status["buffer"]["max_bytes"]
    assert status["devices"][0]["device"] == "a"
    await stop(running)


async def test_an_empty_batch_is_nothing(buffer) -> None:
    gateway = make(buffer, [], MemorySink())
    await gateway.emitter(FakeSource("a"))(Batch.empty())
    assert gateway.counters()["polled"] == 0


def test_closing_the_gateway_lets_the_next_one_have_the_buffer(tmp_path) -> None:
    make(Buffer(tmp_path), [], MemorySink()).close()
    Buffer(tmp_path).close()
