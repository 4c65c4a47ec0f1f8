"""Interval amounts: whole ones are summed, cut ones are spread, gaps stay gaps."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kgce.analytics.grid import Grid, edges_ms
from kgce.analytics.ledger.amounts import Flag, Provenance
from kgce.analytics.ledger.interval import interval_amounts, interval_ends
from kgce.domain.batch import Quality
from kgce.domain.tree import Step

HOUR = 3_600_000
SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(*date: int) -> int:
    return round(datetime(*date, tzinfo=SHANGHAI).timestamp() * 1000)


def amounts(starts, ends, values, edges, quality=None):
    bits = np.zeros(len(starts), np.uint8) if quality is None else np.array(quality, np.uint8)
    columns = (
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.array(values, float),
        bits,
        np.array(edges, np.int64),
    )
    return interval_amounts(*columns)


def test_hours_are_summed_to_the_day_and_missing_hours_lower_the_coverage() -> None:
    starts = np.array([hour for hour in range(24) if hour not in {5, 6, 7}]) * HOUR
    found = amounts(starts, starts + HOUR, np.full(21, 2.0), [0, 24 * HOUR])
    assert (found.amount[0], found.coverage[0]) == (42, 21 / 24)
    assert (found.provenance[0], found.flags[0]) == (Provenance.MEASURED, Flag.PARTIAL)


def test_a_missing_hour_is_missing_not_zero() -> None:
    found = amounts([0, 2 * HOUR], [HOUR, 3 * HOUR], [1, 3], np.arange(4) * HOUR)
    assert np.isnan(found.amount[1])
    assert found.provenance.tolist() == [Provenance.MEASURED, Provenance.MISSING, Provenance.MEASURED]


def test_a_bill_is_spread_over_its_days_and_marked_manual() -> None:
    days = edges_ms(ms(2019, 2, 1), ms(2019, 3, 1), Grid.DAY, "Asia/Shanghai")
    found = amounts([ms(2019, 2, 1)], [ms(2019, 3, 1)], [280.0], days, [Quality.MANUAL])
    assert found.amount.tolist() == pytest.approx([10.0] * 28)
    assert set(found.provenance.tolist()) == {Provenance.MANUAL}


def test_an_amount_cut_by_an_edge_is_interpolated_and_conserved() -> None:
    found = amounts([0], [2 * HOUR], [8.0], [HOUR // 2, HOUR, 2 * HOUR, 3 * HOUR])
    assert found.amount[:2].tolist() == pytest.approx([2, 4])
    assert np.isnan(found.amount[2])
    assert found.provenance.tolist() == [Provenance.INTERPOLATED, Provenance.INTERPOLATED, Provenance.MISSING]


def test_where_two_amounts_overlap_the_later_one_has_the_time() -> None:
    found = amounts([0, HOUR], [2 * HOUR, 3 * HOUR], [20.0, 8.0], [0, 3 * HOUR])
    assert found.amount[0] == 10 + 8
    assert found.flags[0] & Flag.OVERLAP
    assert found.provenance[0] == Provenance.INTERPOLATED, "the earlier one was divided by time"


def test_bad_rows_are_left_out_and_repeats_count_once() -> None:
    found = amounts([0, 0, HOUR], [HOUR, HOUR, 2 * HOUR], [5, 6, 7], [0, HOUR, 2 * HOUR], [0, 0, Quality.BAD])
    assert found.amount[0] == 6
    assert np.isnan(found.amount[1])


@pytest.mark.parametrize(
    ("step", "start", "end"),
    [
        pytest.param(Step.TEN_MINUTES, (2019, 1, 1, 0, 50), (2019, 1, 1, 1), id="ten minutes"),
        pytest.param(Step.QUARTER_HOUR, (2019, 1, 1, 0, 15), (2019, 1, 1, 0, 30), id="quarter of an hour"),
        pytest.param(Step.DAY, (2019, 2, 28), (2019, 3, 1), id="day"),
        pytest.param(Step.MONTH, (2019, 2, 1), (2019, 3, 1), id="February has 28 days in 2019"),
        pytest.param(Step.MONTH, (2020, 2, 1), (2020, 3, 1), id="and 29 in 2020"),
        pytest.param(Step.YEAR, (2019, 1, 1), (2020, 1, 1), id="year"),
        pytest.param(Step.DAY, (2019, 2, 28, 8), (2019, 3, 1, 8), id="a day that begins at eight"),
    ],
)
def test_an_interval_ends_where_its_step_says(step: Step, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    found = interval_ends(np.array([ms(*start)], np.int64), step, "Asia/Shanghai")
    assert found.tolist() == [ms(*end)]
