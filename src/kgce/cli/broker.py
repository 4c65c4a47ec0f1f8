"""An MQTT broker inside the process, so that the demo needs no server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kgce.cli.ports import free_port
from kgce.domain.errors import ConfigError


def broker_address(text: str) -> tuple[str, int]:
    """(host, port) of `HOST:PORT`.

    Raises:
        ConfigError: not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise ConfigError(f"{text!r} is not HOST:PORT of a broker, such as 127.0.0.1:1883")
    return host, int(port)


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
