"""The stores under test, each opened on a place of its own."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgce.domain.ports import ReadingStore
from kgce.store.duckdb_store import DuckDbStore
from kgce.store.influx_store import InfluxStore
from tests.servers import Influx

NewPlace = Callable[[], Callable[[], ReadingStore]]


@pytest.fixture(params=["duckdb", "influxdb"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Each call finds an empty place and gives what opens the store there, as often as asked."""

    def duckdb() -> Callable[[], ReadingStore]:
        path = tmp_path / uuid.uuid4().hex / "readings.duckdb"
        return lambda: DuckDbStore(path)

    def influxdb() -> Callable[[], ReadingStore]:
        server: Influx = request.getfixturevalue("influx_server")
        name = f"contract {uuid.uuid4().hex}"
        return lambda: InfluxStore(server.url, name)

    return {"duckdb": duckdb, "influxdb": influxdb}[request.param]


@pytest.fixture
def open_place(new_place: NewPlace) -> Callable[[], ReadingStore]:
    return new_place()


@pytest.fixture
def store(open_place: Callable[[], ReadingStore]) -> Iterator[ReadingStore]:
    opened = open_place()
    yield opened
    opened.close()
