"""The hourly hot-water plants as published: their trap by name, their units, and damaged hours."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.collectors.datasets.heating import FILES, NOT_LOADED, VALUES
from kgce.collectors.datasets.heating_traps import SENTINEL_C, sentinels
from kgce.domain.batch import Batch, Quality
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.tree import Step

COLUMNS = ("building_id", "timestamp_utc", *VALUES, *NOT_LOADED)


@pytest.fixture(scope="module")
def plants(shared_data: Path) -> Dataset:
    return load("heating-hot-water", shared_data)


@pytest.fixture(scope="module")
def query(shared_data: Path) -> Any:
    """First row of a query over the published table; T stands for it."""
    table = f"read_csv('{shared_data / FILES[1]}', sample_size = -1)"
    return lambda sql: duckdb.sql(sql.replace("FROM T", f"FROM {table}")).fetchall()[0]


def told(found: Dataset, kind: str) -> list[Finding]:
    return [finding for finding in found.findings if finding.id == kind]


def readings(found: Dataset, device: str, quantity: str) -> Batch:
    wanted = np.array([(series.device, series.quantity) == (device, quantity) for series in found.batch.series])
    return found.batch.select(wanted[found.batch.index])


def test_five_plants_have_an_hourly_heat_meter_and_one_of_them_a_gas_meter(plants: Dataset) -> None:
    metered = [(point.series.institution, point.carrier) for point in plants.points]

    assert len(plants.institutions) == 5
    assert sorted(carrier for _, carrier in metered) == ["gas_energy", *["heat"] * 5]
    assert ("hhw-127", "gas_energy") in metered
    assert {(point.kind, point.step) for point in plants.points} == {(Kind.INTERVAL, Step.HOUR)}
    assert {one.id: one.timezone for one in plants.institutions}["hhw-29"] == "America/Phoenix"
    assert {row.institution: row.area_m2 for row in plants.attributes}["hhw-127"] == 26_000.0
    assert plants.refusals == []


@pytest.mark.parametrize(("column", "carrier"), [("heat_kw", "heat"), ("gas_kw", "gas_energy")])
def test_a_mean_of_kilowatts_over_an_hour_is_as_many_kilowatt_hours(
    plants: Dataset, query: Any, column: str, carrier: str
) -> None:
    count, total = query(f"SELECT count({column}), sum({column}) FROM T")
    batch = readings(plants, carrier, f"{carrier.removesuffix('_energy')}_energy_interval")

    assert len(batch) == count
    np.testing.assert_allclose(batch.value.sum(), total, rtol=1e-12)
    assert quantity_of(batch.series[batch.index[0]].quantity).unit == "kWh"


def test_the_0_f_sentinel_of_hhw_127_is_stored_as_bad_and_told(plants: Dataset) -> None:
    """Trap 5 of the data's README: both primary temperatures fall to -17.8 C in the same hour."""
    bad = plants.batch.select(plants.batch.quality == Quality.BAD)
    at = datetime(2020, 5, 20, 20, tzinfo=UTC).timestamp() * 1000

    assert {bad.series[place].key for place in bad.index} == {
        ("hhw-127", "boiler", "supply_temperature"),
        ("hhw-127", "boiler", "return_temperature"),
    }
    assert (bad.time_ms.tolist(), bad.value.tolist()) == ([at, at], [-17.78, -17.78])
    assert sorted((one.subject, one.evidence["column"]) for one in told(plants, "temperature.sentinel")) == [
        ("hhw-127", "primary_return_temp_c"),
        ("hhw-127", "primary_supply_temp_c"),
    ]
    assert {one.evidence["first"] for one in told(plants, "temperature.sentinel")} == {"2020-05-20T20:00Z"}


def test_no_other_water_temperature_is_below_freezing(plants: Dataset) -> None:
    batch = plants.batch.select(plants.batch.quality == Quality.GOOD)
    water = [series.quantity in {"supply_temperature", "return_temperature"} for series in batch.series]

    assert batch.value[np.array(water)[batch.index]].min() > 10.0


def test_air_at_0_f_is_weather_and_water_at_0_f_is_a_missing_sensor() -> None:
    value = np.array([SENTINEL_C, -17.8, -17.78, -17.0, 0.0])

    assert sentinels("supply_temp_c", value).tolist() == [True, True, True, False, False]
    assert not sentinels("outdoor_temp_c", value).any()
    assert not sentinels("heat_kw", value).any()


def test_blank_hours_are_missing_and_counted_not_zero(plants: Dataset, query: Any) -> None:
    blanks = {one.subject: one.evidence["hours"] for one in told(plants, "blank.as_missing")}

    assert (
        blanks["hhw-29"]["heat_kw"] == query("SELECT count(*) - count(heat_kw) FROM T WHERE building_id = 'hhw-29'")[0]
    )
    assert "gas_kw" not in blanks["hhw-29"]  # never metered there
    zeros = query("SELECT count(*) FROM T WHERE heat_kw = 0")[0]
    assert int((readings(plants, "heat", "heat_energy_interval").value == 0).sum()) == zeros


def test_flow_is_kept_in_cubic_metres_an_hour(plants: Dataset, query: Any) -> None:
    highest = query("SELECT max(flow_l_s) FROM T")[0]

    np.testing.assert_allclose(readings(plants, "hot_water", "water_flow").value.max(), highest * 3.6, rtol=1e-12)


def test_the_air_outside_belongs_to_a_station_named_like_the_plant(plants: Dataset, query: Any) -> None:
    stations = {series.device for series in plants.batch.series if series.institution == "weather"}

    assert stations == {one.id for one in plants.institutions}
    count = query("SELECT count(outdoor_temp_c) FROM T")[0]
    assert sum(len(readings(plants, station, "outdoor_temperature")) for station in stations) == count


def test_heat_made_of_metered_gas_is_not_counted_twice(plants: Dataset) -> None:
    counting = {point.series.institution: point.counts for point in plants.points if point.carrier == "heat"}

    assert counting.pop("hhw-127") is False
    assert set(counting.values()) == {True}
    assert [one.subject for one in told(plants, "heat.inside_gas")] == ["hhw-127"]
    assert {one.subject for one in told(plants, "fuel.unmetered")} == {"hhw-124", "hhw-105", "hhw-53"}  # not district


def test_the_heat_of_hhw_127_is_less_than_the_gas_it_is_made_of(query: Any) -> None:
    """Boilers rated at 92 % (buildings.csv) deliver less than that over two years: both columns are kW."""
    (share,) = query("SELECT sum(heat_kw) / sum(gas_kw) FROM T WHERE heat_kw IS NOT NULL AND gas_kw IS NOT NULL")

    assert 0.7 < share < 0.92


def test_what_is_left_out_is_told(plants: Dataset) -> None:
    (left_out,) = told(plants, "column.not_loaded")

    assert left_out.evidence == {"columns": ["enabled", "operating"]}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"building_id": "y"}, "unknown building 'y'"),
        ({"timestamp_utc": "2020-01-01T01:00"}, "has no offset"),
        ({"heat_kw": "warm"}, "heat_kw: value 'warm' is not a number"),
        ({}, "is there twice: the first counts"),
    ],
)
def test_a_damaged_hour_is_refused_whole_with_its_reason(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    usual = {"building_id": "x", "timestamp_utc": "2020-01-01T00:00Z", "heat_kw": "5", "supply_temp_c": "60"}
    lines = [",".join((usual | row).get(column, "") for column in COLUMNS) for row in ({}, cells)]
    (tmp_path / "hourly").mkdir()
    header = "building_id,primary_use,area_m2,timezone,heating_system"
    (tmp_path / FILES[0]).write_text(f"{header}\nx,Office,,America/Denver,Boiler\n", encoding="utf-8")
    (tmp_path / FILES[1]).write_bytes(gzip.compress("\n".join([",".join(COLUMNS), *lines]).encode()))

    found = load("heating-hot-water", tmp_path)

    assert [refusal.line for refusal in found.refusals] == [3]
    assert reason in found.refusals[0].reason
    assert sorted(found.batch.value.tolist()) == [5.0, 60.0]
    assert [(row.year, row.area_m2) for row in found.attributes] == [(2019, None)]  # still the old year in Denver
