"""What every store of readings must do with several batches, deletions, marks, rollups and events."""

from math import nan

import numpy as np
import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import InputError
from kgce.domain.events import Event, Severity
from kgce.domain.ports import AppendResult, StoredEvent
from kgce.domain.rollup import Rollup
from tests.store.rows import END_MS, ENERGY, NOON_MS, POWER, WATER, read_all, rows_of

SLOT_MS = 900_000
SLOT = NOON_MS // SLOT_MS * SLOT_MS
ALL = [POWER, ENERGY, WATER]


def batch_of(*rows) -> Batch:
    return Batch.from_rows(rows)


def marks_of(touched) -> list[tuple]:
    return [
        (touched.series[at].key, start_ms, end_ms)
        for at, start_ms, end_ms in zip(
            touched.index.tolist(), touched.start_ms.tolist(), touched.end_ms.tolist(), strict=True
        )
    ]


def test_several_batches_are_kept_in_their_order_and_counted_one_by_one(store):
    """The second corrects the first and repeats itself; the third has a row nobody can keep; the last is a repeat."""
    first = batch_of((POWER, NOON_MS, 1.0, 0), (WATER, NOON_MS, 5.0, 0))
    second = batch_of((POWER, NOON_MS, 2.0, 0), (POWER, NOON_MS, 2.0, 0))
    third = batch_of((ENERGY, NOON_MS, nan, 0), (ENERGY, NOON_MS + 1, 7.0, 0))

    assert store.append_all([first, second, third, Batch.empty(), first.select(np.array([1]))]) == [
        AppendResult(stored=2),
        AppendResult(stored=1, duplicate=1, replaced=1),
        AppendResult(stored=1, refused=1),
        AppendResult(),
        AppendResult(duplicate=1),
    ]
    assert read_all(store, [one.key for one in ALL]) == [
        (ENERGY.key, NOON_MS + 1, 7.0, 0),
        (POWER.key, NOON_MS, 2.0, 0),
        (WATER.key, NOON_MS, 5.0, 0),
    ]
    assert store.append_all([]) == []


def test_what_is_deleted_is_gone_and_may_come_again(store, open_place):
    store.append(batch_of(*((series, NOON_MS + at, float(at), at % 2) for series in ALL for at in range(6))))

    assert store.delete([POWER.key, WATER.key], start_ms=NOON_MS + 2, end_ms=NOON_MS + 4) == 4
    assert store.delete([POWER.key], start_ms=NOON_MS + 2, end_ms=NOON_MS + 4) == 0
    assert [row[1] - NOON_MS for row in read_all(store, [POWER.key])] == [0, 1, 4, 5]
    assert len(read_all(store, [ENERGY.key])) == 6

    again = batch_of((POWER, NOON_MS + 2, 2.0, 0), (POWER, NOON_MS + 3, nan, int(Quality.BAD)))
    assert store.append(again) == AppendResult(stored=2)
    assert store.append(again) == AppendResult(duplicate=2)
    assert read_all(store, [POWER.key])[2:4] == [(POWER.key, NOON_MS + 2, 2.0, 0), (POWER.key, NOON_MS + 3, None, 1)]
    assert store.delete([("x", "y", "z")], start_ms=0, end_ms=END_MS) == 0
    assert store.delete([POWER.key], start_ms=NOON_MS + 1, end_ms=NOON_MS + 1) == 0


def test_the_newest_reading_may_be_deleted(store, open_place):
    store.append(batch_of((POWER, NOON_MS - 10**9, 1.0, 0), (POWER, NOON_MS, 2.0, 0), (WATER, NOON_MS, 3.0, 0)))

    assert store.delete([POWER.key], start_ms=NOON_MS, end_ms=NOON_MS + 1) == 1
    for opened in (store, open_place()):
        assert rows_of(opened.latest()) == [(POWER.key, NOON_MS - 10**9, 1.0, 0), (WATER.key, NOON_MS, 3.0, 0)]
    assert store.delete([POWER.key], start_ms=0, end_ms=END_MS) == 1
    for opened in (store, open_place()):
        assert rows_of(opened.latest()) == [(WATER.key, NOON_MS, 3.0, 0)]
        assert [one.key for one in opened.series()] == [WATER.key]
    assert store.append(batch_of((POWER, NOON_MS, 9.0, 2))) == AppendResult(stored=1)
    assert read_all(store, [POWER.key]) == [(POWER.key, NOON_MS, 9.0, 2)]


def test_rows_in_their_order_touch_nothing(store):
    store.append(batch_of((POWER, NOON_MS, 1.0, 0), (POWER, NOON_MS + 1, 2.0, 0)))
    store.append(batch_of((POWER, NOON_MS + 2, 3.0, 0)))
    store.append(batch_of((POWER, NOON_MS + 2, 3.0, 0)))

    assert marks_of(store.touched()) == []


def test_late_corrected_and_deleted_readings_mark_their_slots(store, open_place):
    """Slots are quarters of an hour from the whole hour; neighbours become one mark."""
    store.append(batch_of((POWER, SLOT + 10 * SLOT_MS, 1.0, 0), (WATER, SLOT, 1.0, 0), (ENERGY, SLOT, 1.0, 0)))
    start = store.touched().cursor

    store.append(batch_of((POWER, SLOT, 1.0, 0), (POWER, SLOT + SLOT_MS, 2.0, 0), (POWER, SLOT + 5 * SLOT_MS, 3.0, 0)))
    store.append(batch_of((WATER, SLOT, 2.0, 0)))
    assert store.delete([ENERGY.key], start_ms=SLOT, end_ms=SLOT + 1) == 1

    expected = [
        (ENERGY.key, SLOT, SLOT + SLOT_MS),
        (POWER.key, SLOT, SLOT + 2 * SLOT_MS),
        (POWER.key, SLOT + 5 * SLOT_MS, SLOT + 6 * SLOT_MS),
        (WATER.key, SLOT, SLOT + SLOT_MS),
    ]
    assert sorted(marks_of(store.touched(start))) == expected
    reopened = open_place()
    assert sorted(marks_of(reopened.touched())) == expected
    assert reopened.touched().series[0].measurement


def test_the_cursor_leads_on(store):
    store.append(batch_of((POWER, SLOT + SLOT_MS, 1.0, 0)))
    store.append(batch_of((POWER, SLOT, 1.0, 0)))
    cursor = store.touched().cursor
    store.append(batch_of((POWER, SLOT - 5 * SLOT_MS, 1.0, 0)))

    after = store.touched(cursor)
    assert (POWER.key, SLOT - 5 * SLOT_MS, SLOT - 4 * SLOT_MS) in marks_of(after)
    assert after.cursor >= cursor


@pytest.mark.parametrize("every_ms", [SLOT_MS, 60_000, 86_400_000])
def test_a_rollup_is_that_of_the_readings(store, every_ms):
    """Expected by plain loops over the rows."""
    rng = np.random.default_rng(11)
    times = SLOT + rng.permutation(400) * 47_001
    value, quality = rng.normal(100, 30, 400).round(3), rng.choice([0, 0, 0, 1, 2, 16], 400)
    batch = Batch.of([POWER, WATER], rng.integers(0, 2, 400), times, value, quality)
    store.append(batch)
    start_ms, end_ms = SLOT + 500_000, SLOT + 15_000_000

    found = store.rollup([POWER.key, WATER.key, ("x", "y", "z")], start_ms=start_ms, end_ms=end_ms, every_ms=every_ms)

    assert _plain(found) == pytest.approx(_expected(batch, start_ms, end_ms, every_ms), rel=1e-12, nan_ok=True)
    assert len(found) > 2


def _plain(rollup: Rollup) -> dict[tuple, float]:
    names = ("rows", "count", "minimum", "maximum", "mean", "first", "last")
    return {
        (*rollup.series[rollup.index[at]].key, int(rollup.start_ms[at]), name): float(getattr(rollup, name)[at])
        for at in range(len(rollup))
        for name in names
    }


def _expected(batch: Batch, start_ms: int, end_ms: int, every_ms: int) -> dict[tuple, float]:
    groups: dict[tuple, list] = {}
    for at in np.argsort(batch.time_ms):
        time_ms = int(batch.time_ms[at])
        if start_ms <= time_ms < end_ms:
            key = (*batch.series[batch.index[at]].key, time_ms // every_ms * every_ms)
            groups.setdefault(key, []).append((float(batch.value[at]), int(batch.quality[at])))
    expected = {}
    for key, rows in groups.items():
        good = [value for value, quality in rows if not quality & 7]
        expected |= {(*key, "rows"): len(rows), (*key, "count"): len(good)}
        figures = (min(good), max(good), sum(good) / len(good), good[0], good[-1]) if good else (nan,) * 5
        expected |= {
            (*key, name): figure
            for name, figure in zip(("minimum", "maximum", "mean", "first", "last"), figures, strict=True)
        }
    return expected


def test_a_rollup_of_nothing_is_empty_and_one_without_a_length_is_refused(store):
    assert len(store.rollup([POWER.key], start_ms=0, end_ms=END_MS, every_ms=SLOT_MS)) == 0
    store.append(batch_of((POWER, NOON_MS, nan, 1)))
    [row] = [store.rollup([POWER.key], start_ms=0, end_ms=END_MS, every_ms=SLOT_MS)]
    assert (row.rows.tolist(), row.count.tolist(), np.isnan(row.mean).tolist()) == ([1], [0], [True])
    assert len(store.rollup([], start_ms=0, end_ms=END_MS, every_ms=SLOT_MS)) == 0
    with pytest.raises(InputError, match="positive"):
        store.rollup([POWER.key], start_ms=0, end_ms=END_MS, every_ms=0)


def test_series_are_found_by_their_tags(store):
    store.append(batch_of(*((series, NOON_MS, 1.0, 0) for series in ALL)))

    def keys(**tags) -> list[tuple]:
        return [one.key for one in store.series(**tags)]

    assert keys(region="370102") == [ENERGY.key, POWER.key, WATER.key]
    assert keys(region="3701") == []
    assert keys(measurement="water") == [WATER.key]
    assert keys(institution="school-1", quantity="active_power") == [POWER.key]
    assert keys(building="A", device="main") == [ENERGY.key, POWER.key]
    assert keys(building="") == [WATER.key]
    with pytest.raises(InputError, match="no tag 'colour'"):
        store.series(colour="red")


def test_the_extent_is_that_of_the_oldest_and_the_newest_reading(store):
    assert store.extent() is None
    store.append(batch_of((POWER, NOON_MS, 1.0, 0), (POWER, NOON_MS - 7, nan, 1), (WATER, NOON_MS + 9, 1.0, 0)))

    assert store.extent() == (NOON_MS - 7, NOON_MS + 9)
    assert store.extent("school-1") == (NOON_MS - 7, NOON_MS)
    assert store.extent("nobody") is None


def test_events_come_back_once_by_time(store, open_place):
    jumped = Event("clock.jumped", NOON_MS, "gateway", Severity.WARNING, 'the clock "jumped"', {"by_s": 86_400})
    pressed = Event(
        "boiler.pressure_high", NOON_MS - 5, "town hall/boiler, 1=a", Severity.ALARM, "锅炉压力高 \\ 3 bar", {}
    )
    for _ in range(2):
        store.append_events("g 1", [jumped, pressed])
    store.append_events("g2", [jumped])

    for opened in (store, open_place()):
        assert opened.events(start_ms=0, end_ms=2**60) == [
            StoredEvent("g 1", pressed), StoredEvent("g 1", jumped), StoredEvent("g2", jumped)
        ]  # fmt: skip
    assert store.events(start_ms=NOON_MS - 5, end_ms=NOON_MS) == [StoredEvent("g 1", pressed)]
    assert store.series() == []


def test_the_status_tells_what_there_is(store):
    store.append(batch_of((POWER, NOON_MS, 1.0, 0), (WATER, NOON_MS + 1, 1.0, 0)))

    status = store.status()
    assert (status.series, status.first_ms, status.last_ms) == (2, NOON_MS, NOON_MS + 1)
    assert status.kind
    assert status.target
