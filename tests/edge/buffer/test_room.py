"""What is given up first is what is worth least, every loss is on record, and a disk that runs short is respected."""

from collections import Counter

import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, holds
from kgce.edge.buffer.hours import Rate, hours_left
from kgce.edge.buffer.space import Bounds, Disk, Space
from tests.edge.fakes import NOW_MS, clock, rows_of

START_MS = NOW_MS - 86_400_000
NAMES = ["active_power_total", *(f"voltage_{i}" for i in range(27)), "active_energy_import", "error_code"]
WIDTH = len(NAMES)
TABLE = tuple(Series("hall", "main", name, "electricity") for name in NAMES)
SLOT_MS = 900_000


def poll(second: int) -> Batch:
    """All values of one meter at one second, none of which compresses."""
    random = np.random.default_rng(second)
    return Batch.of(TABLE, np.arange(WIDTH), np.full(WIDTH, START_MS + second * 1000), random.random(WIDTH))


def kept(buffer: Buffer) -> Counter:
    """Rows that wait, by quantity."""
    found: Counter = Counter()
    parcel, after = buffer.peek_oldest(10**9), 0
    while parcel is not None:
        found.update(series.quantity for series, *_ in rows_of(parcel.batch))
        after = parcel.last
        parcel = buffer.peek_oldest(10**9, after=after)
    return found


def test_gauges_are_thinned_first_counters_and_states_stay_whole(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=400_000, clock=clock) as buffer:
        seconds = 0
        while not buffer.drops():
            buffer.put(poll(seconds))
            seconds += 1
        for _ in range(300):
            buffer.put(poll(seconds))
            seconds += 1
        found = kept(buffer)
        assert found["active_energy_import"] == found["error_code"] == seconds
        assert found["active_power_total"] < seconds
        assert set(buffer.reasons()["dropped"]) == {"buffer.thinned"}
        assert holds(buffer.counters())
        assert buffer.size_bytes() <= 400_000


def test_the_first_reading_of_each_quarter_of_an_hour_is_what_stays_of_a_gauge(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=300_000, clock=clock) as buffer:
        for second in range(0, 7200, 10):
            buffer.put(poll(second))
        thinned = buffer._db.execute("SELECT max(seq) FROM batch WHERE level = 1").fetchone()[0]
        times = [
            (time_ms - START_MS) // 1000
            for parcel in [buffer.peek_oldest(10**9)]
            for series, time_ms, *_ in rows_of(parcel.batch)
            if series.quantity == "active_power_total" and (time_ms - START_MS) // 10_000 < thinned
        ]
        assert times == list(range(0, (thinned - 1) * 10 + 1, 900))


def test_then_gauges_go_altogether_and_whole_batches_last_oldest_first(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=80_000, clock=clock) as buffer:
        reasons = []
        for i in range(2000):
            buffer.put(poll(i * 900))  # one of each quarter of an hour: nothing to thin
            new = set(buffer.reasons().get("dropped", {})) - set(reasons)
            reasons += sorted(new)
            if "buffer.full" in reasons:
                break
        assert reasons == ["buffer.gauges", "buffer.full"]
        assert holds(buffer.counters())
        records = {drop.reason: drop for drop in buffer.drops()}
        assert records["buffer.full"].first_seq == 1
        assert sum(drop.rows for drop in buffer.drops(1000)) == buffer.counters()["dropped"]


def test_a_name_nobody_knows_is_kept_like_a_counter(tmp_path) -> None:
    strange = Series("hall", "main", "thing", "x")
    with Buffer(tmp_path, max_bytes=60_000, clock=clock) as buffer:
        random = np.random.default_rng(0)
        for i in range(40):
            buffer.put(Batch.of((strange,), np.zeros(100), START_MS + np.arange(100) + i * 1000, random.random(100)))
        assert set(buffer.reasons()["dropped"]) == {"buffer.full"}


def test_below_the_disks_floor_the_file_stops_growing_and_polling_goes_on(tmp_path) -> None:
    disk = [Disk(10**9, 10**9)]
    bounds = Bounds(10**9, min_free_bytes=10**8, min_free_share=0.1)
    now = iter(range(10**9))
    with Buffer(
        tmp_path, bounds=bounds, clock=clock, monotonic=lambda: float(next(now)), disk=lambda _: disk[0]
    ) as buffer:
        for second in range(500):
            buffer.put(poll(second))
        assert not buffer.drops()
        disk[0] = Disk(10**9, 10**8 - 1)
        size = buffer._file_bytes()
        for second in range(500, 1000):
            buffer.put(poll(second))
        assert buffer._file_bytes() <= size * 1.1
        assert buffer.status()["below_floor"]
        assert buffer.counters()["polled"] == 1000 * WIDTH
        assert holds(buffer.counters())
        disk[0] = Disk(10**9, 10**9)
        dropped = buffer.counters()["dropped"]
        for second in range(1000, 1050):
            buffer.put(poll(second))
        assert buffer.counters()["dropped"] == dropped


def test_a_small_disk_keeps_half_of_itself_to_others_at_most() -> None:
    space = Space(Bounds(10**9, min_free_bytes=10**8), lambda: Disk(10**7, 10**7))
    assert space.floor_bytes == 5 * 10**6
    assert not space.is_short()


def test_a_disk_that_cannot_be_asked_bounds_nothing() -> None:
    def broken() -> Disk:
        raise OSError

    space = Space(Bounds(123, min_free_bytes=10**8), broken)
    assert not space.is_short()
    assert space.bound(5) == 123


def test_the_rate_is_known_after_a_minute_and_forgets_after_an_hour() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0])
    rate.add(6000)
    assert rate.per_hour() is None
    now[0] = 60.0
    assert rate.per_hour() == 360_000  # 6 000 bytes in a minute
    now[0] = 3600.0 + 120.0
    rate.add(1000)
    assert rate.per_hour() == 1000
    assert Rate(lambda: now[0], known=77.0).per_hour() == 77.0


@pytest.mark.parametrize(
    ("given", "hours", "by"),
    [
        ({"used": 40, "size_bound": 100, "disk_bytes": 1000, "bytes_per_hour": 10.0}, 6.0, "size"),
        ({"used": 40, "size_bound": 100, "disk_bytes": 30, "bytes_per_hour": 10.0}, 3.0, "disk"),
        ({"used": 40, "size_bound": 100, "disk_bytes": -5, "bytes_per_hour": 10.0}, 0.0, "disk"),
        ({"used": 40, "size_bound": 100, "disk_bytes": 1000, "bytes_per_hour": None}, None, "size"),
        (
            {"used": 40, "size_bound": 100, "disk_bytes": 1000, "bytes_per_hour": 10.0, "max_age_h": 8, "oldest_h": 5},
            3,
            "age",
        ),
        (
            {"used": 40, "size_bound": 100, "disk_bytes": 1000, "bytes_per_hour": 10.0, "max_age_h": 80, "oldest_h": 5},
            6,
            "size",
        ),
    ],
)
def test_hours_left_are_those_of_the_narrowest_bound(given, hours, by) -> None:
    left = hours_left(**{"max_age_h": None, "oldest_h": 0.0, **given})
    assert (left.hours, left.bound_by) == (hours, by)


def test_what_is_under_way_is_not_thinned_under_its_hands(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        for second in range(100):
            buffer.put(poll(second))
        parcel = buffer.peek_oldest(20 * WIDTH)
        for second in range(100, 600):
            buffer.put(poll(second))
        assert buffer.drops()
        buffer.done(parcel, Counter({(Count.STORED, ""): len(parcel)}))
        assert holds(buffer.counters())
