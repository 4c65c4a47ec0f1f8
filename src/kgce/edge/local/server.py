"""LocalServer: the gateway's page, figures and health on this machine; asks the gateway, changes nothing.

/ page   /status.json   /live.json   /metrics (Prometheus)   /healthz (503: readings are being lost)
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import orjson
import uvicorn

from kgce import __version__
from kgce.domain.errors import ConfigError
from kgce.edge.local import metrics
from kgce.edge.local.config import LocalTable
from kgce.edge.local.page import page
from kgce.edge.local.problems import problems
from kgce.edge.local.run_file import RunFile
from kgce.edge.local.snapshot import Snapshot

log: Final = logging.getLogger(__name__)

_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_MOST_AT_ONCE: Final = 20
_LONGEST_HEADER: Final = 16_384
_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY

Answer = tuple[int, str, bytes]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Quiet(uvicorn.Server):
    """Leaves the signals to the gateway."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


class LocalServer:
    """A companion of the gateway."""

    def __init__(
        self,
        table: LocalTable,
        status: Callable[[], dict[str, Any]],
        snapshot: Snapshot,
        run_file: RunFile,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table, self._status, self._snapshot, self._run_file = table, status, snapshot, run_file
        self._clock = clock

    async def run(self) -> None:
        """Serve until cancelled."""
        with self._listening() as listening:
            host, port = listening.getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            log.info("what this gateway does is on %s", url)
            server = _Quiet(
                uvicorn.Config(
                    self._app,
                    interface="asgi3",
                    http="h11",
                    ws="none",
                    loop="asyncio",
                    lifespan="off",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    limit_concurrency=_MOST_AT_ONCE,
                    timeout_keep_alive=5,
                    timeout_graceful_shutdown=1,
                    h11_max_incomplete_event_size=_LONGEST_HEADER,
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listening]), name="local page")
            with self._run_file.says(url):
                try:
                    await asyncio.shield(serving)
                finally:
                    server.should_exit = True
                    with contextlib.suppress(Exception):
                        await serving

    def answer(self, path: str) -> Answer:
        """(status, content type, body) for a path; asks the buffer's file, so not on the event loop."""
        now_ms = int(self._clock() * 1000)
        if path == "/live.json":
            return 200, _JSON, orjson.dumps(self._snapshot.rows(), option=_OPTIONS)
        if path not in {"/", "/status.json", "/metrics", "/healthz"}:
            return 404, _TEXT, b"there is /, /status.json, /live.json, /metrics and /healthz\n"
        status = self._status()
        found = problems(status, now_ms)
        match path:
            case "/status.json":
                document = {**status, "version": __version__, "now_ms": now_ms, "problems": found}
                return 200, _JSON, orjson.dumps(document, option=_OPTIONS)
            case "/metrics":
                return 200, metrics.CONTENT_TYPE, metrics.text(status, found, __version__).encode()
            case "/healthz":
                return (200, _TEXT, b"ok\n") if _keeps_readings(status) else (503, _TEXT, b"readings are being lost\n")
        html = page(status, found, self._snapshot.rows(), now_ms=now_ms, version=__version__)
        return 200, _HTML, html.encode()

    async def _app(self, scope: MutableMapping[str, Any], receive: Any, send: _Send) -> None:
        del receive
        if scope["type"] != "http":
            return
        if scope["method"] not in {"GET", "HEAD"}:
            found: Answer = (405, _TEXT, b"this page changes nothing; ask with GET\n")
        elif not _is_honest(dict(scope["headers"]).get(b"host", b"")):
            found = (421, _TEXT, b"ask for this gateway by its address\n")  # DNS rebinding comes by a name
        else:
            found = await asyncio.to_thread(self.answer, scope["path"])
        code, content_type, body = found
        headers = [*_HEADERS, (b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _listening(self) -> socket.socket:
        """The wanted port, or a free one when another gateway of this machine has it."""
        try:
            return _bound(self._table.host, self._table.port)
        except OSError as error:
            log.warning("the page cannot have %s (%s), it takes a free port", self._table.listen, error.strerror)
        try:
            return _bound(self._table.host, 0)
        except OSError as error:
            raise ConfigError(f"[local] listen = {self._table.listen}: {error.strerror or error}") from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(_MOST_AT_ONCE)
    except OSError:
        found.close()
        raise
    return found


def _is_honest(header: bytes) -> bool:
    """An address, this machine's name, or nothing (HTTP/1.0)."""
    name = header.decode("latin-1")
    host = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
    if host.lower() in {"", "localhost", socket.gethostname().lower()}:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _keeps_readings(status: dict[str, Any]) -> bool:
    """The uplink may be down for weeks; what counts is that readings are kept and counted."""
    return bool(status["equation_holds"]) and bool(status.get("keeps_readings", True))
