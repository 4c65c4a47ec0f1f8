"""What every store of readings must do, on DuckDB and on a real InfluxDB."""

import time
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan

import numpy as np
import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series
from tests.store.rows import EARLIEST_MS, END_MS, ENERGY, NOON_MS, POWER, WATER, read_all, rows_of

MINUTE_MS = 60_000


def batch_of(*rows) -> Batch:
    return Batch.from_rows(rows)


def test_stores_and_counts_every_row(store):
    result = store.append(batch_of((POWER, NOON_MS, 12.5, 0), (ENERGY, NOON_MS, 100.25, 0), (WATER, NOON_MS, 3.0, 0)))

    assert result == AppendResult(stored=3)
    assert read_all(store, [POWER.key, ENERGY.key, WATER.key]) == [
        (ENERGY.key, NOON_MS, 100.25, 0),
        (POWER.key, NOON_MS, 12.5, 0),
        (WATER.key, NOON_MS, 3.0, 0),
    ]


def test_the_same_batch_twice_changes_nothing_and_says_so(store):
    batch = batch_of(*((series, NOON_MS + at, at / 7, at % 3) for at in range(50) for series in (POWER, WATER)))

    assert store.append(batch) == AppendResult(stored=100)
    before = read_all(store, [POWER.key, WATER.key])
    assert store.append(batch) == AppendResult(duplicate=100)
    assert read_all(store, [POWER.key, WATER.key]) == before


def test_an_empty_batch_is_nothing(store):
    assert store.append(Batch.empty()) == AppendResult()
    assert store.append(Batch.of([POWER], [], [], [])) == AppendResult()
    assert store.series() == []
    assert len(store.latest()) == 0
    assert len(store.read([POWER.key], start_ms=0, end_ms=END_MS)) == 0


def test_another_value_at_the_same_time_replaces_the_old_one(store):
    store.append(batch_of((POWER, NOON_MS, 1.0, 0), (POWER, NOON_MS + 1, 2.0, 0)))

    assert store.append(batch_of((POWER, NOON_MS, 5.0, 0))) == AppendResult(stored=1, replaced=1)
    assert read_all(store, [POWER.key]) == [(POWER.key, NOON_MS, 5.0, 0), (POWER.key, NOON_MS + 1, 2.0, 0)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((1.0, 0), (1.0, int(Quality.SUSPECT)), id="quality appears"),
        pytest.param((1.0, int(Quality.MANUAL)), (1.0, 0), id="quality goes"),
        pytest.param((1.0, 0), (nan, int(Quality.BAD)), id="value is withdrawn"),
        pytest.param((nan, int(Quality.BAD)), (1.0, 0), id="value arrives late"),
        pytest.param((nan, int(Quality.BAD)), (nan, int(Quality.BAD | Quality.TIME_UNSURE)), id="still missing"),
    ],
)
def test_a_replacement_stands_in_value_and_quality(store, open_place, first, second):
    store.append(batch_of((POWER, NOON_MS, *first)))
    assert store.append(batch_of((POWER, NOON_MS, *second))) == AppendResult(stored=1, replaced=1)

    expected = rows_of(batch_of((POWER, NOON_MS, *second)))
    assert read_all(store, [POWER.key]) == expected
    assert rows_of(store.latest()) == expected
    assert store.append(batch_of((POWER, NOON_MS, *second))) == AppendResult(duplicate=1)
    assert store.append(batch_of((POWER, NOON_MS, *first))) == AppendResult(stored=1, replaced=1)
    assert read_all(store, [POWER.key]) == rows_of(batch_of((POWER, NOON_MS, *first)))


def test_within_one_batch_the_last_row_of_a_time_wins(store):
    """The counts are those of the rows one after the other: stored, replaced, duplicate, replaced."""
    result = store.append(batch_of(*((POWER, NOON_MS, value, 0) for value in (1.0, 2.0, 2.0, 1.0))))

    assert result == AppendResult(stored=3, duplicate=1, replaced=2)
    assert read_all(store, [POWER.key]) == [(POWER.key, NOON_MS, 1.0, 0)]


def test_one_series_may_stand_twice_in_the_table_of_a_batch(store):
    twin = Series(*POWER.key, measurement="electricity", building="A", region="370102")
    batch = Batch.of([POWER, twin], [0, 1, 1], [NOON_MS, NOON_MS, NOON_MS + 1], [1.0, 1.0, 2.0])

    assert store.append(batch) == AppendResult(stored=2, duplicate=1)
    assert read_all(store, [POWER.key]) == [(POWER.key, NOON_MS, 1.0, 0), (POWER.key, NOON_MS + 1, 2.0, 0)]


@pytest.mark.parametrize(
    ("time_ms", "value", "quality", "is_kept"),
    [
        pytest.param(NOON_MS, nan, 0, False, id="NaN nobody marked"),
        pytest.param(NOON_MS, nan, int(Quality.SUSPECT), False, id="NaN marked as something else"),
        pytest.param(NOON_MS, nan, int(Quality.BAD), True, id="NaN marked BAD"),
        pytest.param(NOON_MS, inf, int(Quality.BAD), False, id="infinite"),
        pytest.param(NOON_MS, -inf, 0, False, id="infinite below"),
        pytest.param(EARLIEST_MS - 1, 1.0, 0, False, id="before 1980"),
        pytest.param(EARLIEST_MS, 1.0, 0, True, id="first instant of 1980"),
        pytest.param(END_MS - 1, 1.0, 0, True, id="last instant of 2199"),
        pytest.param(END_MS, 1.0, 0, False, id="2200"),
        pytest.param(NOON_MS, 1.7976931348623157e308, 0, True, id="largest number"),
        pytest.param(NOON_MS, 5e-324, 0, True, id="smallest number"),
        pytest.param(NOON_MS, -1e-5, 255, True, id="every quality bit"),
    ],
)
def test_only_rows_that_can_never_be_kept_are_refused(store, end_ms, time_ms, value, quality, is_kept):
    bad, good = (POWER, time_ms, value, quality), (WATER, NOON_MS, 1.0, 0)
    is_kept = is_kept and time_ms < end_ms

    result = store.append(batch_of(bad, good))

    assert result == AppendResult(stored=1 + is_kept, refused=1 - is_kept)
    assert read_all(store, [POWER.key]) == (rows_of(batch_of(bad)) if is_kept else [])
    assert read_all(store, [WATER.key]) == [(WATER.key, NOON_MS, 1.0, 0)]


@pytest.mark.parametrize("series", [Series("a", "b", ""), Series("a", "\ud800", "power")])
def test_a_series_that_cannot_be_named_is_refused(store, series):
    assert store.append(batch_of((series, NOON_MS, 1.0, 0), (POWER, NOON_MS, 1.0, 0))) == AppendResult(1, 0, 1, 0)
    assert [entry.key for entry in store.series()] == [POWER.key]
    assert len(store.read([series.key], start_ms=0, end_ms=END_MS)) == 0


def test_rows_may_arrive_in_any_order(store):
    times = NOON_MS + np.random.default_rng(5).permutation(200) * MINUTE_MS
    late = Batch.of([POWER], np.zeros(200), times, times / 7)

    assert store.append(batch_of((POWER, NOON_MS + 10**9, 1.0, 0))) == AppendResult(stored=1)
    assert store.append(late) == AppendResult(stored=200)
    assert [row[1] for row in read_all(store, [POWER.key])] == [*sorted(times), NOON_MS + 10**9]


def test_a_range_includes_its_start_and_not_its_end(store):
    store.append(batch_of(*((POWER, NOON_MS + at, float(at), 0) for at in range(5))))

    def times(start_ms: int, end_ms: int) -> list[int]:
        return store.read([POWER.key], start_ms=start_ms, end_ms=end_ms).time_ms.tolist()

    assert times(NOON_MS + 1, NOON_MS + 3) == [NOON_MS + 1, NOON_MS + 2]
    assert times(NOON_MS + 3, NOON_MS + 3) == []
    assert times(NOON_MS + 4, NOON_MS) == []
    assert len(times(-(2**62), 2**62)) == 5


def test_reads_come_by_series_then_time_and_leave_out_what_nobody_knows(store):
    store.append(batch_of(*((series, NOON_MS + at, 1.0, 0) for at in (2, 0, 1) for series in (WATER, POWER))))

    batch = store.read([WATER.key, ("x", "y", "z"), POWER.key, POWER.key], start_ms=0, end_ms=END_MS)

    assert [series.key for series in batch.series] == [POWER.key, WATER.key]
    assert [(at, time_ms - NOON_MS) for at, time_ms in zip(batch.index, batch.time_ms, strict=True)] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip
    assert len(store.read([], start_ms=0, end_ms=END_MS)) == 0


def test_two_devices_never_share_a_reading(store):
    """Keys that look alike when glued together: each reads back its own value."""
    alike = [
        Series("a", "b.c", "power"),
        Series("a.b", "c", "power"),
        Series("a", "b", "c_power"),
        Series("a", "b", "power"),
    ]
    store.append(batch_of(*((series, NOON_MS, float(at), 0) for at, series in enumerate(alike))))

    for at, series in enumerate(alike):
        assert read_all(store, [series.key]) == [(series.key, NOON_MS, float(at), 0)]


def test_latest_is_the_newest_reading_whatever_came_last(store):
    store.append(batch_of((POWER, NOON_MS + 9, 9.0, 4), (WATER, NOON_MS, 1.0, 0)))
    store.append(batch_of((POWER, NOON_MS + 3, 3.0, 0), (WATER, NOON_MS + 5, nan, int(Quality.BAD))))

    assert rows_of(store.latest()) == [(POWER.key, NOON_MS + 9, 9.0, 4), (WATER.key, NOON_MS + 5, None, 1)]
    assert rows_of(store.latest("school-2")) == [(WATER.key, NOON_MS + 5, None, 1)]
    assert len(store.latest("nobody")) == 0


def test_series_are_listed_by_key_with_their_place(store):
    store.append(batch_of((WATER, NOON_MS, 1.0, 0), (POWER, NOON_MS, 1.0, 0), (ENERGY, NOON_MS, nan, 1)))

    listed = store.series()

    assert [series.key for series in listed] == [ENERGY.key, POWER.key, WATER.key]
    for series, expected in zip(listed, [ENERGY, POWER, WATER], strict=True):
        assert (series.measurement, series.building, series.region) == (
            expected.measurement, expected.building, expected.region,
        )  # fmt: skip
    assert [series.key for series in store.series("school-2")] == [WATER.key]


def test_a_refused_row_does_not_make_a_series(store):
    store.append(batch_of((WATER, NOON_MS, nan, 0), (POWER, NOON_MS, 1.0, 0)))

    assert [series.key for series in store.series()] == [POWER.key]


def test_the_first_description_of_a_series_stands(store, open_place):
    moved = Series(*POWER.key, measurement="electricity", building="B", region="370103")
    store.append(batch_of((POWER, NOON_MS, 1.0, 0)))
    assert store.append(batch_of((moved, NOON_MS, 1.0, 0), (moved, NOON_MS + 1, 2.0, 0))) == AppendResult(1, 1)

    assert [(series.building, series.region) for series in store.series()] == [("A", "370102")]
    assert len(read_all(store, [POWER.key])) == 2


AWKWARD = [
    "with space", " leading and trailing ", "a,b", "a=b", 'say "hi"', "it's", "back\\slash", "ends in backslash\\",
    "\\,", "line\nbreak", "tab\tnul\x00", "100%", "%5C", "%255C", "#comment", "济南市历下区第一中学", "⚡🏫", "字" * 1000,
    "time", "device", "x_q", "_q", "reading", "event", "'; DROP DATABASE x; --", '" FROM /.*/; --', "$1", "/re/", "\u2028",
]  # fmt: skip


def test_names_survive_whatever_they_contain(store, open_place):
    places = [Series(name, name, f"{name}", name, name, name) for name in AWKWARD]
    mixed = [Series("school", "one device", name, "electricity") for name in AWKWARD]
    everything = [*places, *mixed]
    batch = batch_of(*((series, NOON_MS, float(at), at % 2) for at, series in enumerate(everything)))
    expected = sorted(rows_of(batch))

    assert store.append(batch) == AppendResult(stored=len(everything))
    assert store.append(batch) == AppendResult(duplicate=len(everything))
    assert read_all(store, [series.key for series in everything]) == expected
    assert rows_of(store.latest()) == expected
    for series in places:
        assert [(one.key, one.measurement, one.building, one.region) for one in store.series(series.institution)] == [
            (series.key, series.measurement, series.building, series.region)
        ]


def test_closing_and_opening_keeps_everything(open_place):
    first = open_place()
    batch = batch_of((POWER, NOON_MS, 1.5, 0), (WATER, NOON_MS, nan, 1))
    first.append(batch)
    first.close()

    second = open_place()
    assert read_all(second, [POWER.key, WATER.key]) == rows_of(batch)
    assert rows_of(second.latest()) == rows_of(batch)
    assert second.append(batch) == AppendResult(duplicate=2)
    assert second.append(batch_of((POWER, NOON_MS - 1, 1.0, 0))) == AppendResult(stored=1)
    second.close()


def test_a_newest_reading_without_a_value_is_still_the_newest_after_opening_again(open_place):
    first = open_place()
    first.append(batch_of((WATER, NOON_MS, 1.5, 0), (WATER, NOON_MS + 1, nan, 5)))
    first.close()

    second = open_place()
    assert rows_of(second.latest()) == [(WATER.key, NOON_MS + 1, None, 5)]
    second.close()


def eventually(holds) -> None:
    """VictoriaMetrics shows what another process wrote within two seconds, the others at once."""
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert holds()


def test_two_stores_on_one_place_see_each_other(open_place):
    one, other = open_place(), open_place()
    assert one.append(batch_of((POWER, NOON_MS, 1.0, 0))) == AppendResult(stored=1)
    eventually(lambda: rows_of(other.latest()) == [(POWER.key, NOON_MS, 1.0, 0)])
    assert other.append(batch_of((WATER, NOON_MS, 2.0, 0))) == AppendResult(stored=1)
    eventually(lambda: [series.key for series in one.series()] == [POWER.key, WATER.key])
    assert len(read_all(one, [WATER.key])) == 1
    one.close()
    other.close()


def test_threads_may_append_and_read_at_once(store):
    """Each thread appends its own rows and everybody's shared ones; every row counts once as stored."""
    own = [Series("s", f"d{thread}", "power", "electricity") for thread in range(4)]
    shared = [(POWER, NOON_MS + at, float(at), 0) for at in range(50)]

    def work(thread: int) -> AppendResult:
        total = AppendResult()
        for part in range(5):
            rows = [(own[thread], NOON_MS + 10 * part + at, 1.0, 0) for at in range(10)]
            total += store.append(batch_of(*rows, *shared))
            store.latest()
            assert len(store.read([own[thread].key], start_ms=0, end_ms=END_MS)) == 10 * (part + 1)
        return total

    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(work, range(4)), AppendResult())

    # 4 threads x 5 parts x (10 own + 50 shared) = 1200 rows; 4 x 50 own and 50 shared ones are different.
    assert total == AppendResult(stored=250, duplicate=950)
    assert len(read_all(store, [POWER.key, *(series.key for series in own)])) == 250
