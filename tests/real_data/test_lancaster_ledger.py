"""A year of a real campus with an outage: what its meters counted is in the ledger, none of it as one giant interval."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.analytics.ledger.amounts import Provenance
from kgce.cli.database import Database, database
from kgce.cli.imports import load_dataset
from kgce.domain.batch import UNUSABLE
from kgce.domain.quantities import Kind

SUMS = """
    select meter_id, month(timezone('Europe/London', timestamp_utc::timestamptz)),
        sum(value) * any_value(case unit when 'MWh' then 1000 else 1 end)
    from read_csv('{file}', types={{'timestamp_utc': 'varchar', 'value': 'double'}})
    as readings join read_csv('{meters}') as meters using (meter_id)
    where value is not null and year(timezone('Europe/London', timestamp_utc::timestamptz)) = 2023
    group by all
"""


@pytest.fixture(scope="module")
def campus(shared_data: Path, tmp_path_factory: pytest.TempPathFactory):
    with database(tmp_path_factory.mktemp("lancaster")) as at:
        load_dataset(at, "lancaster", shared_data, quiet=True)
        yield at


def test_the_months_of_interval_meters_are_what_sql_makes_of_the_file(campus: Database, shared_data: Path) -> None:
    """Late amounts are spread over their gap: they stay in their month, for no gap crosses the end of one."""
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'")
        meters = shared_data / "hourly" / "lancaster_meters.csv"
        expected = {}
        for file in ("hourly/lancaster_2023_hourly.csv.gz", "raw_interval/lancaster_2023_10min_raw.csv.gz"):
            found = sql.execute(SUMS.format(file=shared_data / file, meters=meters)).fetchall()
            expected |= {(meter, month): used for meter, month, used in found}
    points = {point.series.key: point for point in campus.registry.points()}
    suspect = suspicious(campus, points)
    ledger = Book(campus.store, campus.registry, campus.shelf).ledger(2023, campus.registry.institutions()[0])
    compared = 0
    for row, key in enumerate(ledger.keys):
        if points[key].kind is not Kind.INTERVAL or key in suspect:
            continue
        for month in range(12):
            amount = ledger.month.amount[row, month]
            if np.isfinite(amount) and (key[1], month + 1) in expected:
                assert amount == pytest.approx(expected[key[1], month + 1], rel=1e-9, abs=1e-6)
                compared += 1
    assert compared > 250


def suspicious(campus: Database, points: dict) -> set:
    """Meters with a reading that is kept but never counted."""
    held = campus.store.read(list(points), start_ms=0, end_ms=1 << 42)
    rows = (held.quality & np.uint8(UNUSABLE)) != 0
    return {held.series[place].key for place in np.unique(held.index[rows]).tolist()}


def test_the_catch_up_after_the_outage_is_spread_and_told_as_an_estimate(campus: Database) -> None:
    """2023-09-10 and 11: 5 237 kWh came in ten minutes once; now no day of September stands out by it."""
    ledger = Book(campus.store, campus.registry, campus.shelf).ledger(2023, campus.registry.institutions()[0])
    spikes = [finding for finding in campus.registry.findings() if finding.id == "catch_up.spike"]
    meters = {finding.evidence["meter"] for finding in spikes}
    assert len(meters) == 4
    first = int(np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31])[-1]) + 9  # 10 September
    for row, key in enumerate(ledger.keys):
        if key[1] in meters:
            estimated = ledger.day.provenance[row, first : first + 2] == Provenance.ESTIMATED
            assert estimated.all()
            assert ledger.day.estimated[row, first : first + 2].sum() > 0
