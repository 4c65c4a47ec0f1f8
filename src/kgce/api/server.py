"""uvicorn under our rules: loopback only, clear words when the port is taken, an end that does not wait for clients."""

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from kgce.domain.errors import ConfigError

_GRACE_S: Final = 2  # for requests under way when the server stops


class _Server(uvicorn.Server):
    """Leaves the signals to whoever owns the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_app(app: FastAPI, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve in the running loop until cancelled; then let clients go and end.

    Raises:
        ConfigError: the host is not loopback, or the port is in use.
    """
    with _listening(host, port) as listener:
        # A page elsewhere whose name is made to resolve to 127.0.0.1 must not read what is served without a password.
        guarded = TrustedHostMiddleware(app, allowed_hosts=["127.0.0.1", "localhost", host])
        server = _Server(
            uvicorn.Config(
                guarded, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=_GRACE_S
            )
        )
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            hub = app.state.context.hub
            if hub is not None:
                hub.end_subscriptions()
            server.should_exit = True
            await serving
            raise


def serve(app: FastAPI, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve in this thread until Ctrl-C or SIGTERM.

    Raises:
        ConfigError: the host is not loopback, or the port is in use.
    """

    async def until_signal() -> None:
        serving = asyncio.ensure_future(serve_app(app, host=host, port=port))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    asyncio.run(until_signal())


def require_port(host: str, port: int) -> None:
    """Make sure that this address can be listened on, before anything else is started.

    Raises:
        ConfigError: the host is not loopback, or the port is in use.
    """
    with _listening(host, port):
        pass


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    address = _loopback(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((str(address), port))
            listener.listen(128)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(
                    f"port {port} on {host} is in use: stop what uses it or choose another --port"
                ) from None
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        yield listener


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError:
        raise ConfigError(f"{host!r} is not a loopback address: use 127.0.0.1") from None
    if not address.is_loopback:
        raise ConfigError(f"will not listen on {host}: there is no authentication yet; use 127.0.0.1")
    return address
