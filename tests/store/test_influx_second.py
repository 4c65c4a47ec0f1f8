"""InfluxDB 2.x as its API is documented: no such server is in Debian, so its documented answers stand here.

What the official client asks is what is checked: addresses, bodies, and what is made of the answers (InfluxDB OSS 2.7 API:
/ping, /api/v2/buckets, /api/v2/dbrps, /api/v2/tasks, /api/v2/orgs). With KGCE_TEST_INFLUX_URL the whole suite runs on a real one.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from kgce.domain.errors import ConfigError
from kgce.store.influx.setup import initialise
from kgce.store.influx.store import InfluxStore

ORG = {"id": "0000000000000001", "name": "county"}


class Second:
    """Keeps what a 2.x keeps of buckets, mappings and tasks."""

    def __init__(self) -> None:
        self.buckets: list[dict] = []
        self.mappings: list[dict] = []
        self.tasks: list[dict] = []
        self.may_map = True
        self.asked: list[str] = []

    def answer(self, method: str, path: str, query: dict, body: dict) -> tuple[int, object]:  # noqa: PLR0911
        self.asked.append(f"{method} {path}")
        match method, path.removeprefix("/api/v2").strip("/").split("/"):
            case "GET", ["buckets"]:
                name = query.get("name", [None])[0]
                return 200, {"buckets": [one for one in self.buckets if name in {None, one["name"]}]}
            case "POST", ["buckets"]:
                self.buckets.append({"id": f"b{len(self.buckets)}", **body})
                return 201, self.buckets[-1]
            case "PATCH", ["buckets", key]:
                [bucket] = [one for one in self.buckets if one["id"] == key]
                bucket.update(body)
                return 200, bucket
            case "GET", ["dbrps"]:
                return 200, {"content": self.mappings}
            case "POST", ["dbrps"]:
                if not self.may_map:
                    return 403, {"code": "forbidden", "message": "insufficient permissions"}
                self.mappings.append({"id": f"d{len(self.mappings)}", **body})
                return 201, self.mappings[-1]
            case "GET", ["orgs"]:
                return 200, {"orgs": [ORG]}
            case "GET", ["tasks"]:
                return 200, {"tasks": [one for one in self.tasks if one["name"] == query["name"][0]]}
            case "POST", ["tasks"]:
                name = body["flux"].split('name: "')[1].split('"')[0]
                self.tasks.append(
                    {"id": f"t{len(self.tasks)}", "name": name, "status": "active", "orgID": ORG["id"], **body}
                )
                return 201, self.tasks[-1]
            case "POST", ["query"]:
                return 200, {"results": [{"statement_id": 0}]}
        return 404, {"code": "not found", "message": path}


@pytest.fixture
def second() -> Iterator[tuple[str, Second]]:
    state = Second()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _any(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw) if raw[:1] == b"{" else {}
            status, document = (
                (204, None)
                if parts.path == "/ping"
                else state.answer(self.command, parts.path, parse_qs(parts.query), body)
            )
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("X-Influxdb-Version", "v2.7.11")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    for verb in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{verb}", Handler._any)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", state
    server.shutdown()
    server.server_close()
    thread.join()


def store_at(url: str) -> InfluxStore:
    return InfluxStore(url, "kgce", token="secret", org="county")


def test_init_makes_bucket_mapping_and_task_once(second):
    url, state = second
    with store_at(url) as store:
        first = initialise(store.server, keep_s=400 * 86_400, hourly_keep_s=0)
        again = initialise(store.server, keep_s=400 * 86_400, hourly_keep_s=0)

    assert (len(first), again) == (3, [])
    assert [(one["name"], [rule["everySeconds"] for rule in one["retentionRules"]]) for one in state.buckets] == [
        ("kgce", [34_560_000]), ("kgce_hourly", [])
    ]  # fmt: skip
    assert [(one["database"], one["retention_policy"], one["default"], one["bucketID"]) for one in state.mappings] == [
        ("kgce", "autogen", True, "b0"), ("kgce_hourly", "autogen", True, "b1")
    ]  # fmt: skip
    [task] = state.tasks
    assert 'from(bucket: "kgce")' in task["flux"]
    assert 'to(bucket: "kgce_hourly")' in task["flux"]


def test_a_bucket_without_a_mapping_gets_one_at_the_first_use(second):
    url, state = second
    state.buckets.append({"id": "b7", "name": "kgce", "orgID": ORG["id"], "retentionRules": []})
    with store_at(url) as store:
        assert str(store.server.generation) == "InfluxDB 2.7.11"
    assert [one["bucketID"] for one in state.mappings] == ["b7"]


def test_who_may_not_map_is_told_the_command_that_does(second):
    url, state = second
    state.may_map = False
    state.buckets.append({"id": "b7", "name": "kgce", "orgID": ORG["id"], "retentionRules": []})
    with (
        store_at(url) as store,
        pytest.raises(ConfigError, match="influx v1 dbrp create --db kgce --rp autogen --bucket-id b7"),
    ):
        store.latest()


def test_a_missing_bucket_is_told_with_how_to_make_it(second):
    url, _ = second
    with store_at(url) as store, pytest.raises(ConfigError, match="kgce store init"):
        store.latest()
