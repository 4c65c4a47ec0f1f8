"""The daily water of Attica's schools as published: its traps by name, and its rules on planted days."""

import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.collectors.datasets.school_water import FILES
from kgce.collectors.datasets.school_water_traps import DAY, Days, burst_runs, catch_ups
from kgce.domain.batch import Batch, Quality
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step


@pytest.fixture(scope="module")
def schools(shared_data: Path) -> Dataset:
    return load("school-water", shared_data)


def told(found: Dataset, kind: str) -> list[Finding]:
    return [finding for finding in found.findings if finding.id == kind]


def readings(found: Dataset, school: str) -> Batch:
    names = np.array([series.institution == school for series in found.batch.series])
    return found.batch.select(names[found.batch.index])


def midnight_ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Athens")).timestamp() * 1000)


def test_every_school_has_one_daily_water_meter_and_every_day_is_kept(schools: Dataset, shared_data: Path) -> None:
    """34 meters, 38 893 days according to the data's README."""
    total = duckdb.sql(f"SELECT sum(m3) FROM read_csv('{shared_data / FILES[1]}')").fetchall()[0][0]

    assert len(schools.institutions) == len(schools.points) == 34
    assert {(point.carrier, point.kind, point.step) for point in schools.points} == {("water", Kind.INTERVAL, Step.DAY)}
    assert (len(schools.batch), schools.refusals) == (38_893, [])
    np.testing.assert_allclose(schools.batch.value.sum(), total, rtol=1e-12)


def test_a_day_starts_at_midnight_in_athens_in_winter_and_in_summer(schools: Dataset) -> None:
    times = readings(schools, "att-68").time_ms.tolist()

    assert times[0] == midnight_ms("2020-01-26")
    assert midnight_ms("2020-07-01") in times
    assert midnight_ms("2020-07-01") % 86_400_000 == 21 * 3_600_000  # UTC+3


def test_the_negative_day_of_a_replaced_register_is_stored_as_bad(schools: Dataset) -> None:
    (finding,) = told(schools, "water.negative")
    batch = readings(schools, "att-1410")

    assert (finding.subject, finding.evidence) == ("att-1410", {"date": "2022-01-18", "m3": -1504.11})
    assert batch.time_ms[batch.quality == Quality.BAD].tolist() == [midnight_ms("2022-01-18")]
    assert batch.value[batch.quality == Quality.BAD].tolist() == [-1504.11]


def test_the_burst_of_305_m3_a_day_is_told_with_its_days_and_kept(schools: Dataset) -> None:
    (worst,) = [one for one in told(schools, "water.burst") if one.evidence["highest_m3"] > 300]
    batch = readings(schools, "att-1250")

    assert worst.subject == "att-1250"
    assert (worst.evidence["first"], worst.evidence["last"], worst.evidence["days"]) == ("2022-07-01", "2022-07-09", 9)
    assert batch.quality[batch.value == 305.48].tolist() == [Quality.GOOD]


def test_the_only_standing_leak_is_the_school_of_30_m3_a_day(schools: Dataset) -> None:
    (leak,) = told(schools, "water.leak")

    assert (leak.subject, leak.evidence["median_m3"]) == ("att-841", pytest.approx(30.455))


def test_a_meter_that_never_moved_is_told_and_its_zeros_are_suspect(schools: Dataset) -> None:
    (dead,) = told(schools, "meter.all_zero")

    assert (dead.subject, dead.evidence) == ("att-591", {"days": 1112})
    assert set(readings(schools, "att-591").quality.tolist()) == {Quality.SUSPECT}


def test_the_longest_gap_is_told_with_both_its_ends(schools: Dataset) -> None:
    """125 days from reading to reading, 124 without one."""
    longest = max(told(schools, "gap.long"), key=lambda one: one.evidence["missing_days"])

    assert (longest.subject, longest.evidence["missing_days"]) == ("att-1410", 124)
    assert (longest.evidence["after"], longest.evidence["until"]) == ("2021-09-15", "2022-01-18")


def test_the_day_after_a_gap_that_holds_its_water_is_no_burst(schools: Dataset) -> None:
    """att-1003: 106 m3 after 41 missing days of a usual 0.2 m3; att-202: 98 m3 after 14 days of 6.4 m3."""
    late = {(one.subject, one.evidence["until"]) for one in told(schools, "gap.catch_up")}
    bursts = {(one.subject, one.evidence["first"]) for one in told(schools, "water.burst")}

    assert {("att-1003", "2021-07-20"), ("att-202", "2020-02-12")} <= late
    assert not late & bursts


def test_dates_the_source_had_twice_are_told_with_the_one_that_counts(schools: Dataset) -> None:
    repeated = {one.subject: one.evidence for one in told(schools, "date.duplicate")}

    assert len(repeated) == 33  # all but the empty meter
    assert repeated["att-820"] == {"dates": 10, "counts": "the one in the daily file"}


def test_the_empty_meter_is_an_institution_without_readings(schools: Dataset) -> None:
    (empty,) = told(schools, "meter.empty")

    assert empty.subject == "att-1511"
    assert len(readings(schools, "att-1511")) == 0
    assert "att-1511" in {one.id for one in schools.institutions}


def test_no_pupils_means_unknown_people_and_pupils_are_people(schools: Dataset) -> None:
    people = {row.institution: row.people for row in schools.attributes}

    assert (people["att-68"], people["att-202"]) == (420.0, None)
    assert len(told(schools, "people.zero_as_unknown")) == sum(number is None for number in people.values()) == 9
    assert Counter(row.year for row in schools.attributes) == dict.fromkeys((2019, 2020, 2021, 2022), 34)


def planted(folder: Path, *rows: str) -> Dataset:
    """One invented school with these days."""
    (folder / "water").mkdir(parents=True)
    (folder / FILES[0]).write_text("meter_id,municipality,pupils,duplicate_dates\nx,,5,0\n", encoding="utf-8")
    (folder / FILES[1]).write_bytes(gzip.compress("\n".join(["meter_id,date,m3", *rows]).encode()))
    return load("school-water", folder)


def test_of_a_date_that_is_there_twice_the_last_counts(tmp_path: Path) -> None:
    found = planted(tmp_path, "x,2022-01-01,3", "x,2022-01-02,4", "x,2022-01-01,5")

    (finding,) = told(found, "date.duplicate")
    assert found.batch.value.tolist() == [5.0, 4.0]
    assert finding.evidence == {"date": "2022-01-01", "first_m3": 3.0, "last_m3": 5.0, "counts": "the last"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("y,2022-01-01,1", "unknown meter 'y'"),
        ("x,01/02/2022,1", "date '01/02/2022' is not ISO 8601"),
        ("x,0022-01-01,1", "date '0022-01-01' is before 1980"),
        ("x,2022-01-01,", "no value"),
        ("x,2022-01-01", "2 columns"),
    ],
)
def test_a_damaged_day_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    found = planted(tmp_path, row, "x,2022-01-02,4")

    assert [refusal.line for refusal in found.refusals] == [2]
    assert reason in found.refusals[0].reason
    assert found.batch.value.tolist() == [4.0]


def days(amounts: list[float], missing: int = 0) -> Days:
    """Days from the first of May; the last comes after a gap."""
    day = np.arange(len(amounts))
    day[-1] += missing
    return Days(np.datetime64("2022-05-01", "D") + day.astype("timedelta64[D]"), np.array(amounts))


@pytest.mark.parametrize(("last", "missing", "late"), [(6.0, 10, True), (5.9, 10, False), (60.0, 2, False)])
def test_a_day_holds_its_gap_from_half_of_the_usual_water_on(last: float, missing: int, late: bool) -> None:
    found = catch_ups(days([1.0] * 20 + [last], missing))

    assert (found.tolist()[:-1], found[-1]) == ([False] * 20, late)


@pytest.mark.parametrize(("usual", "high", "runs"), [(1.0, 30.0, 1), (1.0, 29.9, 0), (0.1, 20.0, 1), (0.1, 19.9, 0)])
def test_a_burst_is_thirty_usual_days_and_at_least_20_m3(usual: float, high: float, runs: int) -> None:
    one = days([usual] * 20 + [high, high])

    assert len(burst_runs(one, np.zeros(22, np.bool_))) == runs
    assert one.day.dtype == DAY
