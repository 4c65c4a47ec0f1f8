"""Both rankings, recomputed by DuckDB SQL straight from the published files: same figures, same order.

The SQL shares no code with analytics/ or the adapters. 0.1229 kgce/kWh is the equivalent value of the national
convention (GB/T 2589, appendix A; shared/facts/coefficients.csv).
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from kgce.analytics.figures import Indicator, RankRow, rank
from kgce.domain.factors import factor_set
from kgce.domain.ports import ReadingStore, Registry
from tests.data.loaded import loaded

Home = tuple[ReadingStore, Registry]
Row = tuple[str, str, float, int]  # class, institution, kgce/m2, rank in its class

CAMBRIDGE_SQL = """
SELECT 'higher_education', building_id, kgce_per_m2, rank() OVER (ORDER BY kgce_per_m2)
FROM (
    SELECT m.building_id, sum(e.value) * 0.1229 / any_value(b.area_m2) AS kgce_per_m2
    FROM read_csv('{data}/hourly/cambridge_electricity_{year}.csv.gz') e
    JOIN (SELECT DISTINCT meter_id, building_id FROM read_csv('{data}/hourly/cambridge_meters.csv')) m
        USING (meter_id)
    JOIN read_csv('{data}/buildings.csv') b USING (building_id)
    WHERE e.value <> 0                      -- zeros are missing hours
    GROUP BY m.building_id
    HAVING count(*) >= 0.9 * 365 * 24       -- neither 2018 nor 2019 is a leap year
)
ORDER BY kgce_per_m2
"""

ANNUAL_SQL = """
SELECT use_group, building_id, kgce_per_m2, rank() OVER (PARTITION BY use_group ORDER BY kgce_per_m2)
FROM (
    SELECT use_group, building_id, site_energy_kwh * 0.1229 / area_m2 AS kgce_per_m2
    FROM read_csv('{data}/annual/benchmark_annual.csv.gz', sample_size = -1)
    WHERE city = '{city}' AND year = {year} AND site_energy_kwh <> 0 AND area_m2 > 0
)
ORDER BY use_group, kgce_per_m2
"""


@pytest.fixture(scope="module")
def cambridge(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with loaded("cambridge", shared_data, tmp_path_factory.mktemp("cambridge")) as home:
        yield home


@pytest.fixture(scope="module")
def annual(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with loaded("benchmark-annual", shared_data, tmp_path_factory.mktemp("annual")) as home:
        yield home


def ranked(home: Home, year: int) -> tuple[list[RankRow], list[RankRow]]:
    """(ranked, not ranked) rows of energy per area with the national factors."""
    rows = rank(*home, year=year, indicator=Indicator.ENERGY_PER_AREA, factor_set=factor_set("cn-national"))
    return [row for row in rows if row.rank is not None], [row for row in rows if row.rank is None]


def assert_same_table(rows: list[RankRow], expected: list[Row]) -> None:
    """Same institutions with the same rank and value; in the same order, apart from exact ties."""
    assert [(row.peer_class, row.rank) for row in rows] == [(group, place) for group, _, _, place in expected]
    wanted = {institution: (group, value, place) for group, institution, value, place in expected}
    assert len(wanted) == len(expected) > 0
    for row in rows:
        group, value, place = wanted.pop(row.institution)
        assert (row.peer_class, row.rank, row.unit, row.factor_set) == (group, place, "kgce/m2", "cn-national")
        assert row.value == pytest.approx(value, rel=1e-9)
        assert row.reason is None
    assert wanted == {}
    values = [row.value for row in rows]
    assert values == [pytest.approx(value, rel=1e-9) for _, _, value, _ in expected]


@pytest.mark.parametrize("year", [2018, 2019])
def test_cambridge_electricity_per_area_agrees_with_sql(cambridge: Home, shared_data: Path, year: int) -> None:
    expected = duckdb.sql(CAMBRIDGE_SQL.format(data=shared_data, year=year)).fetchall()

    rows, unranked = ranked(cambridge, year)

    assert len(rows) + len(unranked) == 40
    assert_same_table(rows, expected)


@pytest.mark.parametrize("year", [2018, 2019])
def test_cambridge_coverage_is_the_share_of_hours_that_are_not_zero(
    cambridge: Home, shared_data: Path, year: int
) -> None:
    shares = dict(
        duckdb.sql(
            f"SELECT meter_id, count(*) FILTER (value <> 0) / 8760 "
            f"FROM read_csv('{shared_data}/hourly/cambridge_electricity_{year}.csv.gz') GROUP BY meter_id"
        ).fetchall()
    )

    rows, unranked = ranked(cambridge, year)

    for row in rows + unranked:
        assert row.coverage_ratio == pytest.approx(shares[f"{row.institution}-e"], rel=1e-9)


@pytest.mark.parametrize(
    ("city", "year", "properties"),
    [("New York City", 2014, 3808), ("Seattle", 2016, 3376), ("Toronto (municipal)", 2021, 1797)],
)
def test_annual_site_energy_per_area_by_class_agrees_with_sql(
    annual: Home, shared_data: Path, city: str, year: int, properties: int
) -> None:
    expected = duckdb.sql(ANNUAL_SQL.format(data=shared_data, city=city, year=year)).fetchall()

    rows, unranked = ranked(annual, year)

    assert len(rows) + len(unranked) == properties  # counted in the data's README and by `zcat | grep -c`
    assert all(row.reason for row in unranked)
    assert_same_table(rows, expected)
