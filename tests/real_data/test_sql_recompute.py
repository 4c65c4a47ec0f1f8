"""The ledger beside an independent recompute in SQL, straight from the published files: they agree to 1e-9."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.analytics.figures import ledger as ledger_rows
from kgce.analytics.grid import Grid
from kgce.cli.database import Database, database
from kgce.cli.imports import load_dataset
from kgce.domain.batch import Batch
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series

HOURLY = """
    select meter_id, month(timezone('Europe/London', timestamp_utc::timestamptz)) as month, sum(value) as used
    from read_csv('{file}', types={{'timestamp_utc': 'varchar'}})
    where value <> 0 and year(timezone('Europe/London', timestamp_utc::timestamptz)) = {year}
    group by all
"""


@pytest.fixture(scope="module")
def cambridge(shared_data: Path, tmp_path_factory: pytest.TempPathFactory):
    with database(tmp_path_factory.mktemp("cambridge")) as at:
        load_dataset(at, "cambridge", shared_data, quiet=True)
        yield at


@pytest.mark.parametrize("year", [2018, 2019])
def test_months_of_real_meters_are_what_sql_makes_of_the_files(
    cambridge: Database, shared_data: Path, year: int
) -> None:
    """40 university buildings, local months of London; zeros there are missing hours (trap 1 of the data's README)."""
    files = shared_data / "hourly" / "cambridge_electricity_*.csv.gz"
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'")
        rows = sql.execute(HOURLY.format(file=files, year=year)).fetchall()
    expected = {(meter, month): used for meter, month, used in rows}
    book = Book(cambridge.store, cambridge.registry, cambridge.shelf)
    ledger = book.ledger(year, cambridge.registry.institutions()[0])
    found = {
        (key[1], month + 1): ledger.month.amount[row, month]
        for row, key in enumerate(ledger.keys)
        for month in range(12)
        if np.isfinite(ledger.month.amount[row, month])
    }
    assert set(found) == set(expected)
    for cell, used in expected.items():
        assert found[cell] == pytest.approx(used, rel=1e-9)
    assert len(found) > 400


COUNTER = """
    with step as (
        select meter, moment, shown, lead(moment) over w as later, lead(shown) over w as then_shown
        from readings window w as (partition by meter order by moment)
    ), cut as (
        select meter, day, greatest(moment, day * 86400000) as begins, least(later, (day + 1) * 86400000) as ends,
            (then_shown - shown) / (later - moment) as slope
        from step, unnest(range(moment // 86400000, (later - 1) // 86400000 + 1)) as days(day)
        where later is not null and then_shown >= shown
    )
    select meter, day, sum(slope * (ends - begins)) from cut group by all
"""


def test_days_of_counters_are_what_sql_makes_of_real_consumption(cambridge: Database, tmp_path: Path) -> None:
    """Ten real meters turned into registers that are read at irregular times, with gaps; days of UTC."""
    random = np.random.default_rng(7)
    points, columns = [], []
    keys = sorted(point.series.key for point in cambridge.registry.points())[:10]
    hours = cambridge.store.read(keys, start_ms=1_520_000_000_000, end_ms=1_530_000_000_000)
    for place, series in enumerate(hours.series):
        own = hours.of_series(place)
        register = np.cumsum(own.value)
        kept = random.random(len(register)) < 0.7
        kept[500:560] = False  # a silence of sixty hours
        time_ms = own.time_ms[kept] + random.integers(0, 1_700_000, int(kept.sum()))
        key = Series("uni", series.device, "active_energy_import", "electricity")
        points.append(Point(key, "electricity", Kind.COUNTER))
        columns.append((time_ms, register[kept]))
    with database(tmp_path) as at:
        at.registry.save_institutions([Institution("uni", "U", timezone="UTC")])
        at.registry.save_points(points)
        for point, (time_ms, shown) in zip(points, columns, strict=True):
            at.store.append(Batch.of([point.series], np.zeros(len(shown)), time_ms, shown))
        expected = _in_sql(points, columns)
        compared = 0
        for point, (time_ms, _) in zip(points, columns, strict=True):
            rows = ledger_rows(
                at.store, at.registry, institution="uni", point=point.series.point_id,
                start_ms=int(time_ms[0]), end_ms=int(time_ms[-1]), grid=Grid.DAY,
            )  # fmt: skip
            for row in rows:
                assert row.amount == pytest.approx(expected[point.series.device, row.start_ms // 86_400_000], rel=1e-9)
                compared += 1
    assert compared > 500


def _in_sql(points: list[Point], columns: list[tuple[np.ndarray, np.ndarray]]) -> dict[tuple[str, int], float]:
    with duckdb.connect() as sql:
        sql.execute("create table readings (meter varchar, moment bigint, shown double)")
        for point, (time_ms, shown) in zip(points, columns, strict=True):
            rows = [(point.series.device, int(at), float(value)) for at, value in zip(time_ms, shown, strict=True)]
            sql.executemany("insert into readings values (?, ?, ?)", rows)
        return {(meter, day): used for meter, day, used in sql.execute(COUNTER).fetchall()}
