"""The annual disclosure as loaded: counts, traps and totals against DuckDB reading the same file."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from kgce.collectors.datasets import Dataset, load
from kgce.domain.tree import Step


@pytest.fixture(scope="module")
def annual(shared_data: Path) -> Dataset:
    return load("benchmark-annual", shared_data)


@pytest.fixture(scope="module")
def query(shared_data: Path) -> Any:
    """First row of a query over the published table; T stands for it."""
    table = f"read_csv('{shared_data}/annual/benchmark_annual.csv.gz', sample_size = -1)"
    return lambda sql: duckdb.sql(sql.replace("FROM T", f"FROM {table}")).fetchall()[0]


def of_kind(found: Dataset, kind: str) -> list[Any]:
    return [finding for finding in found.findings if finding.id == kind]


def test_every_property_is_an_institution_of_its_class(annual: Dataset, query: Any) -> None:
    assert len(annual.institutions) == len({one.id for one in annual.institutions}) == 8981  # the data's README
    assert annual.refusals == []
    assert (
        Counter(row.peer_class for row in annual.attributes)["school"]
        == query("SELECT count(*) FROM T WHERE use_group = 'school'")[0]
    )
    assert all(row.people is None for row in annual.attributes)
    assert all(one.name for one in annual.institutions)


@pytest.mark.parametrize(
    ("device", "expression"),
    [
        ("site_energy", "site_energy_kwh"),
        ("electricity", "electricity_kwh"),
        ("gas_energy", "gas_kwh"),
        ("heat", "district_steam_kwh"),  # the hot-water column is empty throughout
        ("cooling", "chilled_water_kwh"),
        ("water", "water_m3"),
    ],
)
def test_the_sum_of_every_carrier_is_that_of_its_columns(
    annual: Dataset, query: Any, device: str, expression: str
) -> None:
    batch = annual.batch
    rows = np.array([series.device == device for series in batch.series])[batch.index]

    np.testing.assert_allclose(batch.value[rows].sum(), query(f"SELECT sum({expression}) FROM T")[0], rtol=1e-12)


def test_only_the_total_and_the_water_count(annual: Dataset) -> None:
    counting = Counter((point.carrier, point.counts) for point in annual.points)

    assert {carrier for carrier, counts in counting if counts} == {"site_energy", "water"}
    assert counting["site_energy", True] == 8981
    assert {point.step for point in annual.points} == {Step.YEAR}


@pytest.mark.parametrize(
    ("city", "year", "timezone"),
    [("USSEA", 2016, "America/Los_Angeles"), ("USNYC", 2014, "America/New_York"), ("CATOR", 2021, "America/Toronto")],
)
def test_a_year_starts_at_local_midnight(annual: Dataset, city: str, year: int, timezone: str) -> None:
    batch = annual.batch
    rows = np.array([series.region == city for series in batch.series])[batch.index]

    expected_ms = datetime(year, 1, 1, tzinfo=ZoneInfo(timezone)).timestamp() * 1000
    assert set(batch.time_ms[rows].tolist()) == {int(expected_ms)}


def test_zero_totals_and_zero_water_are_missing(annual: Dataset, query: Any) -> None:
    told = Counter(finding.evidence["column"] for finding in of_kind(annual, "zero.as_missing"))
    batch = annual.batch
    counted = np.array([series.device in {"site_energy", "water"} for series in batch.series])[batch.index]

    assert told["site_energy_kwh"] == query("SELECT count(*) FROM T WHERE site_energy_kwh = 0")[0]
    assert told["water_m3"] == query("SELECT count(*) FROM T WHERE water_m3 = 0")[0]
    assert (batch.value[counted] > 0).all()
    assert int(counted.sum()) == sum(
        query("SELECT count(*) FILTER (site_energy_kwh <> 0), count(*) FILTER (water_m3 <> 0) FROM T")
    )


def test_the_net_producer_of_seattle_is_kept_and_told(annual: Dataset) -> None:
    """Trap 9 of the data's README: Seattle has one negative electricity."""
    (producer,) = of_kind(annual, "amount.negative")
    batch = annual.batch

    (value,) = batch.value[batch.value < 0]
    assert (producer.subject, producer.evidence["value"]) == ("sea-49784", value)


def test_a_zero_area_is_unknown(annual: Dataset, query: Any) -> None:
    zero = query("SELECT count(*) FROM T WHERE area_m2 = 0")[0]

    assert len(of_kind(annual, "area.zero")) == zero
    assert sum(row.area_m2 is None for row in annual.attributes) == zero


def test_the_publishers_remarks_are_counted(annual: Dataset, query: Any) -> None:
    """Trap 9: many of Toronto's areas are zero; the publisher says so itself."""
    told = {
        (finding.subject, finding.evidence["flag"]): finding.evidence["count"]
        for finding in of_kind(annual, "source.flag")
    }

    flag = "Gross Floor Area is 0 ft2"
    assert told["Toronto (municipal)", flag] == query(f"SELECT count(*) FROM T WHERE source_flags LIKE '%{flag}%'")[0]
    assert ("Seattle", "Compliant") not in told


def test_absent_totals_and_impossible_intensities_are_told(annual: Dataset, query: Any) -> None:
    absent = {finding.subject: finding.evidence["count"] for finding in of_kind(annual, "total.absent")}

    assert sum(absent.values()) == query("SELECT count(*) FROM T WHERE site_energy_kwh IS NULL")[0]
    assert (
        len(of_kind(annual, "intensity.implausible"))
        == query("SELECT count(*) FROM T WHERE area_m2 > 0 AND site_energy_kwh / area_m2 > 10000")[0]
    )
