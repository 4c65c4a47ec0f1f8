"""Known kWh and m3 are planted in a simulated building and found again in the ledger, through every stage between.

Site --Modbus TCP, MQTT--> ModbusSource, MqttSource --> checks --> buffer --> DuckDbStore --> ledger
"""

import asyncio

import numpy as np
import pytest

from tests import servers
from tests.path.planted_day import DOWN, HOUR_MS, HOURS, METERS, START_MS, Day, planted_day, resolution

UNITS = {"meter": "kWh", "water": "m3", "gas": "m3"}
CARRIERS = {"meter": "electricity", "water": "water", "gas": "natural_gas"}


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    folder = tmp_path_factory.mktemp("planted")
    with servers.mosquitto(folder) as broker_port:
        return asyncio.run(planted_day(folder, broker_port))


@pytest.mark.parametrize("meter", METERS)
def test_the_day_holds_what_was_planted(day, meter):
    """Two readings bound the total, each rounded by at most one step of the meter."""
    planted = day.planted[meter]
    amount = planted[-1] - planted[0]
    (row,) = day.whole[meter]

    assert amount > 20 * resolution(meter, planted[-1])  # the plant is large enough to be seen
    assert row.unit == UNITS[meter]
    assert row.amount == pytest.approx(amount, abs=2 * resolution(meter, planted[-1]))
    assert (row.coverage_ratio, row.flags) == (pytest.approx(HOURS / 24), ("partial",))  # and says it is half a day


@pytest.mark.parametrize("meter", METERS)
def test_the_hours_add_up_to_the_day(day, meter):
    """Conservation: nothing is gained or lost between grids, the outage included."""
    (whole,) = day.whole[meter]
    hours = [row.amount for row in day.hours[meter]]

    assert len(hours) == HOURS
    assert sum(hours) == pytest.approx(whole.amount, rel=1e-9)


def test_polled_hours_are_measured_and_the_outage_is_interpolated(day):
    """While the gateway was down nobody read the meter: its hours share what the counter went on counting."""
    rows = day.hours["meter"]
    planted = np.diff(day.planted["meter"])
    dark = range(DOWN.start - 1, DOWN.stop)  # from the last reading before to the first after

    assert [row.provenance for row in rows] == ["interpolated" if hour in dark else "measured" for hour in range(HOURS)]
    for hour in set(range(HOURS)) - set(dark):
        assert rows[hour].amount == pytest.approx(planted[hour], abs=2 * resolution("meter", day.planted["meter"][-1]))
    known_kwh = sum(rows[hour].amount for hour in dark)
    assert known_kwh == pytest.approx(planted[dark].sum(), abs=2 * resolution("meter", day.planted["meter"][-1]))


@pytest.mark.parametrize("meter", ["water", "gas"])
def test_what_meters_published_while_the_gateway_was_down_is_not_lost(day, meter):
    """The broker keeps it for the gateway's session: every hour is measured, each with its own amount."""
    rows = day.hours[meter]
    planted = np.diff(day.planted[meter])

    assert [row.provenance for row in rows] == ["measured"] * HOURS
    assert [row.coverage_ratio for row in rows] == pytest.approx([1.0] * HOURS)
    for row, amount in zip(rows, planted, strict=True):
        assert row.amount == pytest.approx(amount, abs=2 * resolution(meter, 0.0))


def test_intervals_are_labelled_by_their_start(day):
    starts = [row.start_ms for row in day.hours["meter"]]

    assert starts == [START_MS + hour * HOUR_MS for hour in range(HOURS)]


def test_only_meters_that_measure_a_carrier_are_points(day):
    """The charger's session counter starts at 0 again and again; the boiler's gas is in the gas meter."""
    assert {name: point.carrier for name, point in day.points.items()} == CARRIERS


def test_every_reading_is_accounted_for(day):
    """The hand-over equation after each run; the second goes on counting where the first stopped."""
    for counts in day.counters:
        parts = ("stored", "duplicate", "refused", "dropped", "waiting")
        assert counts["polled"] == sum(counts[name] for name in parts)
        assert counts["waiting"] == counts["refused"] == counts["dropped"] == 0
    first, second = day.counters
    assert 0 < first["polled"] < second["polled"]


def test_the_store_holds_as_many_readings_as_were_counted(day):
    """Replaced readings are counted as stored, but stand in the place of another."""
    assert day.rows == day.counters[-1]["stored"] - day.replaced
