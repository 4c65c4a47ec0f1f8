"""After an outage live goes first and never waits; history follows newest first, at its rate, and order holds where it matters."""

import pytest

from kgce.domain.batch import Batch
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count
from kgce.edge.uplink.config import UplinkTable
from kgce.edge.uplink.lanes import Lanes
from kgce.edge.uplink.uplink import Uplink
from tests.edge.fakes import ENERGY, NOW_MS, MemorySink, MoodySink, clock, power_batch


@pytest.fixture
def buffer(tmp_path):
    with Buffer(tmp_path, clock=clock) as opened:
        yield opened


class Seconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lanes(buffer, time=None, **keys) -> Lanes:
    return Lanes(buffer, UplinkTable(**keys), clock=time or Seconds())


def taken(lanes, buffer, count: int) -> list[tuple[int, int]]:
    """(first, last) of the next parcels, each delivered at once."""
    found = []
    for _ in range(count):
        parcel = lanes.next()
        if parcel is None:
            break
        found.append((parcel.first, parcel.last))
        buffer.done(parcel, {(Count.STORED, ""): len(parcel)})
        lanes.delivered(parcel, 0.1)
    return found


def test_what_waited_at_the_start_follows_newest_first(buffer) -> None:
    for i in range(6):
        buffer.put(power_batch(i * 100, 100))
    assert taken(lanes(buffer, rows_per_message=200), buffer, 9) == [(5, 6), (3, 4), (1, 2)]


def test_live_goes_between_history_and_history_between_live(buffer) -> None:
    for i in range(4):
        buffer.put(power_batch(i * 100, 100))
    two = lanes(buffer, rows_per_message=100)
    for i in range(4, 7):
        buffer.put(power_batch(i * 100, 100))
    assert taken(two, buffer, 7) == [(5, 5), (4, 4), (6, 6), (3, 3), (7, 7), (2, 2), (1, 1)]


def test_history_keeps_to_its_rate_and_live_does_not_wait_for_it(buffer) -> None:
    time = Seconds()
    for i in range(5):
        buffer.put(power_batch(i * 100, 100))
    two = lanes(buffer, time, rows_per_message=100, catch_up_rows_per_s=150)
    assert taken(two, buffer, 9) == [(5, 5), (4, 4)], "the second parcel overdraws what one second allows"
    buffer.put(power_batch(600, 100))
    assert taken(two, buffer, 9) == [(6, 6)]
    time.now = 1.0
    assert taken(two, buffer, 9) == [(3, 3)]
    assert two.next(unlimited=True).first == 2, "a gateway that stops hands over what it can"


def test_a_short_interruption_changes_no_order_a_long_one_makes_history(buffer) -> None:
    time = Seconds()
    two = lanes(buffer, time, rows_per_message=100)
    for i in range(3):
        buffer.put(power_batch(i * 100, 100))
    two.failed()
    time.now = 59.0
    two.failed()
    assert (two.next().first, two.boundary) == (1, 0)
    time.now = 61.0
    two.failed()
    assert (two.next().first, two.boundary) == (3, 3)


def test_a_sink_too_slow_for_what_comes_in_gets_the_newest_first(buffer) -> None:
    two = lanes(buffer, rows_per_message=100)
    for i in range(9):
        buffer.put(power_batch(i * 100, 100))
    assert taken(two, buffer, 7) == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (9, 9), (8, 8)]


def test_parcels_shrink_for_a_slow_sink_and_grow_again(buffer) -> None:
    for i in range(20):
        buffer.put(power_batch(i * 100, 100))
    two = lanes(buffer, rows_per_message=800)
    sizes = []
    for took_s in (10.0, 10.0, 10.0, 0.1, 0.1):
        parcel = two.next(unlimited=True)
        sizes.append(len(parcel))
        buffer.done(parcel, {(Count.STORED, ""): len(parcel)})
        two.delivered(parcel, took_s)
    assert sizes == [800, 400, 200, 100, 200]


def energy(at: int, value: float) -> Batch:
    return Batch.from_rows([(ENERGY, NOW_MS + at * 1000, value, 0)])


async def test_a_correction_is_never_overwritten_by_the_older_value_that_waited_with_it(buffer) -> None:
    """Newest first would hand over the correction before what it corrects."""
    buffer.put(energy(0, 1.0))
    buffer.put(energy(1, 2.0))
    buffer.put(energy(0, 1.5))  # corrects the first
    buffer.put(energy(2, 3.0))
    sink = MemorySink()
    assert await Uplink(buffer, sink, table=UplinkTable(rows_per_message=1)).drain()
    assert sink.rows[ENERGY.key, NOW_MS] == (1.5, 0)
    assert len(sink.rows) == 3


async def test_a_correction_put_after_a_restart_waits_for_what_it_corrects(tmp_path) -> None:
    with Buffer(tmp_path, clock=clock) as buffer:
        buffer.put(energy(0, 1.0))
    with Buffer(tmp_path, clock=clock) as buffer:
        sink = MoodySink()
        uplink = Uplink(buffer, sink, table=UplinkTable(rows_per_message=1))
        buffer.put(energy(0, 1.5))
        assert await uplink.drain()
        assert sink.inner.rows[ENERGY.key, NOW_MS] == (1.5, 0)
