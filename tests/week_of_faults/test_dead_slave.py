"""One of three sub-meters is silent from Wednesday ten o'clock on: a partial total that says so, day after day."""

import numpy as np
import pytest

from kgce.analytics.accounts import Account, Part
from kgce.analytics.book import Book
from kgce.analytics.figures import CarrierAmount, carrier_amounts
from kgce.analytics.grid import Grid
from kgce.domain.factors import factor_set
from kgce.store.shelf import MemoryShelf
from tests.week_of_faults.faults import SILENT
from tests.week_of_faults.load import DAY, DAYS, END, HOUR, START, YEAR, at
from tests.week_of_faults.meter import Meter
from tests.week_of_faults.world import World

NAME = "dead-slave"
HEARD = SILENT - 1


def slaves(world: World) -> list[Meter]:
    return [meter for meter in world.meters if meter.institution == NAME]


def total(world: World, start_ms: int, end_ms: int) -> CarrierAmount:
    """The institution's electricity."""
    (found,) = carrier_amounts(
        world.store, world.registry, institution=NAME, start_ms=start_ms, end_ms=end_ms,
        factor_set=factor_set("cn-national"),
    )  # fmt: skip
    return found


def truth(world: World, start_ms: int, end_ms: int) -> float:
    """What the readings there are can know: of the silent one, up to its last reading."""
    *alive, dead = slaves(world)
    known = sum(float(meter.load.kwh(np.array([start_ms, end_ms]))[0]) for meter in alive)
    end = min(max(HEARD, start_ms), end_ms)
    return known + float(dead.load.kwh(np.array([start_ms, end]))[0])


def test_each_days_total_is_what_is_known_with_the_coverage_of_the_three(world: World) -> None:
    """Two thirds from Thursday on; Wednesday's ten hours of the third count for what they are."""
    covered = {"Wednesday": (2 + 10 / 24) / 3} | dict.fromkeys(DAYS[:2], 1.0) | dict.fromkeys(DAYS[3:], 2 / 3)
    for day in DAYS:
        start, end = at(day, "00:00"), at(day, "24:00")
        found = total(world, start, end)
        assert found.amount == pytest.approx(truth(world, start, end), rel=1e-9, abs=0.03), day
        assert found.coverage_ratio == pytest.approx(covered[day], abs=1e-12), day


def test_the_weeks_total_is_partial_and_says_how_much(world: World) -> None:
    found = total(world, START, END)
    assert found.amount == pytest.approx(truth(world, START, END), rel=1e-9, abs=0.03)
    assert found.coverage_ratio == pytest.approx((2 + 58 / 168) / 3, abs=1e-12)


def test_the_silent_meter_is_missing_and_never_zero(world: World) -> None:
    dead = slaves(world)[-1]
    rows = world.rows(dead, Grid.DAY)
    assert [row.provenance for row in rows] == ["measured"] * 3 + ["missing"] * 4
    assert [row.amount for row in rows[3:]] == [None] * 4
    assert [row.coverage_ratio for row in rows[2:]] == [pytest.approx(10 / 24), 0, 0, 0, 0]
    assert rows[2].flags == ("partial",)
    hours = world.rows(dead, Grid.HOUR, at("Wednesday", "00:00"), at("Thursday", "00:00"))
    assert [row.amount is None for row in hours] == [False] * 10 + [True] * 14


def test_the_two_others_are_not_held_up(world: World) -> None:
    for meter in slaves(world)[:2]:
        for row in world.rows(meter, Grid.DAY):
            expected = float(meter.load.kwh(np.array([row.start_ms, row.end_ms]))[0])
            assert (row.amount, row.provenance) == (pytest.approx(expected, rel=1e-9, abs=0.01), "measured")


def test_the_books_months_carry_the_same_total_and_coverage(world: World) -> None:
    """April holds two days and the margin before them, May the rest: readings from START - 3 h to END + 3 h."""
    accounts = Book(world.store, world.registry, MemoryShelf()).year(YEAR, NAME)
    table = accounts.table
    row, column = table.owners.index(NAME), table.accounts.index(Account("electricity", Part.TOTAL))
    first, last = START - 3 * HOUR, END + 3 * HOUR
    may = START + 2 * DAY
    for month, start, end, days in ((3, first, may, 30), (4, may, last, 31)):
        assert table.amount[row, column, month] == pytest.approx(truth(world, start, end), rel=1e-9, abs=0.03)
        assert table.expected[row, column, month] == 3
        heard = [end - start, end - start, max(min(HEARD, end) - start, 0)]
        assert table.coverage[row, column, month] == pytest.approx(sum(heard) / (days * DAY), abs=1e-12)
    assert np.isnan(table.amount[row, column, 5]), "June is nothing, not zero"
    assert (table.coverage[row, column, 5], table.expected[row, column, 5]) == (0, 3), "and still waited for"
