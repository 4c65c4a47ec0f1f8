"""The microgrid of UC San Diego as loaded: true UTC, kWh, and every trap of the real data by name."""

import gzip
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.collectors.datasets.ucsd_traps import jumps_forward
from kgce.domain.batch import Batch, Quality
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step
from tests.data.loaded import loaded

RAW = "raw_interval/ucsd_15min_local.csv.gz"
OVER_AUTUMN = {"GeiselLibrary", "MusicBuilding", "BSB_LibraryPV", "CUP_PV", "BatteryStorage"}  # of 2018


@pytest.fixture(scope="module")
def ucsd(shared_data: Path) -> Dataset:
    return load("ucsd", shared_data)


@pytest.fixture(scope="module")
def query(shared_data: Path) -> Any:
    """Rows of a query over the published table; T stands for it."""
    table = f"read_csv('{shared_data}/{RAW}')"
    return lambda sql: duckdb.sql(sql.replace("FROM T", f"FROM {table}")).fetchall()


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


def evidence(found: Dataset, kind: str) -> dict[str, Any]:
    return {one.evidence["meter"].removeprefix("ucsd-"): one.evidence for one in found.findings if one.id == kind}


def of_meter(found: Dataset, meter: str) -> Batch:
    (place,) = [n for n, series in enumerate(found.batch.series) if series.device == f"ucsd-{meter}"]
    return found.batch.of_series(place)


def test_loading_takes_less_than_twenty_seconds(shared_data: Path) -> None:
    begun = time.monotonic()
    load("ucsd", shared_data)

    assert time.monotonic() - begun < 20


def test_seven_meters_of_one_campus_are_points_and_only_consumption_counts(ucsd: Dataset) -> None:
    counts = {point.series.device.removeprefix("ucsd-"): point.counts for point in ucsd.points}

    assert [one.timezone for one in ucsd.institutions] == ["America/Los_Angeles"]
    assert {(point.kind, point.step) for point in ucsd.points} == {(Kind.INTERVAL, Step.QUARTER_HOUR)}
    assert counts == {
        "GeiselLibrary": True, "MusicBuilding": True, "HopkinsBuilding": True, "HopkinsEV": True,
        "BSB_LibraryPV": False, "CUP_PV": False, "BatteryStorage": False,
    }  # fmt: skip
    assert ucsd.refusals == []


def test_the_energy_of_every_meter_is_a_quarter_of_its_summed_power(ucsd: Dataset, query: Any) -> None:
    for meter, kwh, values in query("SELECT meter_id, sum(kw) / 4, count(kw) FROM T GROUP BY meter_id"):
        stored = of_meter(ucsd, meter.removeprefix("ucsd-"))
        assert len(stored) == values
        assert stored.value.sum() == pytest.approx(kwh, rel=1e-12), meter


def test_no_meter_has_an_instant_twice(ucsd: Dataset) -> None:
    for place in range(7):
        assert (np.diff(ucsd.batch.of_series(place).time_ms) > 0).all()


def test_the_repeated_hour_of_autumn_is_two_hours_in_the_order_of_the_file(ucsd: Dataset, query: Any) -> None:
    """On 4 November 2018 the clock showed 01:00 to 01:59 at 08 h UTC (UTC-7) and again at 09 h (UTC-8)."""
    found = evidence(ucsd, "clock.repeated_hour")
    published = query("SELECT kw FROM T WHERE meter_id = 'ucsd-GeiselLibrary' AND "
                      "timestamp_local >= '2018-11-04T01:00' AND timestamp_local < '2018-11-04T02:00'")  # fmt: skip
    geisel = of_meter(ucsd, "GeiselLibrary")
    rows = (geisel.time_ms >= ms(2018, 11, 4, 8)) & (geisel.time_ms < ms(2018, 11, 4, 10))

    assert set(found) == OVER_AUTUMN
    assert {(one["local"], one["stamps"]) for one in found.values()} == {("2018-11-04T01:00", 4)}
    assert set(np.diff(geisel.time_ms[rows]).tolist()) == {900_000}
    assert geisel.value[rows].tolist() == [kw / 4 for (kw,) in published]


def test_the_skipped_hour_of_spring_is_no_gap_in_true_time(ucsd: Dataset) -> None:
    """On 10 March 2019 the clock went from 02:00 to 03:00 at 10 h UTC; the battery's data end before."""
    found = evidence(ucsd, "clock.skipped_hour")
    geisel = of_meter(ucsd, "GeiselLibrary").time_ms

    assert set(found) == OVER_AUTUMN - {"BatteryStorage"}
    assert {(one["at"], one["missing_minutes"]) for one in found.values()} == {("2019-03-10T10:00Z", 0)}
    assert geisel[np.searchsorted(geisel, ms(2019, 3, 10, 10)) - 1] == ms(2019, 3, 10, 9, 45)


def test_a_repeated_hour_that_comes_once_is_taken_as_the_first_with_unsure_time(ucsd: Dataset) -> None:
    """The Hopkins meters have no second 01:00 on 3 November 2019, though the clock showed it twice."""
    found = evidence(ucsd, "clock.repeated_hour_once")
    hopkins = of_meter(ucsd, "HopkinsEV")

    assert {meter: one["local"] for meter, one in found.items()} == {
        "HopkinsEV": "2019-11-03T01:00",
        "HopkinsBuilding": "2019-11-03T01:00",
    }
    unsure = hopkins.time_ms[hopkins.quality == Quality.TIME_UNSURE]
    assert unsure.tolist() == [ms(2019, 11, 3, 8, minute) for minute in (0, 15, 30, 45)]


@pytest.mark.parametrize(
    ("kind", "meters"),
    [
        ("pv.negative_at_night", {"BSB_LibraryPV", "CUP_PV"}),
        ("ev.discharge", {"HopkinsEV"}),
        ("battery.both_ways", {"BatteryStorage"}),
        ("power.negative", {"HopkinsBuilding"}),
    ],
)
def test_power_below_zero_is_kept_and_told_for_what_it_is(
    ucsd: Dataset, query: Any, kind: str, meters: set[str]
) -> None:
    found = evidence(ucsd, kind)

    assert set(found) == meters
    for meter in meters:
        ((count, lowest),) = query(f"SELECT count(*), min(kw) FROM T WHERE meter_id = 'ucsd-{meter}' AND kw < 0")
        assert (found[meter]["values"], found[meter]["lowest_kw"]) == (count, lowest)
        assert int((of_meter(ucsd, meter).value < 0).sum()) == count


def test_the_negative_power_of_pv_comes_without_sun(ucsd: Dataset) -> None:
    for one in evidence(ucsd, "pv.negative_at_night").values():
        assert one["by_day"] < 0.01 * one["values"]


def test_outages_are_told_and_the_spring_hole_is_none_of_them(ucsd: Dataset) -> None:
    gaps = [one.evidence for one in ucsd.findings if one.id == "gap.long"]
    pv = [one for one in gaps if one["meter"] == "ucsd-BSB_LibraryPV"]

    assert [(one["gap_from"], one["slots"]) for one in pv] == [("2019-03-25T14:15Z", 10), ("2019-03-25T17:15Z", 5)]
    assert not [one for one in gaps if one["meter"] == "ucsd-MusicBuilding"]
    assert not [one for one in gaps if one["gap_from"].startswith("2019-03-10")]


def test_the_pv_clock_that_was_set_on_25_march_is_told_and_not_corrected(ucsd: Dataset) -> None:
    """Both PV plants are under one sun; the only outages of BSB_LibraryPV are on that day."""
    (shifted,) = [one.evidence for one in ucsd.findings if one.id == "clock.shifted"]

    assert shifted["meters"] == ["ucsd-BSB_LibraryPV", "ucsd-CUP_PV"]
    assert shifted["day"] == "2019-03-25"
    assert shifted["after_min"] - shifted["before_min"] == pytest.approx(60, abs=8)


def test_a_clock_that_does_not_jump_has_no_skipped_hour() -> None:
    assert jumps_forward(ms(2019, 3, 11), ms(2019, 12, 31)) == []
    assert jumps_forward(ms(2019, 3, 9), ms(2019, 12, 31)) == [ms(2019, 3, 10, 10)]


def test_a_time_given_twice_skipped_or_damaged_is_refused_and_the_others_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "raw_interval"
    folder.mkdir()
    (folder / "ucsd_meters.csv").write_text("meter_id,commodity\nm,electricity\n")
    stamps = ("2018-11-04T01:00", "2018-11-04T01:00", "2018-11-04T01:00", "2018-11-04T02:00", "2018-11-04T02:00",
              "2019-03-10T02:30", "noon")  # fmt: skip
    rows = ["meter_id,timestamp_local,kw", *(f"m,{stamp},4" for stamp in stamps), "m,2019-05-01T00:00,lots",
            "m,2019-05-01T00:15,", "other,2019-05-01T00:00,1"]  # fmt: skip
    (folder / "ucsd_15min_local.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))

    found = load("ucsd", tmp_path)

    assert found.batch.time_ms.tolist() == [ms(2018, 11, 4, 8), ms(2018, 11, 4, 9), ms(2018, 11, 4, 10)]
    assert found.batch.value.tolist() == [1.0] * 3
    assert [refusal.line for refusal in found.refusals] == [4, 6, 7, 8, 9, 11]


def test_all_of_it_goes_into_a_store_once(shared_data: Path, tmp_path: Path) -> None:
    with loaded("ucsd", shared_data, tmp_path) as (_, registry):
        assert len(registry.points()) == 7
