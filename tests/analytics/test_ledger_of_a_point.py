"""The ledger of one point, from readings in a store to rows: neighbours, calendars, rhythms."""

from collections.abc import Sequence

import numpy as np
import pytest

from kgce.analytics.grid import Grid
from kgce.analytics.ledger.readings import FAR_MS, NEAR_MS
from kgce.domain.batch import Batch
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Step
from tests.analytics.fakes import MemoryStore
from tests.analytics.province import HOUR, Province, ms

DAY = 24 * HOUR
START = ms(2019, 6, 1)


class WatchedStore(MemoryStore):
    """A store that notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        self.asked.append((start_ms, end_ms))
        return super().read(keys, start_ms=start_ms, end_ms=end_ms)


def watched(readings: dict[int, float]) -> tuple[Province, WatchedStore]:
    at, store = Province(), WatchedStore()
    at.store = store
    at.institution("a")
    at.counter("a", "main", readings)
    return at, store


def test_a_meter_with_neighbours_close_by_is_read_once_with_a_narrow_margin() -> None:
    at, store = watched({START + hour * HOUR: 10.0 * hour for hour in range(-100, 200)})
    assert [row.amount for row in at.ledger(START, START + DAY, Grid.DAY)] == [240]
    assert store.asked == [(START - NEAR_MS, START + DAY + NEAR_MS)]


def test_only_the_side_without_neighbours_is_searched_further() -> None:
    """A live meter has no future: its past is not read again."""
    at, store = watched({START + hour * HOUR: 10.0 * hour for hour in range(-100, 13)})
    rows = at.ledger(START, START + DAY, Grid.DAY)
    assert (rows[0].amount, rows[0].coverage_ratio, rows[0].flags) == (120, 0.5, ("partial",))
    assert store.asked[1:] == [(START + DAY + NEAR_MS, START + DAY + FAR_MS)]


def test_a_meter_read_once_a_month_still_has_its_neighbours() -> None:
    at, _ = watched({ms(2019, 5, 1): 0.0, ms(2019, 5, 31): 300.0})
    rows = at.ledger(ms(2019, 5, 10), ms(2019, 5, 12), Grid.DAY)
    assert [row.amount for row in rows] == pytest.approx([10.0, 10.0])
    assert {row.provenance for row in rows} == {"measured"}, "once a month is this meter's rhythm"


@pytest.mark.parametrize("step_min", [15, 30, 60])
@pytest.mark.parametrize("wrong", [0.0, 9e9])
@pytest.mark.parametrize("side", ["first reading", "last reading", "first beyond"])
def test_a_wrong_reading_at_the_edge_of_the_span_is_never_consumption(step_min: int, wrong: float, side: str) -> None:
    """Whether a reading is wrong is told by those after it, so the span is read with enough of them."""
    step = step_min * 60_000
    readings = {START + place * step: place * step_min / 6 for place in range(-40, DAY // step + 40)}
    readings[{"first reading": START, "last reading": START + DAY, "first beyond": START + DAY + step}[side]] = wrong
    at, _ = watched(readings)
    assert at.ledger(START, START + DAY, Grid.DAY)[0].amount == pytest.approx(240)
    assert sum(row.amount or 0 for row in at.ledger(START, START + DAY, Grid.HOUR)) == pytest.approx(240)


def test_a_long_dip_of_a_slow_meter_is_followed_until_it_returns() -> None:
    """Read every two hours, at zero for five readings from the day's end on: a dip, not a reset."""
    readings = {START + place * 2 * HOUR: 500 + 20.0 * place for place in range(-12, 40)}
    readings |= {START + DAY + place * 2 * HOUR: 0.0 for place in range(5)}
    at, _ = watched(readings)
    (row,) = at.ledger(START, START + DAY, Grid.DAY)
    assert (row.amount, row.provenance) == (pytest.approx(240), "interpolated")
    assert "reset" not in row.flags


def test_a_meter_read_hourly_fills_quarter_hours_evenly() -> None:
    at, _ = watched({START + hour * HOUR: 8.0 * hour for hour in range(-10, 40)})
    rows = at.ledger(START, START + DAY, Grid.QUARTER_HOUR)
    assert len(rows) == 96
    assert [row.amount for row in rows] == pytest.approx([2.0] * 96)
    assert {(row.provenance, row.coverage_ratio) for row in rows} == {("measured", 1.0)}


def test_every_grid_adds_up_to_the_same_year() -> None:
    """A meter polled every 50 minutes, with an outage of three weeks: 8 760 h of a known total."""
    random = np.random.default_rng(5)
    times = np.arange(ms(2018, 12, 30), ms(2020, 1, 3), 50 * 60_000)
    times = times[(times < ms(2019, 3, 1)) | (times > ms(2019, 3, 22))]
    values = np.cumsum(random.random(len(times)))
    at, _ = watched(dict(zip(times.tolist(), values.tolist(), strict=True)))
    year = (ms(2019, 1, 1), ms(2020, 1, 1))
    expected = float(np.diff(np.interp(year, times, values))[0])
    for grid in Grid:
        rows = at.ledger(*year, grid)
        assert sum(row.amount for row in rows if row.amount is not None) == pytest.approx(expected, rel=1e-12)
        assert None not in [row.amount for row in rows]
    guessed = [row.start_ms for row in at.ledger(*year, Grid.DAY) if row.provenance == "interpolated"]
    assert guessed == [ms(2019, 2, 28) + day * DAY for day in range(23)], "28 February to 22 March, both cut"
    assert [row.provenance for row in at.ledger(*year, Grid.YEAR)] == ["measured"], "the year holds the outage whole"


@pytest.mark.parametrize(
    ("month", "day", "hours"),
    [
        pytest.param(3, 25, 23, id="clocks go forward in Britain (last Sunday of March 2018)"),
        pytest.param(10, 28, 25, id="clocks go back in Britain (last Sunday of October 2018)"),
        pytest.param(7, 1, 24, id="a plain day"),
    ],
)
@pytest.mark.parametrize("kind", ["counter", "interval"])
def test_a_british_day_has_the_hours_its_clock_gives_it(month: int, day: int, hours: int, kind: str) -> None:
    """A flat 10 kW gives 230, 240 or 250 kWh."""
    zone = "Europe/London"
    start, end = ms(2018, month, day, zone=zone), ms(2018, month, day + 1, zone=zone)
    at = Province()
    at.institution("a", zone=zone)
    span = range(-30, 60)
    if kind == "counter":
        at.counter("a", "main", {start + hour * HOUR: 1000 + 10.0 * hour for hour in span})
    else:
        at.interval("a", "main", "electricity", Step.HOUR, {start + hour * HOUR: 10.0 for hour in span})
    (row,) = at.ledger(start, end, Grid.DAY)
    assert (row.start_ms, row.end_ms) == (start, end)
    assert (row.amount, row.coverage_ratio, row.provenance) == (10.0 * hours, 1.0, "measured")


def test_a_daily_amount_reaches_into_its_twenty_fifth_hour() -> None:
    """The day the clocks go back has 25 h; its last hour holds a 25th of it."""
    zone = "Europe/London"
    start, end = ms(2018, 10, 28, zone=zone), ms(2018, 10, 29, zone=zone)
    at = Province()
    at.institution("a", zone=zone)
    at.interval("a", "main", "electricity", Step.DAY, {start: 250.0})
    row = at.ledger(end - HOUR // 2, end, Grid.QUARTER_HOUR)[-1]
    assert (row.amount, row.provenance) == (pytest.approx(2.5), "interpolated")


def test_a_point_without_readings_has_rows_of_nothing() -> None:
    at, _ = watched({})
    rows = at.ledger(START, START + 2 * DAY, Grid.DAY)
    assert [(row.amount, row.provenance, row.coverage_ratio) for row in rows] == [(None, "missing", 0.0)] * 2
