"""Months of four more measured data sets beside what SQL makes of the published files.

A month is compared where the ledger has no reading it does not count (BAD, SUSPECT): what those are is told by the
findings of each set, and tested in tests/collectors/datasets.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.analytics.book import Book
from kgce.cli.database import Database, database
from kgce.cli.imports import load_dataset
from kgce.domain.batch import UNUSABLE

Months = Mapping[tuple[str, int, int], float]  # (device, year, month): amount in the carrier's unit


def _sql(statement: str) -> Months:
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'")
        return {(str(device), year, month): used for device, year, month, used in sql.execute(statement).fetchall()}


def heating(data: Path) -> Months:
    """kW, a mean over the hour, are kWh; months of each plant's own zone."""
    return _sql(f"""
        with hours as (
            select building_id, heat_kw, timezone(timezone, timestamp_utc::timestamptz) as local
            from read_csv('{data}/hourly/heating_hot_water_hourly.csv.gz', types={{'timestamp_utc': 'varchar'}})
            join read_csv('{data}/buildings.csv') as buildings using (building_id)
        )
        select building_id, year(local), month(local), sum(heat_kw) from hours where heat_kw is not null group by all
    """)


def water(data: Path) -> Months:
    """m3 of local days; of a date that came twice the last counts, and they come in order of the file."""
    return _sql(f"""
        with rows as (
            select meter_id, date, m3, row_number() over () as place
            from read_csv('{data}/water/attica_schools_daily.csv.gz', parallel=false)
        ), days as (
            select meter_id, date, last(m3 order by place) as m3 from rows group by all
        )
        select meter_id, year(date), month(date), sum(m3) from days where m3 is not null group by all
    """)


def campus(data: Path) -> Months:
    """Means of a quarter of an hour in kW on the local clock; the hour that the clock shows twice counts twice."""
    return _sql(f"""
        select meter_id, year(timestamp_local), month(timestamp_local), sum(kw) * 0.25
        from read_csv('{data}/raw_interval/ucsd_15min_local.csv.gz', types={{'timestamp_local': 'timestamp'}})
        where kw is not null group by all
    """)


DEVICE: Mapping[str, Callable[[tuple[str, str, str]], str]] = {
    "heating-hot-water": lambda key: key[0] if key[1] == "heat" else "",
    "school-water": lambda key: key[0],
    "ucsd": lambda key: key[1],
}
SETS = {"heating-hot-water": (heating, 95), "school-water": (water, 900), "ucsd": (campus, 60)}


@pytest.mark.parametrize("name", SETS)
def test_months_are_what_sql_makes_of_the_file(name: str, shared_data: Path, tmp_path: Path) -> None:
    recompute, least = SETS[name]
    expected, compared = recompute(shared_data), 0
    with database(tmp_path) as at:
        load_dataset(at, name, shared_data, quiet=True)
        doubtful = _doubtful(at)
        years = sorted({year for _, year, _ in expected})
        for institution in at.registry.institutions():
            for year in years:
                ledger = Book(at.store, at.registry, at.shelf).ledger(year, institution)
                for row, key in enumerate(ledger.keys):
                    device = DEVICE[name](key)
                    if key[0] != institution.id or key in doubtful:
                        continue
                    for month in np.flatnonzero(np.isfinite(ledger.month.amount[row])).tolist():
                        if (device, year, month + 1) in expected:
                            used = expected[device, year, month + 1]
                            assert ledger.month.amount[row, month] == pytest.approx(used, rel=1e-9, abs=1e-6), (
                                device, year, month + 1,
                            )  # fmt: skip
                            compared += 1
    assert compared >= least


def _doubtful(at: Database) -> set[tuple[str, str, str]]:
    keys = [point.series.key for point in at.registry.points()]
    held = at.store.read(keys, start_ms=0, end_ms=1 << 42)
    rows = (held.quality & np.uint8(UNUSABLE)) != 0
    return {held.series[place].key for place in np.unique(held.index[rows]).tolist()}


def test_no_energy_of_a_charging_session_is_lost(shared_data: Path, tmp_path: Path) -> None:
    """Sessions spread over quarter hours: the years of all sites together are the sum of the sessions."""
    with duckdb.connect() as sql:
        [(whole,)] = sql.execute(
            f"select sum(energy_kwh::double) from read_csv('{shared_data}/ev/ev_sessions.csv.gz', all_varchar=true)"
        ).fetchall()
    with database(tmp_path) as at:
        load_dataset(at, "ev-sessions", shared_data, quiet=True)
        booked = 0.0
        for year in (2014, 2015, 2018, 2019):
            table = Book(at.store, at.registry, at.shelf).year(year).table
            booked += float(np.nansum(table.amount[:, [str(one) for one in table.accounts].index("electricity.total")]))
    assert booked == pytest.approx(whole, rel=1e-9)
