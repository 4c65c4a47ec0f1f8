"""The Cambridge archive as loaded: its size, its traps, compared with the publisher's own lists."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step


@pytest.fixture(scope="module")
def cambridge(shared_data: Path) -> Dataset:
    return load("cambridge", shared_data)


def test_every_building_has_one_hourly_meter_and_its_area_in_both_years(cambridge: Dataset) -> None:
    """40 buildings according to the data's README; cam-b0 has 3296.5 m2 in buildings.csv."""
    assert len(cambridge.institutions) == len(cambridge.points) == len(cambridge.buildings) == 40
    assert {(point.carrier, point.kind, point.step, point.counts) for point in cambridge.points} == {
        ("electricity", Kind.INTERVAL, Step.HOUR, True)
    }
    assert {institution.timezone for institution in cambridge.institutions} == {"Europe/London"}
    assert [(row.year, row.peer_class, row.area_m2, row.people) for row in cambridge.attributes[:2]] == [
        (2018, "higher_education", 3296.5, None),
        (2019, "higher_education", 3296.5, None),
    ]
    assert (cambridge.institutions[0].id, cambridge.institutions[0].name) == ("cam-b0", "Cambridge b0")
    assert cambridge.refusals == []


def test_every_hour_but_the_zeros_is_stored(cambridge: Dataset, shared_data: Path) -> None:
    files = f"{shared_data}/hourly/cambridge_electricity_*.csv.gz"
    hours, total = duckdb.sql(f"SELECT count(*), sum(value) FROM read_csv('{files}') WHERE value <> 0").fetchall()[0]

    batch = cambridge.batch
    electricity = batch.select(np.array([series.measurement == "electricity" for series in batch.series])[batch.index])

    assert len(electricity) == hours
    assert not (electricity.value == 0).any()
    np.testing.assert_allclose(electricity.value.sum(), total, rtol=1e-12)


def test_the_long_zero_runs_are_those_of_the_publisher(cambridge: Dataset, shared_data: Path) -> None:
    listed = duckdb.sql(
        f"SELECT * FROM read_csv('{shared_data}/hourly/cambridge_zero_runs.csv', all_varchar = true)"
    ).fetchall()

    runs = [finding.evidence for finding in cambridge.findings if finding.id == "zeros.as_missing"]

    assert sorted((run["meter"], run["first"], run["last"], str(run["hours"])) for run in runs) == sorted(listed)


def test_the_copied_meter_of_2018_is_found(cambridge: Dataset) -> None:
    """Trap 3 of the data's README: cam-b36-e and cam-b37-e are identical in 2018."""
    (copy,) = [finding.evidence for finding in cambridge.findings if finding.id == "meter.duplicate"]

    assert (copy["meters"], copy["year"]) == (["cam-b36-e", "cam-b37-e"], 2018)


def test_gas_in_mixed_units_is_told_and_not_loaded(cambridge: Dataset) -> None:
    """145 meter-years are listed, 80 of them electricity; the rest is gas."""
    (gas,) = [finding for finding in cambridge.findings if finding.id == "gas.not_loaded"]

    assert gas.evidence["meter_years"] == 145 - 80
    assert {series.measurement for series in cambridge.batch.series} == {"electricity", "weather"}


def test_the_clipping_is_told(cambridge: Dataset, shared_data: Path) -> None:
    files = f"{shared_data}/hourly/cambridge_electricity_*.csv.gz"
    highest = duckdb.sql(
        f"SELECT meter_id, max(value) / avg(value) AS ratio FROM read_csv('{files}') GROUP BY ALL ORDER BY ratio DESC"
    ).fetchall()[0]

    (clipping,) = [finding.evidence for finding in cambridge.findings if finding.id == "values.clipped_at_source"]

    assert clipping["highest_meter"] == highest[0]
    assert clipping["highest_ratio"] == pytest.approx(highest[1], rel=1e-12)


def test_the_weather_is_hourly_and_whole(cambridge: Dataset) -> None:
    """17 520 hours in two years, three quantities, no blank in the file."""
    weather = {series.key: len(cambridge.batch.of_series(n)) for n, series in enumerate(cambridge.batch.series)
               if series.measurement == "weather"}  # fmt: skip

    assert weather == {
        ("weather", "bedford", quantity): 17_520 for quantity in ("outdoor_temperature", "humidity", "irradiance")
    }
