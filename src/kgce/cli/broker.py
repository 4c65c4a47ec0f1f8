"""An MQTT broker inside the process, so that the demo needs no server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kgce.cli.ports import free_port


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[int]:
    """Run amqtt on a free loopback port; gives the port."""
    from amqtt.broker import Broker

    port = free_port()
    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(settings)
    await broker.start()
    try:
        yield port
    finally:
        await broker.shutdown()
