"""Readings in over HTTP: once each, whoever sends them how often."""

import asyncio
import gzip
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import orjson
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from kgce.api.app import Context, create_api
from kgce.api.live import LiveHub
from kgce.api.server import serve_app
from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.open import open_registry, open_store
from tests.api.client import TestClient
from tests.api.seeded import Seeded
from tests.servers import free_port, wait_for_port
from tests.store.rows import NOON_MS, POWER, WATER, read_all


@pytest.fixture
def hub() -> LiveHub:
    return LiveHub()


@pytest.fixture
def place(tmp_path) -> Iterator[Seeded]:
    """Nothing is there yet."""
    with closing(open_store(tmp_path)) as store, closing(open_registry(tmp_path)) as registry:
        yield Seeded(store, registry)


@pytest.fixture
def client(place: Seeded, hub: LiveHub) -> TestClient:
    return TestClient(create_api(Context(store=place.store, registry=place.registry, hub=hub)))


@pytest.fixture
def served(place: Seeded, hub: LiveHub) -> Iterator[str]:
    """The API over a real socket."""
    port, loop = free_port(), asyncio.new_event_loop()
    app = create_api(Context(store=place.store, registry=place.registry, hub=hub))
    serving = loop.create_task(serve_app(app, port=port))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    wait_for_port(port)
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(serving.cancel)
    thread.join(20)


def batch_of(*rows) -> bytes:
    return message.encode(Message(Number("g1", "b", 1, 1), 5, Batch.from_rows(rows)))


def test_a_batch_is_stored_once_and_shown_at_once(client, place, hub) -> None:
    body = batch_of((POWER, NOON_MS, 1.5, 0), (WATER, NOON_MS, float("nan"), 0))

    first = client.post("/api/v1/ingest", content=body)
    assert first.status_code == 200
    assert first.json() == {"stored": 1, "duplicate": 0, "refused": 1, "replaced": 0, "expired": 0}
    assert client.post("/api/v1/ingest", content=body).json()["duplicate"] == 1
    assert read_all(place.store, [POWER.key]) == [(POWER.key, NOON_MS, 1.5, 0)]
    assert hub.latest()[POWER.key].value == 1.5


def test_the_same_key_gets_the_same_answer_and_another_body_under_it_none(client) -> None:
    body, other = batch_of((POWER, NOON_MS, 1.5, 0)), batch_of((POWER, NOON_MS, 2.5, 0))
    key = {"Idempotency-Key": "7f3a"}

    answers = [client.post("/api/v1/ingest", content=body, headers=key).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["stored"] == 1, "the second is told what became of the first"
    refused = client.post("/api/v1/ingest", content=other, headers=key)
    assert refused.status_code == 422
    assert "another body" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (b"{}", {}, "gateway is no text"),
        (b"\xff", {}, "not JSON"),
        (b"{}", {"Content-Encoding": "br"}, "plain or with gzip"),
        (b"{}", {"Content-Encoding": "gzip"}, "no gzip"),
        (gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}, "no whole gzip"),
        (gzip.compress(bytes(64_000_000)), {"Content-Encoding": "gzip"}, "more than 32 MB"),
        (b"{}", {"Idempotency-Key": "x" * 300}, "256 signs"),
    ],
)
def test_a_hostile_body_is_refused_with_a_reason(client, body, headers, says) -> None:
    answer = client.post("/api/v1/ingest", content=body, headers=headers)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_lines_are_stored_and_bad_ones_named(client, place) -> None:
    good = f"electricity,region=370102,institution=school-1,building=A,device=main active_power=7 {NOON_MS}"
    assert client.post("/api/v1/write?precision=ms", content=good).status_code == 204
    partly = client.post("/api/v1/write?precision=ms", content=f"{good}1\nrubbish\nm,institution=x p=1".encode())
    assert partly.status_code == 400
    assert partly.json()["code"] == "invalid"
    assert "2 lines refused: line 2" in partly.json()["message"]
    assert read_all(place.store, [POWER.key])[0] == (POWER.key, NOON_MS, 7.0, 0)
    assert client.post("/api/v1/write?precision=weeks", content=good).status_code == 422


def test_a_client_made_for_influxdb_writes_here(place, served) -> None:
    """The official client of 2.x with its own gzip, and a plain write of 1.x."""
    line = "electricity,region=370102,institution=school-1,building=A,device=main active_power={} {}"
    with InfluxDBClient(served, token="any", org="any", enable_gzip=True) as client:
        client.write_api(write_options=SYNCHRONOUS).write(
            "kgce", record=line.format(8.5, NOON_MS), write_precision="ms"
        )
    answer = httpx.post(f"{served}/write?db=kgce&precision=ms", content=line.format(9.5, NOON_MS + 1))
    assert answer.status_code == 204
    assert read_all(place.store, [POWER.key]) == [(POWER.key, NOON_MS, 8.5, 0), (POWER.key, NOON_MS + 1, 9.5, 0)]


def test_the_documentation_lists_both(client) -> None:
    paths = orjson.loads(client.get("/api/v1/openapi.json").content)["paths"]
    assert {"/api/v1/ingest", "/api/v1/write"} <= set(paths)


def test_a_store_that_is_away_or_set_up_wrong_asks_the_sender_to_come_again(place, monkeypatch) -> None:
    client = TestClient(create_api(Context(store=place.store, registry=place.registry)))
    for problem in (StoreUnavailable("away"), ConfigError("wrong token")):

        def fails(_batch, problem=problem):
            raise problem

        monkeypatch.setattr(place.store, "append", fails)
        key = {"Idempotency-Key": "k"}
        for path, body in (("ingest", batch_of((POWER, NOON_MS, 1.0, 0))), ("write", b"m,institution=i,device=d p=1")):
            answer = client.post(f"/api/v1/{path}", content=body, headers=key)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    monkeypatch.undo()
    again = client.post("/api/v1/ingest", content=batch_of((POWER, NOON_MS, 1.0, 0)), headers={"Idempotency-Key": "k"})
    assert again.json()["stored"] == 1, "a failure is not remembered"
