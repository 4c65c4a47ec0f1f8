"""Each rule holds on its limit and fails one step beyond it; nothing is ever repaired."""

import math
from collections import Counter

import numpy as np
import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.tree import Series
from kgce.edge.buffer.counters import Count
from kgce.edge.checks.checks import EARLIEST_MS, END_MS, SANE_CLOCK_MS, Checks
from kgce.edge.checks.limits import LIMITS, UNLIMITED, Limit, limit_of
from tests.edge.fakes import ENERGY, NOW_MS, POWER, VOLTAGE, clock, rows_of


def field(name: str) -> Series:
    return Series("office-1", "main", name, "electricity")


def run(checks: Checks, *rows):
    checked = checks.check(Batch.from_rows(rows))
    checks.remember(checked)
    return checked


def one(series: Series, value: float, *, time_ms: int = NOW_MS, quality: int = 0, checks: Checks | None = None):
    """(quality it leaves with or None when it goes no further, why not)."""
    checked = run(checks or Checks(clock=clock), (series, time_ms, value, quality))
    assert checked.batch.value.tolist() == [value] * len(checked.batch) or math.isnan(value), "never repaired"
    left = [Quality(int(bits)) for bits in checked.batch.quality]
    return (left[0] if left else None), dict(checked.otherwise)


def test_a_good_reading_passes_untouched() -> None:
    assert one(VOLTAGE, 230.0) == (Quality.GOOD, {})


def test_a_missing_value_that_is_not_marked_is_marked_bad() -> None:
    checked = run(Checks(clock=clock), (VOLTAGE, NOW_MS, math.nan, 0))
    assert checked.batch.quality.tolist() == [Quality.BAD]
    assert math.isnan(checked.batch.value[0])
    assert checked.marks["value.missing"] == 1


def test_a_missing_value_that_is_marked_passes_as_it_is() -> None:
    checked = run(Checks(clock=clock), (VOLTAGE, NOW_MS, math.nan, Quality.BAD))
    assert checked.batch.quality.tolist() == [Quality.BAD]
    assert not checked.marks["value.missing"]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_value_is_refused(value) -> None:
    assert one(VOLTAGE, value) == (None, {(Count.REFUSED, "value.infinite"): 1})


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_value_on_its_physical_bound_is_good_and_one_step_beyond_is_out_of_range(name) -> None:
    limit = LIMITS[name]
    assert one(field(name), limit.low) == (Quality.GOOD, {})
    assert one(field(name), limit.high) == (Quality.GOOD, {})
    assert one(field(name), float(np.nextafter(limit.low, -math.inf))) == (Quality.OUT_OF_RANGE, {})
    assert one(field(name), float(np.nextafter(limit.high, math.inf))) == (Quality.OUT_OF_RANGE, {})


def test_a_counter_below_zero_is_out_of_range() -> None:
    assert one(ENERGY, 0.0) == (Quality.GOOD, {})
    assert one(ENERGY, -5e-324) == (Quality.OUT_OF_RANGE, {})


def test_a_value_the_device_called_bad_is_not_judged_again() -> None:
    assert one(VOLTAGE, -1.0, quality=Quality.BAD) == (Quality.BAD, {})


def test_bounds_may_be_narrowed_for_a_quantity_or_for_one_field() -> None:
    overrides = {"voltage": Limit(180.0, 260.0), "voltage_l1_n": Limit(200.0, 240.0)}
    assert limit_of("voltage_l2_n", overrides) == Limit(180.0, 260.0)
    assert limit_of("voltage_l1_n", overrides) == Limit(200.0, 240.0)
    assert one(VOLTAGE, 199.0, checks=Checks(clock=clock, limits=overrides))[0] == Quality.OUT_OF_RANGE


def test_states_intervals_and_unknown_names_have_no_bounds() -> None:
    for name in ("error_code", "active_energy_import_interval", "no_such_quantity"):
        assert limit_of(name, {}) == UNLIMITED


@pytest.mark.parametrize(
    ("time_ms", "reason"),
    [
        (EARLIEST_MS, None),
        (EARLIEST_MS - 1, "time.impossible"),
        (END_MS, "time.impossible"),
        (NOW_MS + 300_000, None),  # five minutes ahead, the limit
        (NOW_MS + 300_001, "time.future"),
    ],
)
def test_a_time_is_refused_one_millisecond_beyond_its_limit(time_ms, reason) -> None:
    assert one(VOLTAGE, 230.0, time_ms=time_ms) == (
        (Quality.GOOD, {}) if reason is None else (None, {(Count.REFUSED, reason): 1})
    )


def test_a_gateway_whose_clock_is_not_set_marks_times_unsure_and_refuses_none() -> None:
    """Without a clock nobody can say what the future is; the reading is worth more than the doubt."""
    checks = Checks(clock=lambda: (SANE_CLOCK_MS - 1) / 1000)
    assert one(VOLTAGE, 230.0, checks=checks) == (Quality.TIME_UNSURE, {})
    sane = Checks(clock=lambda: SANE_CLOCK_MS / 1000)
    assert one(VOLTAGE, 230.0, checks=sane) == (None, {(Count.REFUSED, "time.future"): 1})


def test_an_unsure_time_moves_no_counter_baseline() -> None:
    """Else a reading stamped in the far future would make all later ones late, and unwatched."""
    now_s = [0.0]
    checks = Checks(clock=lambda: now_s[0])
    run(checks, (ENERGY, END_MS - 1, 1000.0, 0))
    now_s[0] = NOW_MS / 1000
    run(checks, (ENERGY, NOW_MS - 2000, 100.0, 0))
    assert one(ENERGY, 99.0, time_ms=NOW_MS - 1000, checks=checks)[0] == Quality.SUSPECT


@pytest.mark.parametrize("series", [Series("o", "d", ""), Series("o", "\ud800", "voltage")])
def test_a_series_that_cannot_be_named_is_refused(series) -> None:
    assert one(series, 1.0) == (None, {(Count.REFUSED, "series.unnameable"): 1})


def test_a_row_that_breaks_two_rules_is_counted_once() -> None:
    assert one(Series("o", "d", ""), math.inf, time_ms=0) == (None, {(Count.REFUSED, "series.unnameable"): 1})


def test_one_bad_row_does_not_cost_the_others() -> None:
    checked = run(
        Checks(clock=clock),
        (VOLTAGE, NOW_MS, 230.0, 0),
        (POWER, NOW_MS, math.inf, 0),
        (ENERGY, NOW_MS, 5.0, 0),
    )
    assert rows_of(checked.batch) == [(VOLTAGE, NOW_MS, 230.0, 0), (ENERGY, NOW_MS, 5.0, 0)]


def test_a_repeated_reading_is_a_duplicate_and_a_changed_one_is_not() -> None:
    checks = Checks(clock=clock)
    run(checks, (POWER, NOW_MS, 1.0, 0))
    duplicate = {(Count.DUPLICATE, "repeated"): 1}
    assert one(POWER, 1.0, checks=checks) == (None, duplicate)
    assert one(POWER, 1.0, quality=Quality.ESTIMATED, checks=checks) == (Quality.ESTIMATED, {})
    assert one(POWER, 2.0, checks=checks) == (Quality.GOOD, {})
    assert one(POWER, 2.0, time_ms=NOW_MS + 1, checks=checks) == (Quality.GOOD, {})
    assert one(VOLTAGE, 2.0, time_ms=NOW_MS + 1, checks=checks) == (Quality.GOOD, {})


def test_repeats_within_one_batch_are_found_whatever_lies_between() -> None:
    checked = run(
        Checks(clock=clock),
        (POWER, NOW_MS, 1.0, 0),
        (VOLTAGE, NOW_MS, 1.0, 0),
        (POWER, NOW_MS, 1.0, 0),
        (VOLTAGE, NOW_MS, math.nan, 1),
        (VOLTAGE, NOW_MS, math.nan, 1),
        (POWER, NOW_MS, 2.0, 0),
    )
    assert checked.otherwise == Counter({(Count.DUPLICATE, "repeated"): 2})
    assert [row[2] for row in rows_of(checked.batch) if row[0] == POWER] == [1.0, 2.0]


def test_a_correction_taken_back_within_one_batch_is_no_repeat() -> None:
    """A, then B and A again at the same time: what stands at the end is A, so A must travel after B."""
    checks = Checks(clock=clock)
    run(checks, (POWER, NOW_MS, 1.0, 0))
    checked = run(checks, (POWER, NOW_MS, 2.0, 0), (POWER, NOW_MS, 1.0, 0))
    assert checked.otherwise == Counter()
    assert [row[2] for row in rows_of(checked.batch)] == [2.0, 1.0]


def test_what_was_checked_but_not_remembered_is_no_repeat() -> None:
    """A batch the buffer could not keep comes again, and must then be kept."""
    checks = Checks(clock=clock)
    batch = Batch.from_rows([(POWER, NOW_MS, 1.0, 0), (ENERGY, NOW_MS, 100.0, 0)])
    checks.check(batch)
    again = checks.check(batch)
    assert len(again.batch) == 2
    assert not again.otherwise


def test_more_series_than_the_first_capacity_are_told_apart() -> None:
    checks = Checks(clock=clock)
    rows = [(Series("o", f"d{number}", "voltage"), NOW_MS, float(number), 0) for number in range(1000)]
    assert len(run(checks, *rows).batch) == 1000
    assert run(checks, *rows).otherwise == {(Count.DUPLICATE, "repeated"): 1000}


def test_a_counter_that_fell_travels_suspect_and_its_neighbours_do_not() -> None:
    checks = Checks(clock=clock)
    run(checks, (ENERGY, NOW_MS - 3000, 100.0, 0))
    checked = run(checks, (ENERGY, NOW_MS - 2000, 0.0, 0), (VOLTAGE, NOW_MS - 2000, 0.0, 0))
    assert checked.batch.quality.tolist() == [Quality.SUSPECT, Quality.GOOD]
    assert checked.batch.value.tolist() == [0.0, 0.0]
    assert checks.marks["counter.fell"] == 1
    assert one(ENERGY, 101.0, time_ms=NOW_MS, checks=checks)[0] == Quality.GOOD


def test_an_unusable_reading_never_becomes_the_baseline() -> None:
    checks = Checks(clock=clock)
    run(checks, (ENERGY, NOW_MS - 3000, 100.0, 0))
    assert one(ENERGY, 1e13, time_ms=NOW_MS - 2000, checks=checks)[0] == Quality.OUT_OF_RANGE
    assert one(ENERGY, 1e6, time_ms=NOW_MS - 1500, quality=Quality.BAD, checks=checks)[0] == Quality.BAD
    assert one(ENERGY, 101.0, time_ms=NOW_MS - 1000, checks=checks)[0] == Quality.GOOD


def test_rows_of_one_counter_in_one_batch_are_judged_in_order() -> None:
    checked = run(
        Checks(clock=clock, confirm_readings=1),
        *((ENERGY, NOW_MS - 9000 + i * 1000, value, 0) for i, value in enumerate([100.0, 1.0, 2.0, 3.0])),
    )
    assert checked.batch.quality.tolist() == [0, Quality.SUSPECT, 0, 0]


def test_the_marks_of_the_source_are_kept() -> None:
    assert one(VOLTAGE, -1.0, quality=Quality.ESTIMATED)[0] == Quality.ESTIMATED | Quality.OUT_OF_RANGE
