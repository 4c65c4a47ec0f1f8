"""A real uvicorn on a free port: events arrive, it stops at once, it listens on loopback only."""

import asyncio
import contextlib
import json
import socket

import httpx
import pytest

from kgce.api.app import Context, create_api
from kgce.api.live import LiveHub
from kgce.api.server import serve_app
from kgce.domain.errors import ConfigError
from tests.api.seeded import NOW, Seeded, power
from tests.servers import free_port


@contextlib.asynccontextmanager
async def serving(app, port: int):
    server = asyncio.create_task(serve_app(app, port=port))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10) as client:
            await _answers(client, server)
            yield client, server
    finally:
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await server


async def _answers(client: httpx.AsyncClient, server: asyncio.Task[None]) -> None:
    async with asyncio.timeout(15):
        while not server.done():
            with contextlib.suppress(httpx.TransportError):
                await client.get("/health")
                return
            await asyncio.sleep(0.02)
    server.result()


def app_on(seeded: Seeded, hub: LiveHub | None):
    return create_api(Context(store=seeded.store, registry=seeded.registry, hub=hub, clock=NOW.timestamp))


async def test_what_is_published_in_another_thread_arrives_as_an_event(seeded: Seeded):
    hub = LiveHub()
    async with serving(app_on(seeded, hub), free_port()) as (client, _), client.stream("GET", "/live") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == ": connected"
        await asyncio.to_thread(hub.publish, power("school-1", 42.5, NOW))
        async with asyncio.timeout(10):
            data = [line async for line in _until_data(lines)][-1]
    (row,) = json.loads(data.removeprefix("data: "))
    assert (row["institution"], row["value"], row["unit"], row["time"]) == (
        "school-1",
        42.5,
        "kW",
        "2024-06-15T04:01:00Z",
    )


async def _until_data(lines):
    async for line in lines:
        yield line
        if line.startswith("data:"):
            return


async def test_the_server_stops_at_once_though_a_client_listens(seeded: Seeded):
    """The client's stream ends by itself; two seconds of grace are not used up."""
    hub = LiveHub()
    async with serving(app_on(seeded, hub), free_port()) as (client, server), client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        server.cancel()
        async with asyncio.timeout(1.5):
            rest = [line async for line in lines]
            with contextlib.suppress(asyncio.CancelledError):
                await server
    assert not any(line.startswith("data:") for line in rest)
    assert hub.subscriber_count() == 0


async def test_without_a_gateway_there_is_no_live_feed(seeded: Seeded):
    async with serving(app_on(seeded, None), free_port()) as (client, _):
        answer = await client.get("/live")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_name_that_points_here_from_outside_is_refused(seeded: Seeded):
    """DNS rebinding: a foreign page's host name must not read what has no password."""
    async with serving(app_on(seeded, None), free_port()) as (client, _):
        answer = await client.get("/institutions", headers={"Host": "rebound.example"})
    assert answer.status_code == 400


async def test_a_port_in_use_is_one_line_that_says_so(seeded: Seeded):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match=r"^port \d+ on 127\.0\.0\.1 is in use: .*--port$"):
            await serve_app(app_on(seeded, None), port=other.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.invalid"])
async def test_only_loopback_is_served(seeded: Seeded, host: str):
    with pytest.raises(ConfigError, match=r"loopback|no authentication yet"):
        await serve_app(app_on(seeded, None), host=host, port=free_port())
