"""What is particular to the server: its schema, its refusals, its absence, its other versions."""

import http.server
import json
import os
import re
import signal
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series
from kgce.store.influx.store import InfluxStore
from tests import servers
from tests.store.rows import END_MS, ENERGY, NOON_MS, POWER, WATER, read_all, rows_of


@pytest.fixture
def database() -> str:
    return f"db_{uuid.uuid4().hex}"


def answer_of(server: servers.Influx, query: str, database: str) -> list[dict]:
    [result] = json.loads(server.query(query, db=database))["results"]
    return result.get("series", [])


def pid_of(config: Path) -> int:
    """The server this test started: the only process that names its configuration file."""
    commands = ((path.parent.name, path.read_bytes()) for path in Path("/proc").glob("[0-9]*/cmdline"))
    [pid] = [int(pid) for pid, command in commands if os.fsencode(config) in command.split(b"\0")]
    return pid


def post_lines(url: str, database: str, lines: str) -> None:
    request = urllib.request.Request(f"{url}/write?db={database}&precision=ms", data=lines.encode())
    urllib.request.urlopen(request, timeout=30).close()


def test_the_server_holds_one_point_per_device_and_time_with_a_field_per_quantity(influx_server, database):
    with InfluxStore(influx_server.url, database) as store:
        store.append(Batch.from_rows([(POWER, NOON_MS, 12.5, 0), (ENERGY, NOON_MS, 100.0, 2)]))

    [series] = answer_of(influx_server, "SELECT * FROM electricity GROUP BY *", database)

    assert series["tags"] == {"region": "370102", "institution": "school-1", "building": "A", "device": "main"}
    assert series["columns"] == ["time", "active_energy_import", "active_energy_import_q", "active_power"]
    assert series["values"] == [["2023-11-14T22:13:20Z", 100, 2, 12.5]]  # date -u -d @1700000000


def test_names_never_become_statements(influx_server, database):
    """Keys written to break out of their quotes find nothing, and break nothing."""
    with InfluxStore(influx_server.url, database) as store:
        store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
        for attack in (
            "'; DROP MEASUREMENT electricity; --",
            "x' OR 'a'='a",
            '"; DROP DATABASE x; --',
            "\\' OR 1=1 --",
        ):
            for key in (
                (attack, "main", "active_power"),
                ("school-1", attack, "active_power"),
                ("school-1", "main", attack),
            ):
                assert len(store.read([key], start_ms=0, end_ms=END_MS)) == 0
            assert len(store.latest(attack)) == 0
        assert len(store.latest()) == 1


def test_a_database_name_is_quoted_too(influx_server):
    name = f'odd "name" {uuid.uuid4().hex}; DROP DATABASE _internal'
    with InfluxStore(influx_server.url, name) as store:
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])) == AppendResult(stored=1)
        assert len(store.latest()) == 1
    with InfluxStore(influx_server.url, "back\\slash") as store, pytest.raises(ConfigError, match="invalid name"):
        store.latest()


def test_rows_the_server_rejects_are_refused_and_the_others_kept(influx_server, database):
    """Somebody else stored `active_power` as text: that field cannot take numbers, its neighbours can."""
    influx_server.query(f"CREATE DATABASE {database}", method="POST")
    post_lines(influx_server.url, database, f'electricity,device=other active_power="high" {NOON_MS}')
    rows = [(series, NOON_MS + at, 1.0 + at, 0) for at in range(40) for series in (ENERGY, WATER)]
    rows += [(POWER, NOON_MS + 7, 5.0, 0), (POWER, NOON_MS + 7, 6.0, 0), (POWER, NOON_MS + 20, 7.0, 0)]

    with InfluxStore(influx_server.url, database) as store:
        assert store.append(Batch.from_rows(rows)) == AppendResult(stored=80, refused=3)
        assert len(read_all(store, [ENERGY.key, WATER.key])) == 80
        assert [series.key for series in store.series()] == [ENERGY.key, WATER.key]
        assert store.append(Batch.from_rows(rows)) == AppendResult(duplicate=80, refused=3)


def test_derived_measurements_beside_the_readings_are_not_readings(influx_server, database):
    with InfluxStore(influx_server.url, database) as store:
        store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
        post_lines(
            influx_server.url, database, f"consumption,institution=school-1,carrier=electricity amount=3 {NOON_MS}"
        )
        assert [series.key for series in store.series()] == [POWER.key]


def test_a_device_moved_by_somebody_else_reads_as_one_series(influx_server, database):
    with InfluxStore(influx_server.url, database) as store:
        store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
        moved = "electricity,region=370103,institution=school-1,building=B,device=main"
        post_lines(influx_server.url, database, f"{moved} active_power=2 {NOON_MS + 1}")

        assert read_all(store, [POWER.key]) == [(POWER.key, NOON_MS, 1.0, 0), (POWER.key, NOON_MS + 1, 2.0, 0)]
        assert rows_of(store.latest()) == [(POWER.key, NOON_MS + 1, 2.0, 0)]


def test_a_database_that_vanished_is_made_again(influx_server, database):
    batch = Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])
    with InfluxStore(influx_server.url, database) as store:
        store.append(batch)
        influx_server.query(f"DROP DATABASE {database}", method="POST")
        with pytest.raises(StoreUnavailable, match="database not found"):
            store.append(Batch.from_rows([(POWER, NOON_MS + 1, 1.0, 0)]))
        assert store.append(batch) == AppendResult(stored=1)


def test_nothing_listens(database):
    with InfluxStore(f"http://127.0.0.1:{servers.free_port()}", database) as store:
        for call in (store.latest, store.series, lambda: store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))):
            with pytest.raises(StoreUnavailable, match="does not answer") as caught:
                call()
            assert "\n" not in str(caught.value)


def test_a_server_that_stops_counts_nothing_and_all_is_well_once_it_is_back(tmp_path, database):
    """Stopped and continued by signal: the server neither answers nor refuses, which is how a hung one looks."""
    first = Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])
    second = Batch.from_rows([(POWER, NOON_MS + at, 2.0, 0) for at in range(1, 6)])
    with servers.influxdb(tmp_path) as server, InfluxStore(server.url, database, timeout_s=0.5) as store:
        assert store.append(first) == AppendResult(stored=1)
        daemon = pid_of(tmp_path / "influxdb.conf")
        os.kill(daemon, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable):
                store.append(second)
            with pytest.raises(StoreUnavailable):
                store.read([POWER.key], start_ms=0, end_ms=END_MS)
        finally:
            os.kill(daemon, signal.SIGCONT)
        result = store.append(second)
        assert result.stored + result.duplicate == 5  # the hung server may have taken the lines when it went on
        assert len(read_all(store, [POWER.key])) == 6


def test_a_gone_server_keeps_nothing_and_the_retry_stores_all(tmp_path, database):
    with servers.influxdb(tmp_path) as server:
        store = InfluxStore(server.url, database)
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])) == AppendResult(stored=1)
    with pytest.raises(StoreUnavailable, match="start it"):
        store.append(Batch.from_rows([(POWER, NOON_MS + 1, 1.0, 0)]))
    with pytest.raises(StoreUnavailable, match="start it"):
        store.latest()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.latest()


def test_ten_thousand_series_cross_every_chunk_and_come_back_whole(influx_server, database):
    """Posts of 5000 lines, statements of 100 devices, queries of 50 statements."""
    series = [Series(f"s{at // 100}", f"d{at // 4}", f"power_{at % 4}", "electricity") for at in range(10_000)]
    batch = Batch.of(
        series, np.tile(np.arange(10_000), 3), NOON_MS + np.repeat(np.arange(3), 10_000), np.arange(30_000) / 8
    )
    with InfluxStore(influx_server.url, database) as store:
        assert store.append(batch) == AppendResult(stored=30_000)
        assert store.append(batch) == AppendResult(duplicate=30_000)
        read = store.read([entry.key for entry in series], start_ms=0, end_ms=END_MS)
        assert sorted(rows_of(read)) == sorted(rows_of(batch))
        assert len(store.latest()) == 10_000


class Newer(http.server.BaseHTTPRequestHandler):
    """A front that calls the real server 1.8.10 and hands the /api/v2/write of such a server to its /write.

    Debian has no newer InfluxDB; everything but the address and the version is the real server's own doing.
    """

    behind = ""
    seen: ClassVar[list[tuple[str, str, str]]] = []
    users = ""
    loses_answers = False

    def do_GET(self) -> None:
        self._hand_on(b"")

    def do_POST(self) -> None:
        self._hand_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _hand_on(self, body: bytes) -> None:
        parts = urllib.parse.urlsplit(self.path)
        self.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        query = dict(urllib.parse.parse_qsl(parts.query))
        path = parts.path
        if path == "/api/v2/write":
            path, query = "/write", {"db": query["bucket"].split("/")[0], "precision": query["precision"]}
        url = f"{self.behind}{path}?{urllib.parse.urlencode(query)}"
        kept = {"Content-Type": self.headers["Content-Type"]} if self.headers["Content-Type"] else {}
        if kept.get("Content-Type", "").startswith("text/plain"):
            kept = {}
        request = urllib.request.Request(url, data=body or None, headers=kept, method=self.command)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read()
        status = 401 if self.users and self.users not in self.headers.get("Authorization", "") else answer.status
        if self.loses_answers and path == "/write":
            status, text = 503, b"the lines arrived, the answer is lost"
        self.send_response(status)
        self.send_header("X-Influxdb-Version", "1.8.10")
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if status != 204:
            self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
        """Quiet."""


@pytest.fixture
def newer(influx_server) -> Iterator[tuple[str, type[Newer]]]:
    handler = type("Handler", (Newer,), {"behind": influx_server.url, "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as front:
        thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{front.server_port}", handler
        front.shutdown()
        thread.join()


def test_servers_since_1_8_are_written_through_the_official_client(newer, influx_server, database):
    url, handler = newer
    batch = Batch.from_rows([(POWER, NOON_MS, 12.5, 0), (WATER, NOON_MS, 3.0, 2)])
    with InfluxStore(url, database, username="kgce", password="secret") as store:
        assert store.append(batch) == AppendResult(stored=2)
        assert store.append(batch) == AppendResult(duplicate=2)
        assert read_all(store, [POWER.key, WATER.key]) == rows_of(batch)

        post_lines(influx_server.url, database, f'water,device=other water_volume_b="text" {NOON_MS}')
        rejected = Series("school-2", "w1", "water_volume_b", "water", "", "370102")
        mixed = Batch.from_rows([(rejected, NOON_MS, 1.0, 0), (WATER, NOON_MS + 1, 4.0, 0)])
        assert store.append(mixed) == AppendResult(stored=1, refused=1)

    writes = [(path, authorization) for _, path, authorization in handler.seen if "write" in path]
    assert writes
    for path, authorization in writes:
        assert re.match(r"/api/v2/write\?.*bucket=" + database, path)
        assert authorization == "Token kgce:secret"


def test_lines_whose_answer_was_lost_are_looked_at_before_the_next_append(newer, database):
    """The first append arrived with its quality, unknown to us; the second must overrule it, not add to it."""
    url, handler = newer
    with InfluxStore(url, database) as store:
        assert store.append(Batch.from_rows([(POWER, NOON_MS - 1, 0.0, 0)])) == AppendResult(stored=1)
        handler.loses_answers = True
        with pytest.raises(StoreUnavailable, match="503"):
            store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 2)]))
        handler.loses_answers = False
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])) == AppendResult(stored=1, replaced=1)
        assert rows_of(store.latest()) == [(POWER.key, NOON_MS, 1.0, 0)]


def test_wrong_credentials_say_where_to_put_the_right_ones(newer, database):
    url, handler = newer
    handler.users = "Token right"
    with InfluxStore(url, database, token="wrong") as store, pytest.raises(ConfigError, match="KGCE_INFLUX_TOKEN"):
        store.latest()
    with InfluxStore(url, database, token="right") as store:
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])) == AppendResult(stored=1)
        handler.users = "Token changed"
        with pytest.raises(ConfigError, match="refuses the credentials"):
            store.append(Batch.from_rows([(POWER, NOON_MS + 1, 1.0, 0)]))
