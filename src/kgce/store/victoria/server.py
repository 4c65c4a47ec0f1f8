"""VictoriaServer: HTTP conversation with a VictoriaMetrics: lines in, its own query and export endpoints out."""

import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock, RLock
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import httpx
import orjson

from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.store.client_writer import LinesRejected, LineWriter

_LOOK_AGAIN_S: Final = 300.0  # how soon a changed retention is noticed
_MATCHERS: Final = 50  # per request
_FLAG: Final = re.compile(r'^flag\{name="retentionPeriod", value="([^"]*)"', re.MULTILINE)
_UNIT_S: Final = {"h": 3_600, "d": 86_400, "w": 604_800, "y": 365 * 86_400, "": 31 * 86_400}  # bare numbers are months
_REJECTED: Final = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}

log: Final = logging.getLogger(__name__)


class VictoriaServer:
    """Connects at the first use, so that a gateway may start before its server."""

    def __init__(
        self, url: str, database: str, *, username: str, password: str, timeout_s: float, compress: bool
    ) -> None:
        self.url = url.rstrip("/")
        self.database = database
        self._credentials = f"{username}:{password}" if username else ""
        self._compress = compress
        self._timeout_s = timeout_s
        auth = httpx.BasicAuth(username, password) if username else None
        self._http = httpx.Client(base_url=self.url, auth=auth, timeout=timeout_s, trust_env=False)
        self._lock = RLock()
        self._writer: LineWriter | None = None
        self._flush_lock = Lock()
        self._has_unflushed = True  # what an earlier process wrote a moment ago counts too
        self._keeps_s: int | None = None
        self._looked_at_s = 0.0

    def close(self) -> None:
        """Release connections."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
            self._writer = None
        self._http.close()

    def write(self, lines: bytes) -> None:
        """Write ready-made lines with millisecond times.

        Raises:
            LinesRejected: the request as a whole is refused.
            StoreUnavailable: no answer.
        """
        with self._lock:
            if self._writer is None:
                self._writer = self._client_writer()
            writer = self._writer
        writer.write(lines)
        self._has_unflushed = True

    def keeps_s(self) -> int:
        """How long the server keeps samples, by its own flag; 0 when it does not tell."""
        if self._keeps_s is None or time.monotonic() - self._looked_at_s > _LOOK_AGAIN_S:
            found = _FLAG.search(self._get("/metrics", {}).text)
            self._keeps_s, self._looked_at_s = _seconds_of(found[1]) if found else 0, time.monotonic()
        return self._keeps_s

    def export(self, matchers: Sequence[str], *, start_ms: int, end_ms: int) -> Iterator[dict[str, Any]]:
        """Samples with start_ms <= time < end_ms: {"metric": labels, "timestamps": [ms], "values": [float]}."""
        self._flush()
        for at in range(0, len(matchers), _MATCHERS):
            form = {
                "match[]": list(matchers[at : at + _MATCHERS]),
                "start": f"{start_ms / 1000:.3f}",
                "end": f"{(end_ms - 1) / 1000:.3f}",
            }
            for line in self._post("/api/v1/export", form).content.splitlines():
                yield orjson.loads(line)

    def query(self, text: str, *, at_ms: int) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query."""
        self._flush()
        answer = self._post("/api/v1/query", {"query": text, "time": f"{at_ms / 1000:.3f}", "nocache": "1"})
        result = orjson.loads(answer.content)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def count(self, matcher: str) -> int:
        """How many series of the server match, of any time."""
        self._flush()
        form = {"match[]": matcher, "start": "1", "end": f"{time.time() + 3 * 86_400:.0f}"}
        return len(orjson.loads(self._post("/api/v1/series", form).content)["data"])

    def _flush(self) -> None:
        """Make what this process wrote visible; by itself that takes the server a second or two."""
        with self._flush_lock:
            if self._has_unflushed:
                self._has_unflushed = False
                self._get("/internal/force_flush", {})

    def _client_writer(self) -> LineWriter:
        from kgce.store.client_writer import ClientWriter  # noqa: PLC0415 - its import takes a second

        return ClientWriter(
            self.url,
            token=self._credentials,
            org="",
            bucket=self.database,
            timeout_s=self._timeout_s,
            gzip=self._compress,
            is_basic=bool(self._credentials),
            fail=self._fail_write,
            unreachable=self._unreachable,
        )

    def _get(self, path: str, parameters: dict[str, str]) -> httpx.Response:
        with self._translated():
            answer = self._http.get(path, params=parameters)
        return self._checked(answer)

    def _post(self, path: str, form: dict[str, Any]) -> httpx.Response:
        with self._translated():
            answer = self._http.post(path, data=form)
        return self._checked(answer)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            self._fail(answer.status_code, answer.text)
        return answer

    def _fail(self, status: int, text: str) -> NoReturn:
        reason = " ".join(text.split())[:300]
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ConfigError(f"{self.url} refuses the credentials: set KGCE_INFLUX_USERNAME and KGCE_INFLUX_PASSWORD")
        raise StoreUnavailable(f"{self.url} answered {status}: {reason or 'no reason given'}: check the server")

    def _fail_write(self, status: int, text: str) -> NoReturn:
        if status in _REJECTED:
            raise LinesRejected(" ".join(text.split())[:300])
        self._fail(status, text)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, RuntimeError) as error:  # RuntimeError: the client was closed
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StoreUnavailable:
        reason = " ".join(str(error).split()) or type(error).__name__
        return StoreUnavailable(f"VictoriaMetrics at {urlsplit(self.url).netloc} does not answer ({reason}): start it")


def quoted(text: str) -> str:
    """A string of MetricsQL."""
    return json.dumps(text, ensure_ascii=False)


def _seconds_of(text: str) -> int:
    found = re.fullmatch(r"(\d+)([hdwy]?)", text)
    return int(found[1]) * _UNIT_S[found[2]] if found else 0
