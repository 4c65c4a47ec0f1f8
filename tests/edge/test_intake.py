"""Batches of many sources become durable together, each as if it had come alone."""

import asyncio
import threading

import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import StoreUnavailable
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.checks.checks import Checks
from kgce.edge.intake import GroupedIntake, Intake
from tests.edge.fakes import NOW_MS, clock, full_disk, rows_of


def batch(device: str, at: int, rows: int = 1) -> Batch:
    series = Series("office-1", device, "voltage_l1_n", "electricity")
    return Batch.from_rows((series, NOW_MS - 10**8 + at + row, 230.0 + at + row, 0) for row in range(rows))


class SlowBuffer(Buffer):
    """A real buffer whose first commit waits until the test lets it go; counts commits."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.go = threading.Event()
        self.commits: list[int] = []

    def put_all(self, batches, *, clock_id="") -> int:
        assert self.go.wait(10)
        self.commits.append(len(batches))
        return super().put_all(batches, clock_id=clock_id)


@pytest.fixture
def buffer(tmp_path):
    with SlowBuffer(tmp_path, clock=clock) as opened:
        yield opened


def grouped(buffer) -> GroupedIntake:
    return GroupedIntake(Intake(Checks(clock=clock), buffer))


async def start(intake: GroupedIntake, jobs) -> list[asyncio.Future]:
    """Every sender's emit, begun before the first commit may end."""
    tasks = [intake.take(sender, one) for sender, one in jobs]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_gathers_during_a_commit_is_committed_together(buffer) -> None:
    tasks = await start(grouped(buffer), [(name, batch(name, 1)) for name in "abcdefgh"])
    buffer.go.set()
    await asyncio.gather(*tasks)
    assert sum(buffer.commits) == 8
    assert len(buffer.commits) <= 2
    assert buffer.waiting_rows() == 8


async def test_batches_of_one_sender_keep_their_order_in_commits_of_their_own(buffer) -> None:
    tasks = await start(grouped(buffer), [("a", batch("a", at * 1000)) for at in range(5)])
    buffer.go.set()
    await asyncio.gather(*tasks)
    assert buffer.commits == [1] * 5
    times = [time_ms for _, time_ms, _, _ in rows_of(buffer.peek_oldest(100).batch)]
    assert times == sorted(times)


async def test_a_repeat_by_the_same_sender_in_the_queue_is_a_duplicate(buffer) -> None:
    tasks = await start(grouped(buffer), [("a", batch("a", 1)), ("a", batch("a", 1))])
    buffer.go.set()
    await asyncio.gather(*tasks)
    assert buffer.counters()["duplicate"] == 1
    assert buffer.waiting_rows() == 1


async def test_nobody_is_told_that_a_batch_is_safe_before_it_is(buffer) -> None:
    tasks = await start(grouped(buffer), [("a", batch("a", 1)), ("b", batch("b", 1))])
    assert not any(task.done() for task in tasks)
    assert buffer.waiting_rows() == 0
    buffer.go.set()
    await asyncio.gather(*tasks)


async def test_a_batch_that_does_not_fit_costs_no_other_its_place(buffer) -> None:
    """On a disk with room for little, the small batches are kept and the large one's sender is told."""
    buffer.go.set()
    await grouped(buffer).take("first", batch("first", 1, rows=2000))
    full_disk(buffer, is_full=True)
    intake = grouped(buffer)
    tasks = await start(intake, [("large", batch("large", 1, rows=50_000)), ("small", batch("small", 1))])
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], StoreUnavailable)
    assert results[1] is None
    assert buffer.waiting_rows() == 2001
    assert buffer.counters()["polled"] == 2001
