"""Ports: the protocols that let each layer work without knowing the others.

Sources are asynchronous (sockets); sinks, stores and registries are synchronous (files, HTTP): an event loop calls
them through `asyncio.to_thread`. All implementations are safe to call from several threads.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.events import Event
from kgce.domain.factors import FactorRegistry
from kgce.domain.findings import Finding
from kgce.domain.metering import MeteringRegistry
from kgce.domain.rollup import Rollup
from kgce.domain.targets import TargetRegistry
from kgce.domain.tariffs import TariffRegistry
from kgce.domain.touched import Touched
from kgce.domain.tree import Building, Institution, Point, Region, Series, YearlyAttributes

SeriesKey = tuple[str, str, str]
Emit = Callable[[Batch], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of the rows of one batch: stored + duplicate + refused = rows; replaced is part of stored."""

    stored: int = 0
    duplicate: int = 0  # same series, time, value and quality were there already
    refused: int = 0  # can never be kept (NaN without BAD, time out of range)
    replaced: int = 0  # same series and time, another value: the newer one now stands
    expired: int = 0  # part of refused: older than the store is set up to keep

    def __add__(self, other: "AppendResult") -> "AppendResult":
        return AppendResult(
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.refused + other.refused,
            self.replaced + other.replaced,
            self.expired + other.expired,
        )


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and the gateway it happened at."""

    gateway: str
    event: Event


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What a store says about itself."""

    kind: str  # "DuckDB", "InfluxDB 1.6.7", "VictoriaMetrics"
    target: str  # folder or URL, without any password
    series: int
    first_ms: int | None  # time of the oldest and the newest reading; None without any
    last_ms: int | None
    details: Mapping[str, str]  # size, retention, downsampling: for people


class Sink(Protocol):
    """Where a gateway hands batches over."""

    def append(self, batch: Batch) -> AppendResult:
        """Keep the batch, then count; keeping it twice changes nothing.

        Raises:
            StoreUnavailable: nothing was kept; the caller still owns the batch.
        """
        ...


@runtime_checkable
class EventSink(Protocol):
    """Where what happened at gateways is kept."""

    def append_events(self, gateway: str, events: Sequence[Event]) -> None:
        """Keep what happened at a gateway; keeping an event twice changes nothing.

        Raises:
            StoreUnavailable: nothing was kept.
        """
        ...


class ReadingStore(Sink, EventSink, Protocol):
    """Home of readings and of what happened at gateways.

    Every method raises StoreUnavailable when there is no answer.
    """

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        """Keep several batches at once, in order; the counts of each.

        Raises:
            StoreUnavailable: none is known to be kept; keeping them again is harmless.
        """
        ...

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings with start_ms <= time < end_ms of these series, by series then time; unknown keys are left out."""
        ...

    def rollup(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int, every_ms: int) -> Rollup:
        """The same readings summed up per interval; the first and last interval hold what lies inside the span.

        Raises:
            InputError: every_ms is not positive.
        """
        ...

    def delete(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> int:
        """Take readings with start_ms <= time < end_ms of these series out, and mark what that touches; how many."""
        ...

    def latest(self, institution: str | None = None) -> Batch:
        """The newest reading of every series (of one institution)."""
        ...

    def series(
        self,
        institution: str | None = None,
        *,
        region: str | None = None,
        building: str | None = None,
        device: str | None = None,
        quantity: str | None = None,
        measurement: str | None = None,
    ) -> list[Series]:
        """Every series that has a reading and these tags, sorted by key."""
        ...

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times of the oldest and the newest reading (of one institution)."""
        ...

    def touched(self, after: int = 0) -> Touched:
        """What late, corrected and deleted readings touched since the answer whose cursor was `after`."""
        ...

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """What happened with start_ms <= time < end_ms, by time."""
        ...

    def status(self) -> StoreStatus:
        """What there is, and how it is set up."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class Shelf(Protocol):
    """Where worked-out arrays lie; all of it can be worked out anew from the readings."""

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was saved under a name; None where nothing is, or where it is damaged."""
        ...

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace what lies under a name, wholly or not at all.

        Raises:
            StoreUnavailable: it could not be written; the old one still stands.
        """
        ...


class Registry(MeteringRegistry, TargetRegistry, FactorRegistry, TariffRegistry, Protocol):
    """Who exists: regions, institutions with yearly attributes, buildings, metering points, findings on imports."""

    def save_regions(self, regions: Iterable[Region]) -> None:
        """Insert or replace by code."""
        ...

    def regions(self) -> list[Region]:
        """Every region, by code."""
        ...

    def save_institutions(self, institutions: Iterable[Institution]) -> None:
        """Insert or replace by id."""
        ...

    def institutions(self) -> list[Institution]:
        """Every institution, by id."""
        ...

    def institution(self, institution_id: str) -> Institution:
        """One institution.

        Raises:
            UnknownInstitution: no such id.
        """
        ...

    def save_attributes(self, attributes: Iterable[YearlyAttributes]) -> None:
        """Insert or replace by (institution, year)."""
        ...

    def attributes(self, year: int | None = None) -> list[YearlyAttributes]:
        """Attributes of one year, or of all years, by institution then year."""
        ...

    def save_buildings(self, buildings: Iterable[Building]) -> None:
        """Insert or replace by (institution, id)."""
        ...

    def buildings(self, institution: str | None = None) -> list[Building]:
        """Buildings (of one institution), by id."""
        ...

    def save_points(self, points: Iterable[Point]) -> None:
        """Insert or replace by series key."""
        ...

    def points(self, institution: str | None = None) -> list[Point]:
        """Metering points (of one institution), by series key."""
        ...

    def save_findings(self, origin: str, findings: Iterable[Finding]) -> None:
        """Replace all findings of one origin (a data set, an import)."""
        ...

    def findings(self, subject: str | None = None) -> list[Finding]:
        """Findings (about one subject), newest origin last."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """State of one device as its source sees it."""

    device: str
    institution: str
    online: bool
    since_ms: int  # when the present state began
    polls: int = 0
    failures: int = 0
    missed_ticks: int = 0  # poll times skipped because the round before was still running
    last_error: str = ""


class Source(Protocol):
    """Something that yields readings: a Modbus link, an MQTT subscription."""

    @property
    def name(self) -> str:
        """Stable name for counters and logs."""
        ...

    def points(self) -> Sequence[Point]:
        """Metering points this source feeds; known from its configuration, before any connection."""
        ...

    def status(self) -> Sequence[DeviceStatus]:
        """Present state of every device behind this source."""
        ...

    async def run(self, emit: Emit) -> None:
        """Read until cancelled. `await emit(batch)` returns once the batch is durable: acknowledge only after it."""
        ...


@runtime_checkable
class Pollable(Protocol):
    """A source whose devices can be asked now, outside their schedule: commissioning needs that."""

    async def poll(self, device: str) -> Batch:
        """Read one device now.

        Raises:
            ConfigError: no such device behind this source.
            DeviceUnreachable: it gave no whole answer.
        """
        ...

    def close(self) -> None:
        """Let the connection go, so that a weak device is free for the next one who asks."""
        ...
