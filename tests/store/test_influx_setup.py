"""`kgce store init` on a real InfluxDB 1.x; how 2.x and 3.x are found out, by their documented answers."""

import json
import time
import uuid

import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError
from kgce.domain.ports import AppendResult
from kgce.store.influx.durations import seconds_of, text_of
from kgce.store.influx.generation import Generation
from kgce.store.influx.setup import initialise
from kgce.store.influx.store import InfluxStore
from tests.store.rows import NOON_MS, POWER, WATER, read_all

DAY_S = 86_400


@pytest.fixture
def database() -> str:
    return f"setup_{uuid.uuid4().hex}"


def rows_of_answer(server, query: str, database: str = "") -> list[list]:
    [result] = json.loads(server.query(query, db=database))["results"]
    return [row for series in result.get("series", []) for row in series.get("values", [])]


def test_init_sets_retention_and_hourly_figures_once(influx_server, database):
    with InfluxStore(influx_server.url, database) as store:
        first = initialise(store.server, keep_s=400 * DAY_S, hourly_keep_s=3650 * DAY_S)
        again = initialise(store.server, keep_s=400 * DAY_S, hourly_keep_s=3650 * DAY_S)
        changed = initialise(store.server, keep_s=0, hourly_keep_s=None)

    assert len(first) == 4, first
    assert again == []
    assert changed == [f"'{database}' keeps forever"]
    kept = {row[0]: row[1] for row in rows_of_answer(influx_server, f'SHOW RETENTION POLICIES ON "{database}"')}
    hourly = {
        row[0]: row[1] for row in rows_of_answer(influx_server, f'SHOW RETENTION POLICIES ON "{database}_hourly"')
    }
    assert (kept, hourly) == ({"autogen": "0s"}, {"autogen": "87600h0m0s"})
    assert [row[0] for row in rows_of_answer(influx_server, "SHOW CONTINUOUS QUERIES") if database in row[1]] == [
        "kgce_hourly"
    ]


def test_a_changed_hourly_job_is_brought_up_to_date(influx_server, database):
    influx_server.query(f'CREATE DATABASE "{database}"', method="POST")
    influx_server.query(
        f'CREATE CONTINUOUS QUERY kgce_hourly ON "{database}" BEGIN SELECT max(*) INTO other FROM x GROUP BY time(1h) END',
        method="POST",
    )
    with InfluxStore(influx_server.url, database) as store:
        assert any("hourly figures" in line for line in initialise(store.server, keep_s=None, hourly_keep_s=0))
        assert initialise(store.server, keep_s=None, hourly_keep_s=0) == []


def test_the_hourly_statement_makes_the_figures(influx_server, database):
    """The body of the job, run by hand: the server itself runs it every hour. Three readings of one hour: 1, 2 and 6."""
    hour_ms = int(time.time()) // 3600 * 3_600_000 - 3_600_000
    with InfluxStore(influx_server.url, database) as store:
        store.append(
            Batch.from_rows([(POWER, hour_ms + at * 60_000, value, 0) for at, value in enumerate((1.0, 2.0, 6.0))])
        )
        initialise(store.server, keep_s=None, hourly_keep_s=0)
    [(_, text)] = [row for row in rows_of_answer(influx_server, "SHOW CONTINUOUS QUERIES") if database in row[1]]
    body = text.split(" BEGIN ")[1].removesuffix(" END").replace(" GROUP BY", f" WHERE time >= {hour_ms}ms GROUP BY")

    influx_server.query(body, db=database, method="POST")

    query = "SELECT mean_active_power, min_active_power, max_active_power FROM electricity"
    [(_, *figures)] = rows_of_answer(influx_server, query, f"{database}_hourly")
    assert figures == [3.0, 1.0, 6.0]


def test_the_status_shows_what_was_set_up(influx_server, database):
    with InfluxStore(influx_server.url, database) as store:
        store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
        before = store.status()
        initialise(store.server, keep_s=None, hourly_keep_s=10 * 365 * DAY_S)
        after = store.status()

    assert before.kind.startswith("InfluxDB 1.6.7")
    assert before.details["retention"] == "forever"
    assert before.details["downsampling"].startswith("none")
    assert after.details["downsampling"] == f"hourly into '{database}_hourly', kept 3650d"


def test_readings_older_than_the_retention_are_told_from_other_refusals(influx_server, database):
    now_ms = int(time.time() * 1000)
    old_ms = now_ms - 11 * DAY_S * 1000
    with InfluxStore(influx_server.url, database) as store:
        initialise(store.server, keep_s=10 * DAY_S, hourly_keep_s=None)
    batch = Batch.from_rows([(POWER, old_ms, 1.0, 0), (POWER, now_ms, 2.0, 0), (WATER, now_ms, float("nan"), 0)])
    with InfluxStore(influx_server.url, database) as store:
        assert store.append(batch) == AppendResult(stored=1, refused=2, expired=1)
        assert read_all(store, [POWER.key, WATER.key]) == [(POWER.key, now_ms, 2.0, 0)]


def test_what_the_server_finds_too_old_by_its_own_clock_is_refused_and_the_rest_kept(influx_server, database):
    """We take everything to be young enough; two of the four lines are five days too old for the server."""
    now_ms = int(time.time() * 1000)
    times = np.array([now_ms - days * DAY_S * 1000 for days in (15, 1, 16, 2)])
    with InfluxStore(influx_server.url, database) as store:
        initialise(store.server, keep_s=10 * DAY_S, hourly_keep_s=None)
        store.server.floor_ms = lambda: 0
        assert store.append(Batch.of([POWER], np.zeros(4), times, np.arange(4.0))) == AppendResult(stored=2, refused=2)


@pytest.mark.parametrize(
    ("header", "major", "takes_v2", "says"),
    [
        pytest.param("1.6.7~rc0", 1, False, "1.6.7~rc0", id="Debian's"),
        pytest.param("1.8.10", 1, True, "1.8.10", id="1.8"),
        pytest.param("v2.7.11", 2, True, "2.7.11", id="2.x"),
        pytest.param("3.1.0", 3, True, "3.1.0", id="3 Core"),
        pytest.param("", 1, False, "does not say", id="silent"),
    ],
)
def test_the_generation_is_told_by_the_ping(header, major, takes_v2, says):
    found = Generation.of({"x-influxdb-version": header})
    assert (found.major, found.takes_v2_writes) == (major, takes_v2)
    assert says in str(found)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("168h0m0s", 604_800), ("400d", 34_560_000), ("0s", 0), ("forever", 0), ("2y", 63_072_000), ("1d12h", 129_600)],
)
def test_durations_are_read(text, seconds):
    assert seconds_of(text) == seconds
    assert seconds_of(text_of(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "10", "ten days", "5x", "-3d", "3 d", "1d2"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ConfigError, match="400d"):
        seconds_of(text)
