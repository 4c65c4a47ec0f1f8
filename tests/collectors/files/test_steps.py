"""The step of interval amounts, told from their stamps."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kgce.collectors.files.steps import infer_step
from kgce.domain.tree import Step
from tests.collectors.files.reading_files import Read


def stamps(timezone: str, *local: str) -> np.ndarray:
    zone = ZoneInfo(timezone)
    return np.array([datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000 for text in local], np.int64)


@pytest.mark.parametrize(
    ("local", "step"),
    [
        pytest.param(["2018-01-01", "2019-01-01"], Step.YEAR, id="year starts"),
        pytest.param(["2018-01-01", "2021-01-01"], Step.YEAR, id="years with gaps"),
        pytest.param(["2018-12-01", "2019-01-01", "2019-03-01"], Step.MONTH, id="month starts"),
        pytest.param(["2018-12-31", "2019-01-01"], Step.DAY, id="midnights"),
        pytest.param(["2019-03-30", "2019-03-31", "2019-04-01"], Step.DAY, id="a day of 23 hours in London"),
        pytest.param(["2019-10-27", "2019-10-28"], Step.DAY, id="a day of 25 hours in London"),
        pytest.param(["2019-01-01T10:00", "2019-01-01T11:00"], Step.HOUR, id="hours"),
        pytest.param(["2019-01-01T00:00", "2019-01-01T00:30", "2019-01-01T01:00"], Step.HALF_HOUR, id="half hours"),
        pytest.param(["2019-01-01T00:00", "2019-01-01T00:15", "2019-01-01T01:00", "2019-01-01T01:15"],
                     Step.QUARTER_HOUR, id="quarter hours with a gap"),
        pytest.param(["2019-01-01"], Step.YEAR, id="one year start"),
        pytest.param(["2019-02-01"], Step.MONTH, id="one month start"),
        pytest.param(["2019-02-02"], Step.DAY, id="one midnight"),
        pytest.param(["2019-02-02T10:00"], Step.HOUR, id="one stamp within a day"),
        pytest.param(["2019-01-01T10:00", "2019-01-01T10:10"], Step.TEN_MINUTES, id="ten minutes"),
        pytest.param(["2019-01-01T10:00", "2019-01-01T10:20"], None, id="twenty minutes"),
        pytest.param(["2019-01-01T10:00", "2019-01-02T10:00"], None, id="days that start at ten"),
        pytest.param(["2019-01-01T10:00", "2019-01-01T12:00"], None, id="two hours"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("timezone", ["Europe/London", "Asia/Shanghai"])
def test_the_stamps_show_the_step(timezone: str, local: list[str], step: Step | None) -> None:
    assert infer_step(stamps(timezone, *local), timezone) is step


def test_midnights_of_another_zone_are_no_days() -> None:
    """Chinese days, read as if they were British, start at 16:00 and are nobody's days."""
    assert infer_step(stamps("Asia/Shanghai", "2019-01-01", "2019-01-02"), "Europe/London") is None


def test_a_day_that_starts_at_one_because_summer_time_skips_midnight_is_a_day() -> None:
    """Beirut goes from 00:00 to 01:00 on the last Sunday of March: 31 March 2019 has no midnight."""
    days = [datetime(2019, 3, 29, 22, tzinfo=ZoneInfo("UTC")) + timedelta(days=n) for n in range(2)]

    assert infer_step(np.array([day.timestamp() * 1000 for day in days], np.int64), "Asia/Beirut") is Step.DAY


def test_days_are_those_of_the_institution(read: Read) -> None:
    """The school is in China, the college in Britain; each has its own midnights."""
    found = read(
        *(f"2019-07-0{day}T00:00+08:00,school,m,gas,interval,m3,1" for day in (1, 2)),
        *(f"2019-07-0{day}T00:00+01:00,college,m,gas,interval,m3,1" for day in (2, 3)),
        *(f"2019-07-0{day}T00:00+08:00,college,other,gas,interval,m3,1" for day in (1, 2)),
    )

    assert {point.series.institution: point.step for point in found.points} == {"school": Step.DAY, "college": Step.DAY}
    assert [refusal.line for refusal in found.refusals] == [6, 7]
    assert "in Europe/London" in found.refusals[0].reason
