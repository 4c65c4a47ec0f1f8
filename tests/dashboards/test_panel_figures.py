"""Each panel shows the figure that was planted, on a real InfluxDB."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from kgce.dashboards.build import build_dashboards
from kgce.dashboards.panels import Chosen, expand, queries
from tests.dashboards.panel_check import choices, series_of, values_of
from tests.dashboards.planted import DAY_MS, HOUR_MS, OFFICE, STEP_MS, Plant, plant

PAGES = [model for name, model in build_dashboards().items() if name.startswith("en/")]
MODEL = PAGES[0]
SHANGHAI_MS = 8 * HOUR_MS  # ahead of UTC, all year


@pytest.fixture(scope="module")
def steady(influx_server) -> Plant:
    return plant(influx_server, "planted")


def shown(
    planted: Plant, title: str, picked: Mapping[str, Chosen] | None = None, interval: str = "10m", ref: str = "A"
):
    """Series behind one query of the panel of this title."""
    model, query = next(
        (model, query) for model in PAGES for query in queries(model) if (query.title, query.ref) == (title, ref)
    )
    variables, _ = choices(model, planted.server, planted.db, picked)
    influxql = expand(query.influxql, variables, planted.start_ms, int(time.time() * 1000), interval)
    return series_of(planted.server, planted.db, influxql)


def moment_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def by_device(series) -> dict[str, list]:
    return {one["tags"]["device"]: one["values"] for one in series}


@pytest.mark.parametrize(
    ("picked", "power_kw"),
    [
        pytest.param({}, 10 + 5 + 20 + 1, id="everything, with or without a region"),
        pytest.param({"institution": "office"}, 10 + 5, id="one institution"),
        pytest.param({"region": "370103"}, 20, id="one region"),
        pytest.param({"institution": ["office", "school"]}, 10 + 5 + 20, id="two institutions"),
        pytest.param({"device": "m2"}, 5, id="one device"),
    ],
)
def test_live_power_is_the_sum_of_the_chosen_meters(steady, picked, power_kw):
    """A meter's newest reading is under five minutes old, or at most STEP_MS: the plant is written at the test's start."""
    steady.write(*[f"{line} {int(time.time() * 1000)}" for line in (
        f"electricity,{OFFICE},device=m1 active_power_total=10",
        f"electricity,{OFFICE},device=m2 active_power_total=5",
        "electricity,region=370103,institution=school,building=hall,device=m3 active_power_total=20",
        "electricity,institution=untagged,device=m4 active_power_total=1",
    )])  # fmt: skip

    assert values_of(shown(steady, "Live power", picked)) == [power_kw]


def test_a_silent_meter_is_not_live(influx_server):
    """Six minutes after its last reading a meter counts neither as power nor as a live meter."""
    planted = Plant(influx_server, "silent", 0, 0)
    influx_server.query("CREATE DATABASE silent", method="POST")
    now_ms = int(time.time() * 1000)
    planted.write(
        f"electricity,{OFFICE},device=alive active_power_total=3 {now_ms - 4 * 60_000}",
        f"electricity,{OFFICE},device=dead active_power_total=1000 {now_ms - 6 * 60_000}",
    )

    assert values_of(shown(planted, "Live power")) == [3]
    assert values_of(shown(planted, "Electricity meters live")) == [1]


def test_power_by_building_adds_its_meters(steady):
    series = shown(steady, "Power by building", {"institution": "office"})

    assert [one["tags"] for one in series] == [{"institution": "office", "building": "east"}]
    powers_kw = values_of(series)
    assert len(powers_kw) >= 3 * 24 * 6 - 1  # three days in intervals of ten minutes
    assert set(powers_kw) == {15}


def test_a_day_holds_the_energy_of_its_24_hours_in_shanghai(steady):
    """10 kW for 24 h are 240 kWh; the day begins at midnight of UTC+8, which is 16:00 UTC."""
    days = by_device(shown(steady, "Electricity by day"))["m1"]
    whole = [
        (text, amount)
        for text, amount in days
        if steady.start_ms <= moment_ms(text) - DAY_MS and moment_ms(text) + DAY_MS <= steady.end_ms
    ]

    assert len(whole) >= 1
    for text, amount in whole:
        assert (moment_ms(text) + SHANGHAI_MS) % DAY_MS == 0
        assert amount == pytest.approx(240, rel=1e-12)


@pytest.mark.parametrize(
    ("title", "device", "per_hour"),
    [
        pytest.param("Water by day", "w1", 0.5, id="water"),
        pytest.param("Gas by day", "g1", 2.0, id="gas"),
    ],
)
def test_water_and_gas_by_day(steady, title, device, per_hour):
    """No day can hold more than 24 hours of the planted flow, and whole days hold exactly that."""
    amounts = [amount for _, amount in by_device(shown(steady, title))[device]]

    assert max(amounts) == pytest.approx(24 * per_hour, rel=1e-9)


def test_an_hour_holds_the_energy_of_its_hour(steady):
    """5 kW for one hour are 5 kWh; only the running hour holds less."""
    *whole, _ = by_device(shown(steady, "Electricity by hour"))["m2"]

    assert len(whole) >= 70
    assert [amount for _, amount in whole[1:]] == pytest.approx([5.0] * (len(whole) - 1), rel=1e-9)


@pytest.mark.parametrize(
    ("title", "amount"),
    [
        pytest.param("Electricity in range", (10 + 5 + 20 + 1) * 72, id="electricity"),
        pytest.param("Water in range", 0.5 * 72, id="water"),
        pytest.param("Gas in range", 2.0 * 72, id="gas"),
    ],
)
def test_the_amount_of_the_range_is_the_counters_difference(steady, title, amount):
    """72 hours were planted."""
    assert values_of(shown(steady, title)) == [pytest.approx(amount, rel=1e-12)]


@pytest.mark.parametrize(
    ("title", "ref", "expected"),
    [
        pytest.param("Voltage by phase", "A", 221, id="voltage L1"),
        pytest.param("Voltage by phase", "C", 223, id="voltage L3"),
        pytest.param("Current by phase", "B", 2, id="current L2"),
        pytest.param("Water flow", "A", 0.5, id="water flow"),
        pytest.param("Flame signal", "A", 80, id="flame"),
        pytest.param("Fuel throughput", "A", 12, id="fuel"),
        pytest.param("Charger power", "A", 7, id="charger"),
    ],
)
def test_a_mean_of_steady_readings_is_the_reading(steady, title, ref, expected):
    values = set(values_of(shown(steady, title, {"region": ["370102", "370103"]}, ref=ref)))

    assert values == {expected}


def test_session_energy_is_the_charger_s_own_counter(steady):
    """Planted: 1000 kWh at the start, 7 kW for 72 hours."""
    energies_kwh = values_of(shown(steady, "Session energy"))

    assert 1000 <= min(energies_kwh) < max(energies_kwh) <= 1000 + 7 * 72


def test_the_device_table_gives_each_device_its_own_newest_time(steady):
    """The row's time is the reading's, so that its age can be seen."""
    rows = {one["tags"]["device"]: one["values"][0] for one in shown(steady, "Devices", ref="C")}

    assert moment_ms(rows["g1"][0]) == steady.end_ms
    assert rows["g1"][1] == pytest.approx(1000 + 2 * 72)


def test_readings_are_counted(steady):
    """Every STEP_MS one reading: two in ten minutes; the running ten minutes may have fewer or one more."""
    *whole, _ = [count for _, count in by_device(shown(steady, "Readings by 10 minutes", ref="B"))["w1"]]

    assert 10 * 60_000 // STEP_MS == 2
    assert set(whole[1:-1]) == {2}


def test_hours_without_readings_have_no_amount(influx_server):
    """A gap is missing, not zero; the hour in which readings return holds the whole amount, as the panel says."""
    planted = Plant(influx_server, "gap", 0, 0)
    influx_server.query("CREATE DATABASE gap", method="POST")
    hours_kwh = {0: 100.0, 1: 110.0, 5: 150.0, 6: 160.0}
    planted.write(
        *[f"electricity,{OFFICE},device=m active_energy_import={kwh} {h * HOUR_MS}" for h, kwh in hours_kwh.items()]
    )

    found = {moment_ms(text) // HOUR_MS: kwh for text, kwh in by_device(shown(planted, "Electricity by hour"))["m"]}

    assert found == {1: 10, 5: 40, 6: 10}


def test_a_reset_counter_is_no_consumption(influx_server):
    """A meter changed from 5000 to 0: no hour claims the drop, the range shows a negative figure in red."""
    planted = Plant(influx_server, "reset", 0, 0)
    influx_server.query("CREATE DATABASE reset", method="POST")
    counter_kwh = [4990, 5000, 0, 10]
    planted.write(*[
        f"electricity,{OFFICE},device=m active_energy_import={kwh} {hour * HOUR_MS}" for hour, kwh in enumerate(counter_kwh)
    ])  # fmt: skip

    assert values_of(shown(planted, "Electricity by hour")) == [10, 10]
    assert values_of(shown(planted, "Electricity in range")) == [10 - 4990]


def test_the_choice_of_a_place_limits_the_places_below_it(steady):
    """Offered values come from the server, so a region's institutions are its own."""
    _, offered = choices(MODEL, steady.server, steady.db, {"region": "370103"})
    _, everything = choices(MODEL, steady.server, steady.db)

    assert offered == {
        "region": ["370102", "370103"],
        "institution": ["school"],
        "building": ["hall"],
        "device": ["m3"],
        "factor_set": ["cn-national"],
        "year": ["2026"],
    }
    assert everything["institution"] == ["office", "school", "untagged"]
    assert everything["device"] == sorted(["m1", "m2", "m3", "m4", "w1", "g1", "b1", "c1"])


def test_no_query_reaches_outside_the_chosen_range():
    """Start and end are milliseconds of UTC, as in Grafana."""
    query = queries(MODEL)[0].influxql
    start_ms = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)

    assert "time >= 1767225600000ms and time <= 1767225601000ms" in expand(
        query, dict.fromkeys(("region", "institution", "building", "device"), "x"), start_ms, start_ms + 1000, "1m"
    )  # 1767225600 s is 2026-01-01T00:00:00Z
