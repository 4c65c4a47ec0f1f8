"""FoundStore: the store on a server whose kind is found out at the first use, so that it may start after us.

GET /ping --version--> InfluxDB        --none--> GET /metrics --vm_app_version--> VictoriaMetrics
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from kgce.domain.batch import Batch
from kgce.domain.derived import DerivedSink
from kgce.domain.errors import StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, ReadingStore, SeriesKey, StoredEvent, StoreStatus
from kgce.domain.rollup import Rollup
from kgce.domain.touched import Touched
from kgce.domain.tree import Series

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is, and who asks."""

    url: str
    database: str
    username: str = ""
    password: str = ""
    token: str = ""
    org: str = ""
    timeout_s: float = 30.0
    is_shared: bool = False  # other processes write the same series


class FoundStore:
    """Hands everything on to the store behind the target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = Lock()
        self._store: ReadingStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def store(self) -> ReadingStore:
        """The store itself.

        Raises:
            StoreUnavailable: nobody answers there yet.
        """
        with self._lock:
            if self._store is None:
                self._store = _opened(self.target)
            return self._store

    def close(self) -> None:
        """Release connections, if there are any."""
        with self._lock:
            if self._store is not None:
                self._store.close()

    def append(self, batch: Batch) -> AppendResult:
        """See ReadingStore."""
        return self.store.append(batch)

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        """See ReadingStore."""
        return self.store.append_all(batches)

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """See ReadingStore."""
        self.store.append_events(gateway, events)

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """See ReadingStore."""
        return self.store.read(keys, start_ms=start_ms, end_ms=end_ms)

    def rollup(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int, every_ms: int) -> Rollup:
        """See ReadingStore."""
        return self.store.rollup(keys, start_ms=start_ms, end_ms=end_ms, every_ms=every_ms)

    def delete(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> int:
        """See ReadingStore."""
        return self.store.delete(keys, start_ms=start_ms, end_ms=end_ms)

    def latest(self, institution: str | None = None) -> Batch:
        """See ReadingStore."""
        return self.store.latest(institution)

    def series(self, institution: str | None = None, **tags: str | None) -> list[Series]:
        """See ReadingStore."""
        return self.store.series(institution, **tags)

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """See ReadingStore."""
        return self.store.extent(institution)

    def touched(self, after: int = 0) -> Touched:
        """See ReadingStore."""
        return self.store.touched(after)

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """See ReadingStore."""
        return self.store.events(start_ms=start_ms, end_ms=end_ms)

    def status(self) -> StoreStatus:
        """See ReadingStore."""
        return self.store.status()


def derived_sink(store: ReadingStore) -> DerivedSink | None:
    """Where derived series go beside the readings: to an InfluxDB; other stores keep none.

    Raises:
        StoreUnavailable: nobody answers there yet.
    """
    inner = store.store if isinstance(store, FoundStore) else store
    return inner if isinstance(inner, DerivedSink) else None


def _opened(target: Target) -> ReadingStore:
    if _is_victoria(target):
        from kgce.store.victoria.store import VictoriaStore  # noqa: PLC0415 - only the chosen engine is loaded

        log.info("VictoriaMetrics at %s: lines through influxdb-client, its own query and export", target.url)
        return VictoriaStore(
            target.url,
            target.database,
            username=target.username,
            password=target.password,
            timeout_s=target.timeout_s,
            is_shared=target.is_shared,
        )
    from kgce.store.influx.store import InfluxStore  # noqa: PLC0415 - only the chosen engine is loaded

    return InfluxStore(
        target.url,
        target.database,
        username=target.username,
        password=target.password,
        token=target.token,
        org=target.org,
        timeout_s=target.timeout_s,
        is_shared=target.is_shared,
    )


def _is_victoria(target: Target) -> bool:
    auth = httpx.BasicAuth(target.username, target.password) if target.username else None
    headers = {"Authorization": f"Token {target.token}"} if target.token else {}
    try:
        with httpx.Client(
            base_url=target.url, auth=auth, headers=headers, timeout=target.timeout_s, trust_env=False
        ) as http:
            if http.get("/ping").headers.get("x-influxdb-version"):
                return False
            return "vm_app_version" in http.get("/metrics").text
    except httpx.TransportError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        place = urlsplit(target.url).netloc
        raise StoreUnavailable(f"the server at {place} does not answer ({reason}): start it") from error
