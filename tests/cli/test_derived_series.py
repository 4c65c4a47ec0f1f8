"""What `kgce analyze` writes beside the readings for Grafana, asked of a real InfluxDB as Grafana asks it."""

from pathlib import Path

import orjson
import pytest

from kgce.store.influx.store import InfluxStore
from tests.cli.kgce_command import kgce
from tests.servers import Influx

REGISTRY = "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2\n"
HEADER = "time,institution,point,carrier,kind,unit,value\n"


def readings(days: range, per_day: float, *, first: float = 0.0) -> str:
    """A counter at each local midnight of January 2019."""
    return HEADER + "".join(
        f"2019-01-{day:02d}T00:00:00+08:00,hall,main,electricity,counter,kWh,{first + per_day * (day - days[0])}\n"
        for day in days
    )


@pytest.fixture
def place(tmp_path: Path, influx_server: Influx) -> tuple[Path, str, str]:
    """A hall of 1000 m2 and 10 people that used 24 kWh on each of ten days; folder, store, database."""
    database = f"derived_{tmp_path.name}"
    store = f"{influx_server.url}/{database}"
    row = "hall,市政厅,370102,office,city,B,2019,10,1000,\n"
    (tmp_path / "registry.csv").write_text(REGISTRY + row, encoding="utf-8")
    (tmp_path / "meter.csv").write_text(readings(range(1, 12), 24.0), encoding="utf-8")
    for answer in (
        kgce("import", "registry", "registry.csv", cwd=tmp_path),
        kgce("import", "readings", "meter.csv", "--store", store, cwd=tmp_path),
    ):
        assert answer.code == 0, answer.err
    return tmp_path, store, database


def analyze(folder: Path, store: str, *more: str) -> dict:
    answer = kgce("analyze", "--year", "2019", "--store", store, "--json", *more, cwd=folder)
    assert answer.code == 0, answer.err
    return answer.json[0]


def ask(server: Influx, database: str, query: str) -> list[list]:
    [result] = orjson.loads(server.query(query, db=database))["results"]
    return [row for series in result.get("series", []) for row in series["values"]]


def test_amounts_stand_by_day_and_month_and_both_add_up_to_the_counter(place, influx_server) -> None:
    folder, store, database = place
    analyze(folder, store)
    for grid, rows in (("day", 10), ("month", 1)):
        where = f"carrier = 'electricity' AND item = 'total' AND grid = '{grid}' AND factor_set = 'cn-national' AND known = 1"
        [[_, amount, kgce_sum, co2, count]] = ask(
            influx_server,
            database,
            f"SELECT sum(amount), sum(kgce), sum(kgco2), count(amount) FROM consumption WHERE {where} AND institution = 'hall'",
        )
        assert (amount, count) == (pytest.approx(240.0), rows)
        assert kgce_sum == pytest.approx(240.0 * 0.1229), "coefficients.csv: national statistics"
        assert co2 == pytest.approx(240.0 * 0.742), "energy_domain.md section 6: Shandong, the last factor before 2019"
    [[_, coverage]] = ask(
        influx_server, database, "SELECT first(coverage) FROM consumption WHERE grid = 'month' AND item = 'total'"
    )
    assert coverage == pytest.approx(10 / 31)


def test_each_set_of_factors_has_its_own_indicator(place, influx_server) -> None:
    folder, store, database = place
    analyze(folder, store)
    found = ask(
        influx_server,
        database,
        "SELECT value, known, factor_set, period, region FROM indicator WHERE indicator = 'energy_per_capita'",
    )
    values = {row[3]: (pytest.approx(row[1]), row[2], row[4], row[5]) for row in found}
    assert values == {
        "cn-national": (24.0 * 0.1229, 1, "2019", "370102"),
        "sd-db37-2019": (24.0 * 0.31, 1, "2019", "370102"),
    }


def test_a_second_run_writes_nothing_and_late_readings_write_what_they_changed(place, influx_server) -> None:
    folder, store, database = place
    first = analyze(folder, store)["series_rows"]
    assert first > 0
    assert analyze(folder, store)["series_rows"] == 0
    (folder / "more.csv").write_text(readings(range(11, 13), 60.0, first=240.0), encoding="utf-8")
    assert kgce("import", "readings", "more.csv", "--store", store, cwd=folder).code == 0
    assert 0 < analyze(folder, store)["series_rows"] < first
    [[_, amount]] = ask(
        influx_server,
        database,
        "SELECT sum(amount) FROM consumption WHERE grid = 'day' AND item = 'total' AND factor_set = 'cn-national' "
        "AND known = 1",
    )
    assert amount == pytest.approx(300.0), "written over, not beside"
    assert analyze(folder, store, "--anew")["series_rows"] == first


def test_derived_series_are_no_readings(place) -> None:
    folder, store, _ = place
    url, _, name = store.rpartition("/")
    with InfluxStore(url, name) as opened:
        before = opened.series(), opened.extent()
    analyze(folder, store)
    with InfluxStore(url, name) as opened:
        assert (opened.series(), opened.extent()) == before
