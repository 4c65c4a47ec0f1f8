"""The gateway's page: a real gateway, asked over real HTTP, also by somebody hostile."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import httpx
import pytest

from kgce.edge.config import parse_config
from kgce.edge.local.config import LocalTable
from kgce.edge.local.run_file import running
from kgce.edge.station import Station
from tests import servers
from tests.edge.fakes import MemorySink, MoodySink, until

pytestmark = pytest.mark.timeout(60)


def tables(folder, port: int = 0) -> dict:
    """A gateway with one device that never answers."""
    return {
        "gateway": {"id": "gw-1", "folder": str(folder)},
        "local": {"listen": f"127.0.0.1:{port}"},
        "modbus": [
            {
                "host": "127.0.0.1", "port": servers.free_port(),
                "devices": [{"device": "<b>main</b>", "unit": 1, "profile": "eastron-sdm630", "interval_s": 2, "institution": "o"}],
            }
        ],
    }  # fmt: skip


@asynccontextmanager
async def page(folder, sink=None, **more):
    """(client, station) while the gateway runs."""
    with Station(parse_config({**tables(folder), **more}), sink=sink or MemorySink()) as station:
        job = asyncio.create_task(station.gateway.run())
        await until(lambda: running(folder) is not None)
        async with httpx.AsyncClient(base_url=running(folder).url, trust_env=False) as client:
            yield client, station
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_the_page_says_what_is_broken_and_what_to_do_and_escapes_what_devices_are_called(tmp_path) -> None:
    async with page(tmp_path, MoodySink(["down"] * 1000)) as (client, station):
        await until(lambda: station.gateway.status()["devices"][0]["failures"] >= 2, timeout_s=30)
        text = (await client.get("/")).text
        assert "What is broken" in text
        assert "What to do:" in text
        assert "&lt;b&gt;main&lt;/b&gt;" in text
        assert "<b>main</b>" not in text
        assert "://" not in text.split("<body>")[0], "no file from elsewhere"


async def test_every_route_answers_in_its_own_type(tmp_path) -> None:
    async with page(tmp_path) as (client, _):
        for path, content_type in (
            ("/", "text/html"), ("/status.json", "application/json"), ("/live.json", "application/json"),
            ("/metrics", "text/plain; version=0.0.4"), ("/healthz", "text/plain"),
        ):  # fmt: skip
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].startswith(content_type)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        status = (await client.get("/status.json")).json()
        assert status["gateway"] == "gw-1"
        assert {"buffer", "uplink", "clock", "devices", "problems", "process", "config", "events"} <= status.keys()


async def test_the_metrics_are_well_formed(tmp_path) -> None:
    async with page(tmp_path) as (client, _):
        lines = (await client.get("/metrics")).text.splitlines()
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    samples = [line for line in lines if not line.startswith("#")]
    assert {line.split("{")[0].split(" ")[0] for line in samples} == named
    for line in samples:
        float(line.rsplit(" ", 1)[1])
    assert any(line.startswith('kgce_device_online{institution="o",device="<b>main</b>"} 0') for line in samples)
    assert "kgce_books_balance 1" in samples


async def test_a_hostile_request_gets_a_clean_answer(tmp_path) -> None:
    async with page(tmp_path) as (client, _):
        assert (await client.post("/", content=b"x")).status_code == 405
        assert (await client.get("/../../etc/passwd")).status_code == 404
        assert (await client.get("/", headers={"host": "evil.example"})).status_code == 421
        assert (await client.head("/")).content == b""
        port = client.base_url.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000)
        assert (await reader.read(100)).startswith(b"HTTP/1.1 400")
        writer.close()
        assert (await client.get("/healthz")).text == "ok\n"


async def test_an_uplink_that_is_down_is_healthy_and_a_disk_that_takes_nothing_is_not(tmp_path) -> None:
    async with page(tmp_path, MoodySink(["down"] * 1000)) as (client, station):
        assert (await client.get("/healthz")).status_code == 200
        station.gateway._disk_takes_nothing = True
        assert (await client.get("/healthz")).status_code == 503


async def test_a_taken_port_is_no_reason_not_to_run(tmp_path, caplog) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        async with page(tmp_path, local={"listen": f"127.0.0.1:{taken}"}) as (client, _):
            assert client.base_url.port != taken
            assert (await client.get("/healthz")).status_code == 200
    assert "takes a free port" in caplog.text


async def test_the_run_file_is_gone_when_the_gateway_has_ended(tmp_path) -> None:
    async with page(tmp_path):
        found = json.loads((tmp_path / "local.json").read_text())
        assert found["url"].startswith("http://127.0.0.1:")
    assert running(tmp_path) is None


def test_a_run_file_of_a_dead_process_says_nothing(tmp_path) -> None:
    (tmp_path / "local.json").write_text('{"url": "http://127.0.0.1:1", "pid": 4194305, "started_ms": 1}')
    assert running(tmp_path) is None
    (tmp_path / "local.json").write_text("{broken")
    assert running(tmp_path) is None


@pytest.mark.parametrize("listen", ["0.0.0.0:8090", "10.1.2.3:80", "[::]:8090"])
def test_a_page_anybody_could_reach_must_be_asked_for(listen: str) -> None:
    with pytest.raises(ValueError, match="allow_remote"):
        LocalTable(listen=listen)
    assert LocalTable(listen=listen, allow_remote=True).port in {80, 8090}
