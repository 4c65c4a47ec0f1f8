"""The stores under test, each opened on a place of its own."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgce.domain.ports import ReadingStore
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.influx.setup import initialise
from kgce.store.influx.store import InfluxStore
from kgce.store.victoria.store import VictoriaStore
from tests.servers import Influx
from tests.store.rows import END_MS

NewPlace = Callable[[], Callable[[], ReadingStore]]


STORES = ["duckdb", "influxdb", "victoriametrics", *(["named"] if os.environ.get("KGCE_TEST_INFLUX_URL") else [])]


@pytest.fixture(params=STORES)
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewPlace]:
    """Each call finds an empty place and gives what opens the store there, as often as asked; all are closed."""
    opened: list[ReadingStore] = []

    def remembered(store: ReadingStore) -> ReadingStore:
        opened.append(store)
        return store

    def duckdb() -> Callable[[], ReadingStore]:
        path = tmp_path / uuid.uuid4().hex / "readings.duckdb"
        return lambda: remembered(DuckDbStore(path))

    def influxdb() -> Callable[[], ReadingStore]:
        server: Influx = request.getfixturevalue("influx_server")
        name = f"contract {uuid.uuid4().hex}"
        return lambda: remembered(InfluxStore(server.url, name))

    def victoria() -> Callable[[], ReadingStore]:
        url, name = request.getfixturevalue("victoria_url"), f"contract {uuid.uuid4().hex}"
        return lambda: remembered(VictoriaStore(url, name))

    def named() -> Callable[[], ReadingStore]:
        """The server of KGCE_TEST_INFLUX_URL: a bucket or database of its own for each place."""
        url, token, org = (os.environ.get(f"KGCE_TEST_INFLUX_{key}", "") for key in ("URL", "TOKEN", "ORG"))
        name = f"{os.environ.get('KGCE_TEST_INFLUX_BUCKET', 'kgce_test')}_{uuid.uuid4().hex}"
        with InfluxStore(url, name, token=token, org=org) as made:
            initialise(made.server, keep_s=0, hourly_keep_s=None)
        return lambda: remembered(InfluxStore(url, name, token=token, org=org))

    yield {"named": named, "duckdb": duckdb, "influxdb": influxdb, "victoriametrics": victoria}[request.param]
    for store in opened:
        store.close()


@pytest.fixture
def end_ms(new_place: NewPlace, request: pytest.FixtureRequest) -> int:
    """From when on readings are refused: 2200, but where a server takes nothing from two days ahead."""
    is_victoria = "victoriametrics" in request.node.callspec.id
    return int(time.time() * 1000) + 2 * 86_400_000 if is_victoria else END_MS


@pytest.fixture
def open_place(new_place: NewPlace) -> Callable[[], ReadingStore]:
    return new_place()


@pytest.fixture
def store(open_place: Callable[[], ReadingStore]) -> Iterator[ReadingStore]:
    opened = open_place()
    yield opened
    opened.close()
