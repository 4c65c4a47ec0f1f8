"""A week of faults: the error of every day and of the week is 0, or exactly the declared estimate."""

import numpy as np
import pytest

from kgce.analytics.accounts import Account, Part
from kgce.analytics.book import Book
from kgce.analytics.figures import LedgerRow, ledger
from kgce.analytics.grid import Grid
from kgce.cli.database import Database, database
from kgce.domain.batch import Batch
from kgce.store.shelf import MemoryShelf
from tests.week_of_faults.week import (
    DAY,
    FAULTS,
    HOUR,
    INSTITUTION,
    START,
    STEP,
    TIMES,
    Meter,
    at,
    everything,
    meter_with,
    register,
)

END = START + 7 * DAY
EXACT = 1e-9


@pytest.fixture
def place(tmp_path):
    with database(tmp_path) as opened:
        yield opened


def rows_of(place: Database, meter: Meter, grid: Grid) -> list[LedgerRow]:
    return ledger(
        place.store, place.registry, institution=INSTITUTION, point=meter.name, start_ms=START, end_ms=END, grid=grid
    )


def kept(place: Database, *meters: Meter) -> None:
    register(place.registry, list(meters))
    for meter in meters:
        place.store.append(meter.batch())


@pytest.mark.parametrize("name", [*FAULTS, "everything"])
def test_every_day_and_the_week_are_what_was_used(place: Database, name: str) -> None:
    meter = everything() if name == "everything" else meter_with(name)
    kept(place, meter)
    days = rows_of(place, meter, Grid.DAY)
    truth = meter.truth(DAY)
    assert [row.amount for row in days] == pytest.approx(truth.tolist(), rel=EXACT)
    assert {row.provenance for row in days} == {"measured"}
    assert {row.coverage_ratio for row in days} == {1.0}
    assert sum(row.amount for row in days) == pytest.approx(meter.used.sum(), rel=EXACT)


@pytest.mark.parametrize(
    ("name", "day", "flag"),
    [("swap", 2, "replaced"), ("dip", 3, "spike_rejected"), ("rollover", 4, "rollover"), ("heavy", 3, None)],
)
def test_the_day_says_what_happened(place: Database, name: str, day: int, flag: str | None) -> None:
    meter = meter_with(name)
    kept(place, meter)
    flags = [row.flags for row in rows_of(place, meter, Grid.DAY)]
    assert flags[day] == (() if flag is None else (flag,))
    assert not any(flags[:day] + flags[day + 1 :])


def test_the_hours_of_an_outage_are_the_declared_estimate_and_add_up(place: Database) -> None:
    """A straight line between the readings that bound the silence; the other hours are exact."""
    meter = meter_with("outage")
    kept(place, meter)
    hours = rows_of(place, meter, Grid.HOUR)
    truth, silent = meter.truth(HOUR), range(24 + 9, 24 + 15)
    line = (meter.shown[at(1, 15)] - meter.shown[at(1, 9)]) / 6
    for place_of, row in enumerate(hours):
        if place_of in silent:
            assert (row.amount, row.provenance, row.coverage_ratio) == (
                pytest.approx(line, rel=EXACT),
                "interpolated",
                0.0,
            )
        else:
            assert (row.amount, row.provenance) == (pytest.approx(truth[place_of], rel=EXACT), "measured")


def test_a_swap_nobody_declared_is_unknown_for_one_reading_and_never_consumption(place: Database) -> None:
    meter = meter_with("undeclared")
    kept(place, meter)
    days = rows_of(place, meter, Grid.DAY)
    lost = meter.used[at(2, 13.5)]
    expected = meter.truth(DAY) - np.array([0, 0, lost, 0, 0, 0, 0])
    assert [row.amount for row in days] == pytest.approx(expected.tolist(), rel=EXACT)
    assert (days[2].flags, days[2].coverage_ratio) == (("reset", "partial"), pytest.approx(1 - STEP / DAY))


def test_a_late_replay_goes_where_it_belongs_with_the_same_bits_as_from_scratch(place: Database) -> None:
    """What the gateway kept through Tuesday's outage arrives on Thursday."""
    whole, silent = meter_with(), meter_with("outage")
    register(place.registry, [silent])
    thursday = silent.batch().select(silent.batch().time_ms < TIMES[at(3, 0)])
    place.store.append(thursday)
    book = Book(place.store, place.registry, MemoryShelf())
    hall = place.registry.institution(INSTITUTION)
    assert book.bring_up(2019).work.worked_out == 12
    place.store.append(whole.batch().select(~silent.kept))
    place.store.append(silent.batch())
    assert book.bring_up(2019).work.worked_out == 4, "June, and the empty months that it could have bounded"
    after = book.ledger(2019, hall)
    fresh = Book(place.store, place.registry).ledger(2019, hall)
    assert after.day.amount.tobytes() == fresh.day.amount.tobytes()
    assert after.month.coverage.tobytes() == fresh.month.coverage.tobytes()
    hours = rows_of(place, whole, Grid.HOUR)
    assert [row.amount for row in hours] == pytest.approx(whole.truth(HOUR).tolist(), rel=EXACT)
    assert {row.provenance for row in hours} == {"measured"}


def test_a_dead_meter_makes_partial_totals_with_their_coverage_no_stall_and_no_zero(place: Database) -> None:
    """Three meters, one silent from Wednesday 10:00 on."""
    meters = [meter_with(name="east"), meter_with(name="west"), meter_with("dead", name="north")]
    kept(place, *meters)
    days = rows_of(place, meters[2], Grid.DAY)
    assert [row.provenance for row in days] == ["measured"] * 3 + ["missing"] * 4
    assert days[2].coverage_ratio == pytest.approx(10 / 24)
    assert [row.amount for row in days[3:]] == [None] * 4
    table = Book(place.store, place.registry).year(2019).table
    total = table.accounts.index(Account("electricity", Part.TOTAL))
    known = 2 * meters[0].used.sum() + meters[2].used[: at(2, 10)].sum()
    assert table.amount[0, total, 5] == pytest.approx(known, rel=EXACT)
    ratio = table.coverage[0, total, 5] / table.expected[0, total, 5]
    assert ratio == pytest.approx((7 + 7 + 2 + 10 / 24) / 3 / 30)


def test_a_batch_that_comes_twice_and_shuffled_changes_nothing(place: Database) -> None:
    meter = meter_with()
    kept(place, meter)
    once = rows_of(place, meter, Grid.HOUR)
    batch = meter.batch()
    order = np.random.default_rng(1).permutation(len(batch))
    twice = Batch.concat([batch, batch.select(order)])
    result = place.store.append(twice)
    assert (result.stored, result.duplicate) == (0, 2 * len(batch))
    assert rows_of(place, meter, Grid.HOUR) == once
    assert [row.amount for row in once] == pytest.approx(meter.truth(HOUR).tolist(), rel=EXACT)
