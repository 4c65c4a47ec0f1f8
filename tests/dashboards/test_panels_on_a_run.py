"""Every panel shows data on what the whole chain writes: simulated devices, collectors, gateway, real InfluxDB.

Site --Modbus TCP, MQTT--> collectors --> Gateway --> InfluxStore --> panels
"""

import asyncio
import time
from datetime import datetime

import pytest

from kgce.dashboards.build import build_dashboards
from kgce.dashboards.panels import expand, queries
from tests import servers
from tests.dashboards.bounds import BOUNDS
from tests.dashboards.county_run import STEP_MS, CountyRun, county_run
from tests.dashboards.panel_check import choices, complaint, complaints, page_start_ms, series_of, values_of

PAGES = {name: model for name, model in build_dashboards().items() if name.startswith("en/")}
MODEL = PAGES["en/institution-overview.json"]
QUERIES = queries(MODEL)
ASKED = [(name, query) for name, model in PAGES.items() for query in queries(model)]
DEVICES = ["boiler", "charger", "gas-meter", "main-meter", "water-meter"]
DAY_MS = 24 * 3_600_000
OFFICE = "sim-office-1"  # has one device of each model
HOSPITAL = "sim-hospital-1"  # has a boiler that measures on both sides
ONLY_THERE = {"Flue-gas temperature", "Supply and return", "Firing rate"}


@pytest.fixture(scope="module")
def run(influx_server, tmp_path_factory) -> CountyRun:
    folder = tmp_path_factory.mktemp("county")
    with servers.mosquitto(folder) as broker_port:
        return asyncio.run(county_run(influx_server, "county_run", folder / "gateway", broker_port))


def expanded(run: CountyRun, title: str, ref: str = "A", **picked: str) -> str:
    (query,) = [query for query in QUERIES if (query.title, query.ref) == (title, ref)]
    variables, _ = choices(MODEL, run.server, run.db, picked)
    return expand(query.influxql, variables, run.start_ms, int(time.time() * 1000), "1m")


@pytest.mark.parametrize("name", PAGES)
def test_no_panel_has_an_error_is_empty_or_shows_nonsense(run, name):
    """The whole county chosen; bounds and their reasons are in bounds.py."""
    assert complaints(PAGES[name], run.server, run.db, run.start_ms, int(time.time() * 1000), BOUNDS) == {}


@pytest.mark.parametrize(("name", "query"), ASKED, ids=lambda part: getattr(part, "title", ""))
def test_each_query_has_data_of_one_chosen_institution(run, name, query):
    """The choice goes down the tree as a person would make it: the office, its building, then any device of it."""
    chosen = HOSPITAL if query.title in ONLY_THERE else OFFICE
    variables, offered = choices(PAGES[name], run.server, run.db, {"institution": chosen})
    end_ms = int(time.time() * 1000)
    start_ms = query.start_ms(page_start_ms(PAGES[name], end_ms), end_ms)

    influxql = expand(query.influxql, variables, start_ms, end_ms, "1m")

    assert set(offered.get("device", [])) <= {*DEVICES, "boiler-2"}
    assert complaint(run.server, run.db, influxql, BOUNDS[query.title]) is None


def test_the_choices_offered_are_the_county(run):
    """Regions, institutions and buildings of sites/county.toml."""
    _, offered = choices(MODEL, run.server, run.db)

    assert offered["region"] == ["370199"]
    assert offered["institution"] == ["sim-hospital-1", "sim-office-1", "sim-school-1"]
    assert offered["building"] == ["main"]


@pytest.mark.parametrize(
    ("ref", "quantity", "half_step"),
    [
        pytest.param("A", "active_power_total", 1e-3, id="electricity meter, float32 W"),
        pytest.param("B", "water_volume", 1e-3, id="water meter, 1 L a pulse"),
        pytest.param("C", "gas_volume", 1e-2, id="gas meter, 10 L a pulse"),
        pytest.param("D", "actual_temperature", 1.0, id="boiler, whole degC"),
        pytest.param("E", "active_power", 1e-3, id="charger, whole W"),
    ],
)
def test_the_newest_reading_on_the_page_is_the_device_s_own_value(run, ref, quantity, half_step):
    """The truth at the reading's time, within the device's step; it moves little in the time an answer takes."""
    series = series_of(run.server, run.db, expanded(run, "Devices", ref))

    assert series
    for one in series:
        text, value = one["values"][0]
        time_ms = round(datetime.fromisoformat(text).timestamp() * 1000)
        truth = run.site.truth(one["tags"]["institution"], one["tags"]["device"], quantity, time_ms)
        assert value == pytest.approx(truth, rel=0.01, abs=half_step)


def test_live_power_is_the_sum_of_the_three_buildings(run):
    """Newest readings of three main meters, as the table lists them."""
    rows = series_of(run.server, run.db, expanded(run, "Devices"))

    (live_kw,) = values_of(series_of(run.server, run.db, expanded(run, "Live power")))

    assert len(rows) == 3
    assert live_kw == pytest.approx(sum(values_of(rows)), rel=1e-12)
    assert values_of(series_of(run.server, run.db, expanded(run, "Electricity meters live"))) == [3]


def test_a_whole_day_on_the_page_is_the_day_s_truth(run):
    """Difference of the counter at last readings of two days; they were planted half-hourly."""
    (school,) = series_of(run.server, run.db, expanded(run, "Electricity by day", institution="sim-school-1"))
    days = [(round(datetime.fromisoformat(text).timestamp() * 1000), kwh) for text, kwh in school["values"]]
    whole = [(start_ms, kwh) for start_ms, kwh in days if run.start_ms < start_ms < run.end_ms - DAY_MS]

    assert whole  # the run's past is more than two days
    for start_ms, amount_kwh in whole:
        before, after = [
            run.site.truth("sim-school-1", "main-meter", "active_energy_import", _last_before(run, edge_ms))
            for edge_ms in (start_ms, start_ms + DAY_MS)
        ]
        assert amount_kwh == pytest.approx(after - before, rel=1e-9)


def _last_before(run: CountyRun, time_ms: int) -> int:
    """Time of the last half-hourly reading before an instant."""
    return time_ms - 1 - (time_ms - 1 - run.start_ms) % STEP_MS


def test_every_reading_of_the_run_is_accounted_for(run):
    parts = ("stored", "duplicate", "refused", "dropped", "waiting")

    assert run.counters["polled"] == sum(run.counters[name] for name in parts)
    assert run.counters["stored"] > 0
    assert run.counters["refused"] == run.counters["dropped"] == run.counters["waiting"] == 0
