"""InfluxServer: HTTP conversation with one database of an InfluxDB 1.x, 2.x or anything that speaks its language."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from threading import RLock
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.influxql import identifier

_V2_WRITES_SINCE: Final = (1, 8)  # first version with /api/v2/write, which influxdb-client speaks
_NO_CREATE_SINCE: Final = (2, 0)  # buckets are made by an administrator there
_REJECTED: Final = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}

Result = dict[str, Any]  # one series of an answer: name, tags, columns, values


class LinesRejected(Exception):
    """The server refuses at least one of these lines for good; which one, it does not say reliably."""


class LineWriter(Protocol):
    """Posts ready-made lines."""

    def write(self, lines: bytes) -> None:
        """Post the lines.

        Raises:
            LinesRejected: at least one of them can never be kept.
            StoreUnavailable: no answer.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


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
    ) -> None:
        self.url = url.rstrip("/")
        self.database = database
        self._retention = {"rp": retention_policy} if retention_policy else {}
        self._token = token or (f"{username}:{password}" if username else "")
        self._org = org
        self._timeout_s = timeout_s
        headers = {"Authorization": f"Token {token}"} if token else {}
        auth = httpx.BasicAuth(username, password) if username and not token else None
        self._http = httpx.Client(base_url=self.url, headers=headers, auth=auth, timeout=timeout_s, trust_env=False)
        self._lock = RLock()
        self._writer: LineWriter | None = None

    def close(self) -> None:
        """Release connections."""
        self._forget()
        self._http.close()

    def _forget(self) -> None:
        """Look at the server anew before the next use: it may be another one, or have lost its database."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
            self._writer = None

    def write(self, lines: bytes) -> None:
        """Post ready-made lines with millisecond times.

        Raises:
            LinesRejected: at least one of them can never be kept.
            StoreUnavailable: no answer.
        """
        self._connected().write(lines)

    def query(self, statements: list[str]) -> Iterator[tuple[int, Result]]:
        """Run InfluxQL; every series of the answer with the number of its statement. Times are in ms.

        Raises:
            StoreUnavailable: no answer, or not a whole one.
        """
        if not statements:
            return
        self._connected()
        parameters = {"db": self.database, "epoch": "ms", "chunked": "true", **self._retention}
        answer = self._post("/query", parameters, data={"q": ";".join(statements)})
        for line in answer.content.splitlines():
            document = orjson.loads(line)
            for result in document.get("results", []):
                self._check(result)
                for series in result.get("series", []):
                    yield result["statement_id"], series

    def _check(self, document: Mapping[str, Any]) -> None:
        problem = document.get("error")
        if problem is None:
            return
        self._forget()
        raise StoreUnavailable(f"{self.url}: {problem}: check the server and its database {self.database!r}")

    def _connected(self) -> LineWriter:
        with self._lock:
            if self._writer is None:
                version = self._version()
                if version < _NO_CREATE_SINCE:
                    self._create_database()
                self._writer = self._client_writer() if version >= _V2_WRITES_SINCE else _PlainWriter(self)
            return self._writer

    def _version(self) -> tuple[int, int]:
        """Version of the server; servers that keep it to themselves take 1.x writes."""
        with self._translated():
            answer = self._http.get("/ping")
        found = re.search(r"(\d+)\.(\d+)", answer.headers.get("x-influxdb-version", ""))
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.fail(answer.status_code, answer.text)
        return (int(found[1]), int(found[2])) if found else (1, 0)

    def _create_database(self) -> None:
        with self._translated():
            answer = self._http.post("/query", data={"q": f"CREATE DATABASE {identifier(self.database)}"})
        if answer.is_error and answer.status_code != HTTPStatus.FORBIDDEN:  # not an administrator: it must exist then
            self.fail(answer.status_code, answer.text)
        if not answer.is_error and "error" in (problem := orjson.loads(answer.content)["results"][0]):
            raise ConfigError(
                f"{self.url} cannot make database {self.database!r}: {problem['error']}: choose another name"
            )

    def _client_writer(self) -> LineWriter:
        from kgce.store.influx_client_writer import ClientWriter  # noqa: PLC0415 - its import takes a second

        bucket = "/".join([self.database, *self._retention.values()])
        return ClientWriter(self, token=self._token, org=self._org, bucket=bucket, timeout_s=self._timeout_s)

    def post_lines(self, lines: bytes) -> None:
        """Post to the 1.x address."""
        parameters = {"db": self.database, "precision": "ms", **self._retention}
        self._post("/write", parameters, content=lines)

    def _post(self, path: str, parameters: Mapping[str, str], **body: Any) -> httpx.Response:
        with self._translated():
            answer = self._http.post(path, params=dict(parameters), **body)
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
    def _translated(self) -> Iterator[None]:
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
