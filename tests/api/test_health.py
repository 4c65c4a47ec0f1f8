"""Health tells which part is at fault; errors keep their meaning on the way out."""

import pytest

from kgce.api.app import Context, create_api
from kgce.api.errors import status_of
from kgce.domain.errors import KgceError, NaiveTime, ProfileError, StoreUnavailable, UnknownInstitution
from kgce.store.influx.store import InfluxStore
from tests.api.client import TestClient
from tests.api.seeded import Seeded
from tests.servers import influxdb

BALANCED = {"polled": 10, "stored": 5, "duplicate": 2, "refused": 1, "dropped": 1, "waiting": 1}


def status(counters: dict[str, int], *, uplink: str = "up", online: bool = True) -> dict[str, object]:
    devices = [{"institution": "school-1", "device": "main", "online": online}]
    return {"gateway": "g", "counters": counters, "uplink": {"state": uplink, "last_error": ""}, "devices": devices}


def health(seeded: Seeded, found: dict[str, object]) -> dict[str, object]:
    context = Context(store=seeded.store, registry=seeded.registry, gateway_status=lambda: found)
    return TestClient(create_api(context)).get("/api/v1/health").json()


def test_all_is_well_when_every_row_is_accounted_for(seeded: Seeded):
    body = health(seeded, status(BALANCED))
    assert (body["status"], body["store"]) == ("ok", "ok")
    assert body["gateway"]["equation_holds"] is True
    assert body["gateway"]["counters"] == BALANCED


@pytest.mark.parametrize("lost", ["stored", "duplicate", "refused", "dropped", "waiting"])
def test_one_row_unaccounted_for_is_degraded(seeded: Seeded, lost: str):
    body = health(seeded, status({**BALANCED, lost: BALANCED[lost] - 1}))
    assert (body["status"], body["gateway"]["equation_holds"]) == ("degraded", False)


def test_an_uplink_that_is_down_is_degraded_and_silent_devices_are_named(seeded: Seeded):
    body = health(seeded, status(BALANCED, uplink="down", online=False))
    assert (body["status"], body["gateway"]["devices_offline"]) == ("degraded", ["school-1/main"])


def test_a_store_that_went_away_is_503_with_the_reason(seeded: Seeded, tmp_path):
    """A real InfluxDB that is stopped; health and the other routes both say so."""
    with influxdb(tmp_path) as server:
        store = InfluxStore(server.url, "kgce")
        client = TestClient(create_api(Context(store=store, registry=seeded.registry)))
        assert client.get("/api/v1/health").status_code == 200
    answer = client.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    latest = client.get("/api/v1/latest")
    store.close()
    assert (latest.status_code, latest.headers["content-type"]) == (503, "application/problem+json")
    assert latest.headers["Retry-After"] == "5"


def test_an_error_nobody_planned_for_tells_nothing_about_the_inside(seeded: Seeded):
    def broken() -> dict[str, object]:
        raise RuntimeError("secret path")

    context = Context(store=seeded.store, registry=seeded.registry, gateway_status=broken)
    answer = TestClient(create_api(context), raise_server_exceptions=False).get("/api/v1/health")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_no_gateway_is_no_fault(seeded: Seeded):
    context = Context(store=seeded.store, registry=seeded.registry)
    body = TestClient(create_api(context)).get("/api/v1/health").json()
    assert (body["status"], body["gateway"]) == ("ok", None)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(UnknownInstitution("x"), 404, id="not registered"),
        pytest.param(NaiveTime("x"), 422, id="input"),
        pytest.param(ProfileError("x"), 422, id="configuration"),
        pytest.param(StoreUnavailable("x"), 503, id="try again"),
    ],
)
def test_every_error_of_the_tree_has_its_status(error: KgceError, status: int):
    assert status_of(error) == status


def test_a_balancer_is_told_when_the_registry_is_gone(seeded: Seeded, tmp_path):
    client = TestClient(create_api(Context(store=seeded.store, registry=seeded.registry)))
    assert client.get("/api/v1/ready").json() == {"store": "ok", "registry": "ok"}
    with InfluxStore("http://127.0.0.1:1", "nowhere") as silent:
        answer = TestClient(create_api(Context(store=silent, registry=seeded.registry))).get("/api/v1/ready")
    assert (answer.status_code, answer.json()["registry"]) == (503, "ok")
    assert "does not answer" in answer.json()["store"]


def test_requests_are_counted_by_route_not_by_name(seeded: Seeded):
    client = TestClient(create_api(Context(store=seeded.store, registry=seeded.registry)))
    for name in ("school-1", "school-2", "church"):
        client.get(f"/api/v1/institutions/{name}")
    lines = client.get("/metrics").text.splitlines()
    route = 'method="GET",route="/api/v1/institutions/{institution_id}"'
    assert f'kgce_http_requests_total{{{route},status="200"}} 2.0' in lines
    assert f'kgce_http_requests_total{{{route},status="404"}} 1.0' in lines
    assert f"kgce_http_request_seconds_count{{{route}}} 3.0" in lines
    assert "kgce_http_requests_under_way 1.0" in lines, "the request that asks"
    assert not any("school-1" in line for line in lines)
