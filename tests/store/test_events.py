"""What InfluxDB makes of an event; what every store must do is in test_reading_store_changes.py."""

import orjson
import pytest

from kgce.domain.events import Event, Severity
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.event_lines import event_lines
from kgce.store.influx.store import InfluxStore

EVENTS = [
    Event(
        "clock.jumped", 1_767_225_600_000, "gateway", Severity.WARNING, 'the clock "jumped"\nby a day', {"by_s": 86_400}
    ),
    Event(
        "boiler.pressure_high", 1_767_225_600_000, "town hall/boiler, 1=a", Severity.ALARM, "锅炉压力高 \\ 3 bar", {}
    ),
]


def test_a_line_break_in_a_message_stays_where_the_store_can_hold_it(tmp_path) -> None:
    with DuckDbStore(tmp_path / "readings.duckdb") as store:
        store.append_events("g1", EVENTS)
        assert [one.event for one in store.events(start_ms=0, end_ms=2**60)] == EVENTS[::-1]


@pytest.mark.parametrize("times", [1, 2])
def test_influxdb_keeps_each_event_once(influx_server, times) -> None:
    database = f"events_{times}"
    with InfluxStore(influx_server.url, database) as store:
        for _ in range(times):
            store.append_events("g1", EVENTS)
        store.append_events("g1", [])
        answer = orjson.loads(influx_server.query("SELECT * FROM event ORDER BY time", db=database))
        assert store.series() == [], "events are no readings"
    (series,) = answer["results"][0]["series"]
    found = {
        row[series["columns"].index("id")]: dict(zip(series["columns"], row, strict=True)) for row in series["values"]
    }
    assert len(series["values"]) == 2
    jumped = found["clock.jumped"]
    assert (jumped["gateway"], jumped["severity"], jumped["subject"]) == ("g1", "warning", "gateway")
    assert jumped["message"] == 'the clock "jumped" by a day', "a line holds no line break"
    assert orjson.loads(jumped["evidence"]) == {"by_s": 86_400}
    assert found["boiler.pressure_high"]["message"] == "锅炉压力高 \\ 3 bar"
    assert found["boiler.pressure_high"]["subject"] == "town hall/boiler, 1=a"


def test_a_line_is_one_line() -> None:
    assert len(event_lines("g1", EVENTS).splitlines()) == 2
