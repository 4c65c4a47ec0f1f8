"""The grid follows the institution's calendar, with days of 23, 24 and 25 hours."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kgce.analytics.grid import Grid, edges_ms

HOUR_MS = 3_600_000


def ms(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "next_day", "hours"),
    [
        pytest.param("2018-03-25", "2018-03-26", 23, id="clocks go forward in Britain (last Sunday of March)"),
        pytest.param("2018-10-28", "2018-10-29", 25, id="clocks go back in Britain (last Sunday of October)"),
        pytest.param("2018-07-01", "2018-07-02", 24, id="a plain day"),
    ],
)
def test_a_day_is_the_local_day(day: str, next_day: str, hours: int) -> None:
    start, end = ms(day, "Europe/London"), ms(next_day, "Europe/London")
    assert np.diff(edges_ms(start, end, Grid.DAY, "Europe/London")).tolist() == [hours * HOUR_MS]
    assert len(edges_ms(start, end, Grid.HOUR, "Europe/London")) - 1 == hours


@pytest.mark.parametrize("grid", list(Grid))
def test_the_intervals_are_whole_and_cover_the_span(grid: Grid) -> None:
    start, end = ms("2019-02-10T03:07:00", "Asia/Shanghai"), ms("2019-04-02T22:41:00", "Asia/Shanghai")
    edges = edges_ms(start, end, grid, "Asia/Shanghai")
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert (np.diff(edges) > 0).all()


def test_months_and_years_begin_at_local_midnight() -> None:
    start, end = ms("2019-01-01", "Asia/Shanghai"), ms("2020-01-01", "Asia/Shanghai")
    months = edges_ms(start, end, Grid.MONTH, "Asia/Shanghai")
    assert months.tolist() == [ms(f"2019-{month:02d}-01", "Asia/Shanghai") for month in range(1, 13)] + [end]
    assert edges_ms(start, end, Grid.YEAR, "Asia/Shanghai").tolist() == [start, end]


def test_quarter_hours_of_a_zone_at_three_quarters_follow_its_clock() -> None:
    """Nepal is UTC+05:45; its hours start at :15 UTC."""
    start = ms("2019-01-01T10:00:00", "Asia/Kathmandu")
    assert edges_ms(start, start + HOUR_MS, Grid.HOUR, "Asia/Kathmandu").tolist() == [start, start + HOUR_MS]


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="is not after start"):
        edges_ms(10, 10, Grid.HOUR, "UTC")
