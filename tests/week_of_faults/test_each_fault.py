"""Every interval of the week is the planted energy, or what the design declares where nobody can know it."""

from dataclasses import replace

import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.analytics.grid import Grid
from kgce.analytics.ledger.amounts import Provenance, flag_names
from kgce.analytics.ledger.points import point_amounts
from kgce.domain.batch import Batch
from kgce.store.shelf import MemoryShelf
from tests.week_of_faults.expected import Expected, expect
from tests.week_of_faults.faults import METERS
from tests.week_of_faults.load import DAY, END, HOUR, QUARTER, START, YEAR, ZONE, at
from tests.week_of_faults.meter import Meter
from tests.week_of_faults.world import World

each_meter = pytest.mark.parametrize("place", range(len(METERS)), ids=[f"{m.institution}-{m.device}" for m in METERS])
FIRST_DAY = 31 + 29 + 31 + 28  # of the year: 29 April 2024


def check(expected: Expected, amount: float | None, provenance: str, coverage: float, flags: tuple[str, ...]) -> None:
    assert (provenance, frozenset(flags)) == (expected.provenance, expected.flags)
    assert coverage == pytest.approx(expected.coverage, abs=1e-12)
    if expected.amount_kwh is None:
        assert amount is None
        return
    assert amount == pytest.approx(expected.amount_kwh, rel=0, abs=expected.tolerance_kwh)
    assert amount >= 0
    if provenance == "measured" and not {"partial", "reset"} & set(flags):
        assert amount == pytest.approx(expected.truth_kwh, rel=0, abs=expected.tolerance_kwh), "measured is true"


@each_meter
@pytest.mark.parametrize("grid", [Grid.QUARTER_HOUR, Grid.HOUR, Grid.DAY])
def test_every_interval_is_the_planted_energy_or_as_declared(world: World, place: int, grid: Grid) -> None:
    meter = world.meters[place]
    rows = world.rows(meter, grid)
    assert (rows[0].start_ms, rows[-1].end_ms) == (START, END)
    for row in rows:
        expected = expect(meter, row.start_ms, row.end_ms)
        check(expected, row.amount, row.provenance, row.coverage_ratio, row.flags)


@each_meter
def test_the_week_as_one_interval_is_the_planted_energy_or_as_declared(world: World, place: int) -> None:
    meter = world.meters[place]
    week = world.week(meter)
    names = flag_names(int(week.flags[0]))
    provenance = Provenance(int(week.provenance[0])).name.lower()
    check(expect(meter, START, END), float(week.amount[0]), provenance, float(week.coverage[0]), names)


@each_meter
def test_every_grid_adds_up_to_the_week(world: World, place: int) -> None:
    meter = world.meters[place]
    whole = float(world.week(meter).amount[0])
    for grid in (Grid.QUARTER_HOUR, Grid.HOUR, Grid.DAY):
        amounts = [row.amount for row in world.rows(meter, grid) if row.amount is not None]
        assert sum(amounts) == pytest.approx(whole, rel=1e-9)


def test_the_book_holds_the_same_days(world: World) -> None:
    book = Book(world.store, world.registry, MemoryShelf())
    held = book.ledger(YEAR, world.registry.institution(world.meters[0].institution))
    for meter in world.meters:
        days = held.day.row(held.keys.index(meter.series.key))
        for day in range(7):
            place, start = FIRST_DAY + day, START + day * DAY
            amount = None if np.isnan(days.amount[place]) else float(days.amount[place])
            provenance = Provenance(int(days.provenance[place])).name.lower()
            names = flag_names(int(days.flags[place]))
            check(expect(meter, start, start + DAY), amount, provenance, float(days.coverage[place]), names)


def meter_of(world: World, name: str) -> Meter:
    return next(meter for meter in world.meters if meter.institution == name)


def test_a_day_that_holds_its_outage_whole_is_measured_and_its_hours_tell_the_guess(world: World) -> None:
    meter = meter_of(world, "outage")
    wednesday = (at("Wednesday", "00:00"), at("Thursday", "00:00"))
    (day,) = world.rows(meter, Grid.DAY, *wednesday)
    assert (day.provenance, day.coverage_ratio, day.flags) == ("measured", 1.0, ())
    hours = world.rows(meter, Grid.HOUR, *wednesday)
    assert [hour for hour, row in enumerate(hours) if row.provenance == "interpolated"] == list(range(9, 16))
    assert sum(row.amount for row in hours) == pytest.approx(day.amount, rel=1e-9)
    line = float(meter.load.kwh(np.array([at("Wednesday", "09:10"), at("Wednesday", "15:10")]))[0]) / 6
    for hour in range(10, 15):
        assert hours[hour].amount == pytest.approx(line, abs=meter.resolution_wh / 1000), "a sixth of six hours"


@pytest.mark.parametrize("name", ["swap-undeclared", "swap-undeclared-higher"])
def test_a_swap_nobody_declared_hides_one_stretch_and_is_never_consumption(world: World, name: str) -> None:
    """From the reading at 10:05 (every minute: 10:07) to the next one nobody knows; all else is there."""
    meter = meter_of(world, name)
    rows = world.rows(meter, Grid.QUARTER_HOUR)
    truth = meter.load.kwh(np.arange(START, END + 1, QUARTER))
    wrong = [
        place
        for place, row in enumerate(rows)
        if abs(row.amount - truth[place]) > 1e-6 + meter.resolution_wh / 1000 * (meter.resolution_wh > 1)
    ]
    (place,) = wrong
    assert rows[place].start_ms == at("Wednesday", "10:00")
    assert (rows[place].flags, rows[place].provenance) == (("reset", "partial"), "measured")
    assert rows[place].coverage_ratio == pytest.approx(1 - meter.step_min / 15)
    assert 0 < rows[place].amount < truth[place]


def test_a_declared_swap_loses_nothing(world: World) -> None:
    for name in ("swap-declared", "swap-declared-higher"):
        week = world.week(meter_of(world, name))
        assert (float(week.coverage[0]), flag_names(int(week.flags[0]))) == (1.0, ("replaced",))


def test_nothing_of_a_real_load_below_the_limit_vanishes(world: World) -> None:
    """75 kW for 7.5 h is 562.5 kWh more than the same meter without it; 100 kW are allowed."""
    with_step = float(world.week(meter_of(world, "step-of-75-kw")).amount[0])
    without = float(world.week(meter_of(world, "healthy")).amount[0])
    assert with_step - without == pytest.approx(75 * 7.5, abs=2 * 0.01)
    fastest = max(row.amount for row in world.rows(meter_of(world, "step-of-75-kw"), Grid.QUARTER_HOUR)) * 4
    assert 85 < fastest < 100, "it stands near the limit"


def test_rows_that_come_again_are_counted_and_change_no_bit(tmp_path) -> None:
    once = next(meter for meter in METERS if meter.institution == "repeated-rows")
    world, plain = World(tmp_path / "twice", [once]), World(tmp_path / "once", [replace(once, is_repeated=False)])
    first, again, shuffled = world.fill()
    plain.fill()
    assert first.duplicate == 0
    assert [(found.stored, found.duplicate) for found in (again, shuffled)] == [(0, first.stored)] * 2
    for grid in (Grid.QUARTER_HOUR, Grid.DAY):
        assert world.rows(once, grid) == plain.rows(once, grid)
    world.close()
    plain.close()


def test_rows_twice_and_in_any_order_change_no_bit_before_any_store() -> None:
    """Whoever hands the ledger more than a store would is told the same."""
    meter = next(meter for meter in METERS if meter.institution == "repeated-rows")
    first, again, shuffled = (meter.batch(delivery) for delivery in meter.deliveries())
    hours = np.arange(START, END + 1, HOUR)
    once = point_amounts([meter.point], first, hours, ZONE)
    for rows in ([shuffled], [first, again, shuffled], [shuffled, again]):
        found = point_amounts([meter.point], Batch.concat(rows), hours, ZONE)
        for column, expected in zip(found.columns, once.columns, strict=True):
            assert column.tobytes() == expected.tobytes()


def test_the_week_is_what_it_says() -> None:
    """Seven local days across a month's end; each quarter holds a whole number of Wh; no two hours are alike by rule."""
    load = METERS[0].load
    quarters = load.used_wh(np.arange(START, END + 1, QUARTER))
    assert len(quarters) == 7 * 96 + 1
    assert (np.diff(quarters) > 0).all()
    hourly = np.diff(quarters[::4])
    assert len(np.unique(hourly)) > 80
    assert quarters[-1] - quarters[0] == np.diff(load.used_wh(np.arange(START, END + 1, DAY))).sum()
