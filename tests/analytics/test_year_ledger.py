"""Incremental and from scratch: the same bits, whatever came late, twice, corrected or was taken out."""

import numpy as np
import pytest

from kgce.analytics.ledger.amounts import Flag, Provenance
from kgce.analytics.ledger.block import month_edges_ms
from kgce.analytics.ledger.year_ledger import News, YearLedger, update
from kgce.domain.batch import Batch, Quality
from kgce.domain.changes import MeterChange
from kgce.domain.quantities import Kind
from kgce.domain.roles import Role
from kgce.domain.tree import Point, Series, Step
from kgce.store.open import open_store
from tests.analytics.province import ms

YEAR, ZONE, QUARTER, DAY = 2019, "Asia/Shanghai", 900_000, 86_400_000


def counter(name: str, institution: str = "a") -> Point:
    return Point(Series(institution, name, "active_energy_import", "electricity"), "electricity", Kind.COUNTER)


def bill(name: str, step: Step) -> Point:
    return Point(Series("a", name, "water_volume_interval", "water"), "water", Kind.INTERVAL, step)


def rows(point: Point, readings: dict[int, float], quality: int = 0) -> Batch:
    return Batch.from_rows([(point.series, time_ms, value, quality) for time_ms, value in readings.items()])


@pytest.fixture
def store(tmp_path):
    with_store = open_store(tmp_path)
    yield with_store
    with_store.close()


def from_scratch(points, store, changes=()):
    return update(YearLedger.empty(YEAR, ZONE), points, store, News.of(store, 0), changes)[0]


def assert_same_bits(mine: YearLedger, fresh: YearLedger) -> None:
    assert mine.keys == fresh.keys
    for ours, theirs in ((mine.day, fresh.day), (mine.month, fresh.month)):
        for column, expected in zip(ours.columns, theirs.columns, strict=True):
            assert column.tobytes() == expected.tobytes()
    assert (mine.looked == fresh.looked).all()


class History:
    """What happens to some meters over a year, at random."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.points = [
            counter("busy"),
            counter("rare"),
            counter("idle"),
            bill("hours", Step.HOUR),
            bill("bills", Step.MONTH),
        ]
        self.changes: list[MeterChange] = []
        self.now = ms(YEAR, 1, 1) + int(self.random.integers(-5, 30)) * DAY
        self.level = 0.0

    def step(self, store) -> None:
        kind = self.random.choice(
            ["on", "late", "again", "delete", "bad", "change"], p=[0.5, 0.15, 0.1, 0.1, 0.1, 0.05]
        )
        getattr(self, f"_{kind}")(store)

    def _on(self, store) -> None:
        """Some days go by."""
        end = self.now + int(self.random.integers(1, 25)) * DAY
        busy = np.arange(self.now, end, int(self.random.choice([QUARTER * 4, QUARTER * 16])))
        if self.random.random() < 0.3:
            busy = busy[self.random.random(len(busy)) < 0.3]
        values = self.level + np.cumsum(self.random.random(len(busy)) * 7)
        self.level = float(values[-1]) if len(values) and self.random.random() < 0.95 else 0.0
        store.append(rows(self.points[0], dict(zip(busy.tolist(), values.tolist(), strict=True))))
        if self.random.random() < 0.5:
            store.append(rows(self.points[1], {int(self.now): float(self.now / 1e9)}))
        hours = np.arange(self.now // (4 * QUARTER), end // (4 * QUARTER)) * 4 * QUARTER
        store.append(rows(self.points[3], {int(hour): float(self.random.random()) for hour in hours[::5]}))
        store.append(rows(self.points[4], {int(month_edges_ms(YEAR, ZONE)[int(self.random.integers(12))][0]): 33.0}))
        self.now = end

    def _past(self) -> int:
        return int(self.random.integers(ms(YEAR - 1, 12, 1), max(self.now, ms(YEAR, 1, 2))))

    def _late(self, store) -> None:
        at = self._past()
        point = self.points[int(self.random.integers(4))]
        store.append(
            rows(
                point,
                {at + place * QUARTER: float(at / 1e9 + place) for place in range(int(self.random.integers(1, 60)))},
            )
        )

    def _again(self, store) -> None:
        held = store.read([point.series.key for point in self.points], start_ms=self._past(), end_ms=self.now)
        if len(held):
            chosen = held.select(self.random.permutation(len(held))[:40])
            store.append(Batch(chosen.series, chosen.index, chosen.time_ms, chosen.value + 0.5, chosen.quality))

    def _delete(self, store) -> None:
        at = self._past()
        store.delete(
            [self.points[int(self.random.integers(5))].series.key],
            start_ms=at,
            end_ms=at + int(self.random.integers(1, 40)) * DAY,
        )

    def _bad(self, store) -> None:
        store.append(rows(self.points[0], {self._past(): 1e9}, int(Quality.SUSPECT)))

    def _change(self, _store) -> None:
        at = self._past()
        self.changes.append(MeterChange(*self.points[0].series.key, at, old_last=float(at / 1e9), new_first=1.0))


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_gives_the_same_bits_incrementally_and_from_scratch(store, seed) -> None:
    history = History(seed)
    ledger = YearLedger.empty(YEAR, ZONE)
    for _ in range(14):
        for _ in range(int(history.random.integers(1, 4))):
            history.step(store)
        ledger, _ = update(ledger, history.points, store, News.of(store, ledger.cursor), history.changes)
        assert_same_bits(ledger, from_scratch(history.points, store, history.changes))
    assert np.isfinite(ledger.month.amount).any()


def year_of(point: Point, points_per_day: int = 24, days: int = 365) -> Batch:
    step = DAY // points_per_day
    start = ms(YEAR, 1, 1)
    return rows(point, {start + place * step: float(place) for place in range(days * points_per_day + 1)})


def test_a_late_reading_works_out_one_month_of_one_meter(store) -> None:
    points = [counter("one"), counter("two")]
    for point in points:
        store.append(year_of(point))
    ledger, first = update(YearLedger.empty(YEAR, ZONE), points, store, News.of(store, 0))
    assert (first.worked_out, first.blocks) == (24, 24)
    store.append(rows(points[0], {ms(YEAR, 6, 15) + 1234: 3972.1}))
    ledger, second = update(ledger, points, store, News.of(store, ledger.cursor))
    assert second.worked_out == 1
    assert_same_bits(ledger, from_scratch(points, store))


def test_nothing_new_works_nothing_out(store) -> None:
    points = [counter("one")]
    store.append(year_of(points[0]))
    ledger, _ = update(YearLedger.empty(YEAR, ZONE), points, store, News.of(store, 0))
    store.append(year_of(points[0]))
    assert update(ledger, points, store, News.of(store, ledger.cursor))[1].worked_out == 0


def test_readings_that_end_a_long_silence_work_out_every_month_they_bound(store) -> None:
    """Silent from 20 March to 10 May: 51 days, more than are searched: what nobody bounded stays missing."""
    point = counter("one")
    march = {ms(YEAR, 3, day): day * 10.0 for day in range(1, 21)}
    store.append(rows(point, march))
    ledger, _ = update(YearLedger.empty(YEAR, ZONE), [point], store, News.of(store, 0))
    store.append(rows(point, {ms(YEAR, 4, day): 190 + day * 10.0 for day in range(20, 31)}))
    ledger, work = update(ledger, [point], store, News.of(store, ledger.cursor))
    assert work.worked_out >= 2
    assert ledger.month.amount[0, 2:4].tolist() == pytest.approx([190 + 190 * 12 / 31, 190 * 19 / 31 + 100])
    assert_same_bits(ledger, from_scratch([point], store))


def test_a_role_or_a_change_that_is_edited_works_the_meter_out_anew(store) -> None:
    point, other = counter("one"), counter("two")
    for one in (point, other):
        store.append(year_of(one, days=90))
    ledger, _ = update(YearLedger.empty(YEAR, ZONE), [point, other], store, News.of(store, 0))
    change = MeterChange(*point.series.key, ms(YEAR, 2, 3) + 60_000, old_last=796.0, new_first=790.0)
    ledger, work = update(ledger, [point, other], store, News.of(store, ledger.cursor), [change])
    assert work.worked_out == 12
    assert ledger.month.flags[0, 1] & Flag.REPLACED
    retired = Point(point.series, point.carrier, point.kind, role=Role(until_ms=ms(YEAR, 2, 1)))
    ledger, work = update(ledger, [retired, other], store, News.of(store, ledger.cursor))
    assert work.worked_out == 12
    assert ledger.month.provenance[0].tolist() == [Provenance.MEASURED] + [Provenance.MISSING] * 11


def test_a_store_that_fails_leaves_the_ledger_good(store) -> None:
    point = counter("one")
    store.append(year_of(point))
    ledger, _ = update(YearLedger.empty(YEAR, ZONE), [point], store, News.of(store, 0))
    before = ledger.month.amount.copy()

    class Failing:
        def read(self, *_, **__):
            raise RuntimeError("gone")

    news = News.of(store, 0)
    with pytest.raises(RuntimeError):
        update(ledger, [counter("new"), point], Failing(), news)
    assert ledger.month.amount.tobytes() == before.tobytes()
