"""What was buffered during an outage comes two days later: the book is brought up with it, to the same bits."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.analytics.grid import Grid
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.store.shelf import MemoryShelf
from tests.week_of_faults.expected import expect
from tests.week_of_faults.faults import METERS
from tests.week_of_faults.load import DAY, DAYS, END, HOUR, MARGIN, START, YEAR, at
from tests.week_of_faults.meter import Meter
from tests.week_of_faults.world import World

LATE = next(meter for meter in METERS if meter.institution == "late-replay")
OTHERS = [meter for meter in METERS if meter.institution in {"healthy", "everything", "dead-slave", "dip-of-5"}]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Nothing has come yet."""
    made = World(tmp_path, [LATE, *OTHERS])
    yield made
    made.close()


def held_by(book: Book, world: World) -> YearLedger:
    return book.ledger(YEAR, world.registry.institution(LATE.institution))


def assert_same_bits(mine: Book, world: World) -> None:
    for fresh in (Book(world.store, world.registry, MemoryShelf()), Book(world.store, world.registry)):
        ours, theirs = held_by(mine, world), held_by(fresh, world)
        rows = [ours.keys.index(key) for key in theirs.keys]  # without a shelf only one institution is worked out
        for own, other in ((ours.day, theirs.day), (ours.month, theirs.month)):
            for column, expected in zip(own.row(np.array(rows)).columns, other.columns, strict=True):
                assert column.tobytes() == expected.tobytes()
        own, other = mine.year(YEAR), fresh.year(YEAR)
        assert own.table.amount.tobytes() == other.table.amount.tobytes()
        assert own.table.coverage.tobytes() == other.table.coverage.tobytes()


def spans() -> list[tuple[int, int]]:
    """The week's days, each with the reading of the midnight after it; the margins belong to the first and the last."""
    edges = [START - MARGIN, *range(START + DAY + 1, END, DAY), END + MARGIN + 1]
    return list(itertools.pairwise(edges))


def check_rows(world: World, meter: Meter, days: tuple[str, ...]) -> None:
    for day in days:
        for row in world.rows(meter, Grid.HOUR, at(day, "00:00"), at(day, "24:00")):
            expected = expect(meter, row.start_ms, row.end_ms)
            assert row.amount == pytest.approx(expected.amount_kwh, rel=0, abs=expected.tolerance_kwh)
            assert (row.provenance, row.coverage_ratio) == (expected.provenance, pytest.approx(expected.coverage))


def test_a_book_brought_up_day_by_day_has_the_bits_of_one_made_from_scratch(world: World) -> None:
    """Brought up after every midnight over DuckDB; Thursday evening brings Tuesday night's buffer."""
    book = Book(world.store, world.registry, MemoryShelf())
    for start_ms, end_ms in spans():
        world.fill_between(start_ms, end_ms)
        assert book.bring_up(YEAR).work.worked_out > 0
        assert book.bring_up(YEAR).work.worked_out == 0, "nothing new, nothing to do"
        assert_same_bits(book, world)


def test_the_replay_turns_the_guess_into_what_was_measured(world: World) -> None:
    book = Book(world.store, world.registry, MemoryShelf())
    for start_ms, end_ms in spans()[:3]:
        world.fill_between(start_ms, end_ms)
        book.bring_up(YEAR)
    check_rows(world, LATE.before_replay(), ("Monday", "Tuesday", "Wednesday"))
    before = day_amounts(book, world)
    assert 0 < before.estimated[1] < 40, "Tuesday after 21:10, and Wednesday before 03:10, are a straight line"
    world.fill_between(*spans()[3])
    assert book.bring_up(YEAR).work.worked_out > 0
    check_rows(world, LATE, ("Monday", "Tuesday", "Wednesday"))
    after = day_amounts(book, world)
    assert (after.estimated == 0).all()
    assert after.coverage[1:3].tolist() == [1.0, 1.0]
    assert abs(after.amount[1] - before.amount[1]) > 0.05, "some of it lay on the other side of midnight"
    assert after.amount[1] + after.amount[2] == pytest.approx(before.amount[1] + before.amount[2], rel=1e-9)


def test_a_replay_of_one_meter_works_out_only_what_it_bears_on(world: World) -> None:
    """April and May of that one meter, and March and June, which looked forty days around for their neighbours."""
    book = Book(world.store, world.registry, MemoryShelf())
    live, buffered = LATE.deliveries()
    world.store.append_all([meter.batch(meter.deliveries()[0]) for meter in OTHERS])
    world.store.append(LATE.batch(live))
    book.bring_up(YEAR)
    world.store.append(LATE.batch(buffered))
    assert book.bring_up(YEAR).work.worked_out == 4
    assert_same_bits(book, world)


def day_amounts(book: Book, world: World):
    """The week's first three days of the late meter."""
    held = held_by(book, world)
    first = 31 + 29 + 31 + 28  # 29 April of a leap year
    row = held.day.row(held.keys.index(LATE.series.key))
    return type(row)(*(column[first : first + len(DAYS[:3])] for column in row.columns))


def test_the_buffer_comes_two_days_late() -> None:
    _, buffered = LATE.deliveries()
    (outage,) = LATE.outages
    assert buffered.came_ms - outage.end_ms > 41 * HOUR
    assert outage.start_ms < buffered.time_ms[0]
    assert buffered.time_ms[-1] < outage.end_ms
