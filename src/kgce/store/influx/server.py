"""InfluxServer: HTTP conversation with one database of an InfluxDB of any generation."""

import gzip
import ipaddress
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from threading import RLock
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import httpx
import orjson

from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.client_writer import LinesRejected, LineWriter
from kgce.store.influx.durations import seconds_of
from kgce.store.influx.generation import Generation
from kgce.store.influx.influxql import identifier, show_retention

_REJECTED: Final = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
_LOOK_AGAIN_S: Final = 300.0  # how soon a changed retention is noticed
_GZIP_LEVEL: Final = 1

Result = dict[str, Any]  # one series of an answer: name, tags, columns, values
log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _Connected:
    """What was found out about the server."""

    generation: Generation
    writer: LineWriter
    keeps_s: int  # how long its default retention keeps readings; 0 = for ever
    looked_at_s: float


class InfluxServer:
    """Connects at the first use, so that a gateway may start before its server."""

    def __init__(
        self,
        url: str,
        database: str,
        *,
        username: str = "",
        password: str = "",
        token: str = "",
        org: str = "",
        retention_policy: str = "",
        timeout_s: float = 30.0,
        compress: bool | None = None,
    ) -> None:
        """`compress` the bodies of writes (None: when the server is on another machine)."""
        self.url = url.rstrip("/")
        self.database = database
        self.org = org
        self.token = token or (f"{username}:{password}" if username else "")
        self.compress = not _is_here(self.url) if compress is None else compress
        self.timeout_s = timeout_s
        self._retention = {"rp": retention_policy} if retention_policy else {}
        headers = {"Authorization": f"Token {token}"} if token else {}
        auth = httpx.BasicAuth(username, password) if username and not token else None
        self.http = httpx.Client(base_url=self.url, headers=headers, auth=auth, timeout=timeout_s, trust_env=False)
        self._lock = RLock()
        self._connected: _Connected | None = None

    def close(self) -> None:
        """Release connections."""
        self._forget()
        self.http.close()

    def _forget(self) -> None:
        """Look at the server anew before the next use: it may be another one, or have lost its database."""
        with self._lock:
            if self._connected is not None:
                self._connected.writer.close()
            self._connected = None

    def found_generation(self) -> Generation:
        """Which InfluxDB answers, before anything is made ready there."""
        return self._connected.generation if self._connected is not None else self._ping()

    def run(self, statement: str) -> None:
        """Run a statement that changes something.

        Raises:
            StoreUnavailable: the server refuses it, or does not answer.
        """
        for _ in self.query([statement]):
            pass

    @property
    def generation(self) -> Generation:
        """Which InfluxDB answers."""
        return self._state().generation

    def floor_ms(self) -> int:
        """Readings older than this the server would drop, by its default retention; 0 = it keeps everything."""
        state = self._state()
        if time.monotonic() - state.looked_at_s > _LOOK_AGAIN_S:
            state.keeps_s, state.looked_at_s = self._keeps_s(), time.monotonic()
        return int((time.time() - state.keeps_s) * 1000) if state.keeps_s else 0

    def write(self, lines: bytes) -> None:
        """Post ready-made lines with millisecond times.

        Raises:
            LinesRejected: at least one of them can never be kept.
            StoreUnavailable: no answer.
        """
        self._state().writer.write(lines)

    def query(self, statements: list[str]) -> Iterator[tuple[int, Result]]:
        """Run InfluxQL; every series of the answer with the number of its statement. Times are in ms.

        Raises:
            StoreUnavailable: no answer, or not a whole one.
        """
        if statements:
            self._state()
            yield from self.ask(statements)

    def ask(self, statements: list[str]) -> Iterator[tuple[int, Result]]:
        """As `query`, on a server not looked at yet."""
        parameters = {"db": self.database, "epoch": "ms", "chunked": "true", **self._retention}
        answer = self.post("/query", parameters, data={"q": ";".join(statements)})
        for line in answer.content.splitlines():
            for result in orjson.loads(line).get("results", []):
                self._check(result)
                for series in result.get("series", []):
                    yield result["statement_id"], series

    def _check(self, document: Mapping[str, Any]) -> None:
        problem = document.get("error")
        if problem is None:
            return
        self._forget()
        raise StoreUnavailable(f"{self.url}: {problem}: check the server and its database {self.database!r}")

    def _state(self) -> _Connected:
        with self._lock:
            if self._connected is None:
                generation = self._ping()
                self._make_ready(generation)
                writer = self._client_writer() if generation.takes_v2_writes else _PlainWriter(self)
                self._connected = _Connected(generation, writer, self._keeps_s(), time.monotonic())
                log.info("%s at %s: %s", generation, urlsplit(self.url).netloc, generation.way)
            return self._connected

    def _ping(self) -> Generation:
        with self.translated():
            answer = self.http.get("/ping")
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.fail(answer.status_code, answer.text)
        return Generation.of(answer.headers)

    def _make_ready(self, generation: Generation) -> None:
        """The database of 1.x and 3.x, the mapping of 2.x."""
        if generation.major == 1:
            self._create_database()
        elif generation.major == 2:  # noqa: PLR2004 - InfluxDB 2.x
            from kgce.store.influx.buckets import ensure_mapping  # noqa: PLC0415 - the client takes a second to load

            ensure_mapping(self)
        else:
            with self.translated():  # answers 409 when it is there; other 3.x make it at the first write
                self.http.post("/api/v3/configure/database", json={"db": self.database})

    def _keeps_s(self) -> int:
        try:
            for _, result in self.ask([show_retention(self.database)]):
                for row in result.get("values", []):
                    policy = dict(zip(result["columns"], row, strict=True))
                    wanted = self._retention.get("rp")
                    if policy.get("name") == wanted if wanted else policy.get("default"):
                        return seconds_of(policy["duration"])
        except (StoreUnavailable, ConfigError) as error:  # a server that does not tell keeps what it likes
            log.debug("retention of %r is not known: %s", self.database, error)
        return 0

    def _create_database(self) -> None:
        with self.translated():
            answer = self.http.post("/query", data={"q": f"CREATE DATABASE {identifier(self.database)}"})
        if answer.is_error and answer.status_code != HTTPStatus.FORBIDDEN:  # not an administrator: it must exist then
            self.fail(answer.status_code, answer.text)
        if not answer.is_error and "error" in (problem := orjson.loads(answer.content)["results"][0]):
            raise ConfigError(
                f"{self.url} cannot make database {self.database!r}: {problem['error']}: choose another name"
            )

    def _client_writer(self) -> LineWriter:
        from kgce.store.client_writer import ClientWriter  # noqa: PLC0415 - its import takes a second

        return ClientWriter(
            self.url,
            token=self.token,
            org=self.org,
            bucket="/".join([self.database, *self._retention.values()]),
            timeout_s=self.timeout_s,
            gzip=self.compress,
            fail=lambda status, text: self.fail(status, text, is_write=True),
            unreachable=self.unreachable,
        )

    def post_lines(self, lines: bytes) -> None:
        """Post to the 1.x address."""
        parameters = {"db": self.database, "precision": "ms", **self._retention}
        if self.compress:
            packed = gzip.compress(lines, _GZIP_LEVEL)
            self.post("/write", parameters, content=packed, headers={"Content-Encoding": "gzip"})
        else:
            self.post("/write", parameters, content=lines)

    def post(self, path: str, parameters: Mapping[str, str], **body: Any) -> httpx.Response:
        """Post, and raise what an answer that is not a success means."""
        with self.translated():
            answer = self.http.post(path, params=dict(parameters), **body)
        if answer.is_error:
            self.fail(answer.status_code, answer.text, is_write=path == "/write")
        return answer

    def fail(self, status: int, text: str, *, is_write: bool = False) -> NoReturn:
        """Raise what an answer that is not a success means."""
        reason = " ".join(text.split())[:300]
        if is_write and status in _REJECTED:
            raise LinesRejected(reason)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ConfigError(
                f"{self.url} refuses the credentials for {self.database!r}: "
                "set KGCE_INFLUX_USERNAME and KGCE_INFLUX_PASSWORD, or KGCE_INFLUX_TOKEN"
            )
        self._forget()
        raise StoreUnavailable(f"{self.url} answered {status}: {reason or 'no reason given'}: check the server")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Lost connections as errors that say what to do."""
        try:
            yield
        except (httpx.TransportError, RuntimeError) as error:  # RuntimeError: the client was closed
            raise self.unreachable(error) from error

    def unreachable(self, error: Exception) -> StoreUnavailable:
        """What a connection that failed means."""
        reason = " ".join(str(error).split()) or type(error).__name__
        return StoreUnavailable(f"InfluxDB at {urlsplit(self.url).netloc} does not answer ({reason}): start it")


class _PlainWriter:
    """Posts to `/write`, the address of servers before 1.8."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server

    def write(self, lines: bytes) -> None:
        self._server.post_lines(lines)

    def close(self) -> None:
        """Nothing of its own."""


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
