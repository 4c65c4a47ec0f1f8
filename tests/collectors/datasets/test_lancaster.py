"""The Lancaster meters as loaded: trap 4 of the data's README, each part of it."""

import csv
import math
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.collectors.datasets.lancaster_traps import HOUR_MS, Logged, find_traps, silences
from kgce.domain.batch import Batch, Quality
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step

SPIKED = "lan-building039_meter003"


@pytest.fixture(scope="module")
def lancaster(shared_data: Path) -> Dataset:
    return load("lancaster", shared_data)


def told(dataset: Dataset, name: str) -> list[Finding]:
    return [finding for finding in dataset.findings if finding.id == name]


def readings(dataset: Dataset, meter: str) -> Batch:
    (place,) = [place for place, series in enumerate(dataset.batch.series) if series.device == meter]
    return dataset.batch.of_series(place)


def test_every_building_and_every_meter_but_the_unknown_one_is_there(lancaster: Dataset) -> None:
    """26 buildings and 58 meters in the files; one series is of an unknown kind."""
    assert len(lancaster.institutions) == len(lancaster.buildings) == len(lancaster.attributes) == 26
    assert len(lancaster.points) == 57
    assert (lancaster.attributes[0].year, lancaster.attributes[0].area_m2) == (2023, 1538.0)
    assert {institution.timezone for institution in lancaster.institutions} == {"Europe/London"}
    assert lancaster.refusals == []


def test_six_meters_are_told_every_ten_minutes_and_the_others_hourly(lancaster: Dataset, shared_data: Path) -> None:
    file = f"{shared_data}/raw_interval/lancaster_2023_10min_raw.csv.gz"
    fine = {row[0] for row in duckdb.sql(f"SELECT DISTINCT meter_id FROM read_csv('{file}')").fetchall()}

    assert {point.id for point in lancaster.points if point.step is Step.TEN_MINUTES} == fine
    assert {point.step for point in lancaster.points if point.id not in fine and point.kind is Kind.INTERVAL} == {
        Step.HOUR
    }


def test_a_blank_is_missing_and_never_stored_as_zero(lancaster: Dataset, shared_data: Path) -> None:
    """lan-building011_meter001 has 52 406 rows, 45 591 of them blank, and no late amount."""
    file = f"{shared_data}/raw_interval/lancaster_2023_10min_raw.csv.gz"
    meter = "lan-building011_meter001"
    count = duckdb.sql(f"SELECT count(value) FROM read_csv('{file}') WHERE meter_id = '{meter}'").fetchall()[0][0]

    assert len(readings(lancaster, meter)) == count == 52_406 - 45_591


def test_the_campus_wide_logger_outage_is_found(lancaster: Dataset) -> None:
    (outage,) = [finding.evidence for finding in told(lancaster, "logger.outage")]

    assert (outage["first"][:10], outage["last"][:10]) == ("2023-09-10", "2023-09-11")
    assert outage["meters_heard"] < outage["meters"] / 2


def test_every_catch_up_spike_of_the_publisher_list_is_found_with_its_gap(
    lancaster: Dataset, shared_data: Path
) -> None:
    """The list gives the last good and the first late stamp; three of its meters are published hourly here."""
    listing = shared_data / "raw_interval" / "lancaster_catchup_spikes.csv"
    with listing.open(encoding="utf-8") as file:
        listed = {row["meter_id"]: row for row in csv.DictReader(file)}

    found = {finding.evidence["meter"]: finding.evidence for finding in told(lancaster, "catch_up.spike")}

    assert found.keys() == listed.keys()
    for meter, row in listed.items():
        assert found[meter]["value"] >= float(row["catchup_value"])
        assert found[meter]["at"][:13] == row["first_after"][:13]
    spike, row = found[SPIKED], listed[SPIKED]
    last_good = datetime.fromisoformat(row["last_good"])
    assert (spike["value"], spike["at"], spike["usual_p99"]) == (5237.0, row["first_after"], 36.0)
    assert datetime.fromisoformat(spike["gap_from"]) == last_good + timedelta(minutes=10)
    assert spike["gap_to"] == "2023-09-11T17:00Z"


def test_a_catch_up_is_no_giant_interval_but_an_estimate_over_its_gap(lancaster: Dataset) -> None:
    """2 150 minutes of gap are 214 missing intervals and the one the amount came in."""
    batch = readings(lancaster, SPIKED)
    estimated = batch.select((batch.quality & np.uint8(Quality.ESTIMATED)) > 0)

    assert len(estimated) == 215
    assert (np.diff(estimated.time_ms) == 600_000).all()
    np.testing.assert_allclose(estimated.value, 5237 / 215, rtol=1e-9)
    assert math.fsum(estimated.value) == 5237.0
    assert batch.value.max() < 50


def test_no_energy_vanishes_when_catch_ups_are_spread(lancaster: Dataset, shared_data: Path) -> None:
    """Sum of the file = sum of what is stored, exactly: the values of these meters are whole kWh."""
    raw = f"{shared_data}/raw_interval/lancaster_2023_10min_raw.csv.gz"
    hours = f"{shared_data}/hourly/lancaster_2023_hourly.csv.gz"
    for finding in told(lancaster, "catch_up.spike"):
        meter = finding.evidence["meter"]
        file = raw if meter == SPIKED else hours
        published = duckdb.sql(f"SELECT sum(value) FROM read_csv('{file}') WHERE meter_id = '{meter}'").fetchall()[0][0]
        assert math.fsum(readings(lancaster, meter).value) == published


def test_heat_meters_of_one_megawatt_hour_are_told_as_coarse(lancaster: Dataset) -> None:
    coarse = {finding.evidence["meter"]: finding.evidence for finding in told(lancaster, "resolution.coarse")}

    assert coarse["lan-building005_meter001"]["pulse_kwh"] == 1000.0
    assert {evidence["pulse_kwh"] for evidence in coarse.values()} == {1000.0}
    assert SPIKED not in coarse


def test_all_zero_and_empty_meters_are_those_the_publisher_lists(lancaster: Dataset, shared_data: Path) -> None:
    with (shared_data / "hourly" / "lancaster_meters.csv").open(encoding="utf-8") as file:
        kinds = {row["meter_id"]: row["series_kind"] for row in csv.DictReader(file)}

    zero = {finding.evidence["meter"] for finding in told(lancaster, "meter.all_zero")}
    empty = {finding.evidence["meter"] for finding in told(lancaster, "meter.empty")}

    assert zero == {meter for meter, kind in kinds.items() if kind.startswith("all zero")}
    assert empty == {meter for meter, kind in kinds.items() if kind == "no data"}
    assert all(point.id in kinds for point in lancaster.points if point.id in zero | empty)


def test_a_register_among_amounts_becomes_a_counter_and_an_unknown_series_is_left_out(lancaster: Dataset) -> None:
    outcome = {finding.evidence["meter"]: finding.message for finding in told(lancaster, "meter.mislabelled")}
    counters = {point.id: point for point in lancaster.points if point.kind is Kind.COUNTER}

    assert outcome.keys() == {"lan-building040_meter002", "lan-building040_meter003"}
    assert counters.keys() == {"lan-building040_meter003"}
    assert "not loaded" in outcome["lan-building040_meter002"]
    register = readings(lancaster, "lan-building040_meter003")
    assert (np.diff(register.value) >= 0).all()
    assert register.value[-1] == pytest.approx(32_800)
    assert counters["lan-building040_meter003"].step is None


def test_a_register_reading_at_the_start_of_a_series_is_suspect_and_never_counted(lancaster: Dataset) -> None:
    """1 498 MWh in the first ten minutes of lan-building011_meter001, single pulses ever after."""
    first = {
        finding.evidence["meter"]: finding.evidence["value"] for finding in told(lancaster, "register.first_reading")
    }

    assert first["lan-building011_meter001"] == 1_498_000.0
    batch = readings(lancaster, "lan-building011_meter001")
    assert batch.quality[0] == Quality.SUSPECT
    assert not batch.quality[1:].any()


def test_a_short_silence_of_the_campus_is_no_outage_and_a_long_one_is() -> None:
    present = np.array([9, 9, 1, 1, 9, 9, 2, 0, 4, 9, 9, 9], float)

    assert silences(np.arange(12) * HOUR_MS, present) == [(6 * HOUR_MS, 8 * HOUR_MS)]


def test_a_campus_without_any_value_has_empty_meters_and_no_outage() -> None:
    empty = Logged("m", "home", "heat", "no data", HOUR_MS, np.empty(0, np.int64), np.empty(0, float))

    assert [finding.id for finding in find_traps([empty])] == ["meter.empty"]
