"""Copying readings and events from any store to any other, in slices that fit memory, each looked at afterwards.

    slices of the source --read--> append to the target --read back--> every reading there, with its value and quality

What is done is remembered in a file, so an interrupted copy goes on where it was; doing it twice changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Protocol
from zlib import crc32

import orjson

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, ReadingStore, SeriesKey, StoredEvent
from kgce.domain.tree import Series
from kgce.store.archive import Archive, ArchiveWriter, Manifest
from kgce.store.checksum import checksum, differing

_KEYS: Final = 200  # series of one slice
_DAY_MS: Final = 86_400_000
_LONGEST_MS: Final = 400 * _DAY_MS
_FEW, _MANY = 200_000, 1_000_000  # rows of a slice, between which its length stays

Progress = Callable[[int, int], None]  # (done, total) in days of data


class Source(Protocol):
    """What a copy reads from: a store, or a backup."""

    def series(self) -> list[Series]:
        """Every series that has a reading."""
        ...

    def extent(self, institution: str | None = None) -> tuple[int, int] | None:
        """Times between which every reading lies."""
        ...

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        """Readings of a span."""
        ...

    def events(self, *, start_ms: int, end_ms: int) -> list[StoredEvent]:
        """Events of a span."""
        ...


@dataclass(slots=True)
class Copied:
    """What was copied so far."""

    rows: int = 0
    result: AppendResult = field(default_factory=AppendResult)
    events: int = 0
    checksum: int = 0  # of all readings read at the source; the order of slices does not matter
    differing: int = 0  # readings that do not stand at the target as they stand at the source, refused ones left out
    done: dict[str, int] = field(default_factory=dict)  # slice name -> copied until

    @property
    def is_whole(self) -> bool:
        """Whether everything stands at the target."""
        return not self.differing and not self.result.refused


def copy(source: Source, target: ReadingStore, *, state: Path | None, what: str, tell: Progress) -> Copied:
    """Copy everything; `state` is the file that remembers, `what` says between whom.

    Raises:
        ConfigError: the file remembers another copy.
        StoreUnavailable: one of them went away; run it again to go on.
    """
    copied = _remembered(state, what)
    extent = source.extent()
    if extent is not None:
        start_ms, end_ms = extent[0], extent[1] + 1
        slices = list(_groups(source.series()))
        days = _days(end_ms - start_ms)
        for number, (name, keys) in enumerate(slices):
            for batch, until_ms in _slices(source, keys, copied.done.get(name, start_ms), end_ms):
                _take(target, batch, copied)
                copied.done[name] = until_ms
                _remember(state, what, copied)
                tell(number * days + _days(until_ms - start_ms), days * len(slices))
    _take_events(source.events(start_ms=0, end_ms=2**60), target, copied)
    if state is not None and copied.is_whole:
        state.unlink(missing_ok=True)
    return copied


def _groups(series: Sequence[Series]) -> Iterator[tuple[str, list[SeriesKey]]]:
    """Series in groups that are read together, each under a name that stays when others come to it."""
    by_institution: dict[str, list[SeriesKey]] = {}
    for one in series:
        by_institution.setdefault(one.institution, []).append(one.key)
    for institution, keys in sorted(by_institution.items()):
        for at in range(0, len(keys), _KEYS):
            chosen = keys[at : at + _KEYS]
            yield f"{institution}/{crc32(repr(chosen).encode()):08x}", chosen


def _days(span_ms: int) -> int:
    return -(-span_ms // _DAY_MS)


def _slices(source: Source, keys: Sequence[SeriesKey], start_ms: int, end_ms: int) -> Iterator[tuple[Batch, int]]:
    length_ms = _DAY_MS
    while start_ms < end_ms:
        until_ms = min(start_ms + length_ms, end_ms)
        batch = source.read(keys, start_ms=start_ms, end_ms=until_ms)
        yield batch, until_ms
        start_ms = until_ms
        if len(batch) > _MANY:
            length_ms = max(length_ms // 2, 60_000)
        elif len(batch) < _FEW:
            length_ms = min(2 * length_ms, _LONGEST_MS)


def _take(target: ReadingStore, batch: Batch, copied: Copied) -> None:
    if not len(batch):
        return
    result = target.append(batch)
    copied.rows += len(batch)
    copied.result += result
    copied.checksum = (copied.checksum + checksum(batch)) % 2**64
    there = target.read(
        [series.key for series in batch.series],
        start_ms=int(batch.time_ms.min()),
        end_ms=int(batch.time_ms.max()) + 1,
    )
    copied.differing += max(0, differing(batch, there) - result.refused)


def _take_events(events: Sequence[StoredEvent], target: ReadingStore, copied: Copied) -> None:
    by_gateway: dict[str, list[Event]] = {}
    for one in events:
        by_gateway.setdefault(one.gateway, []).append(one.event)
    copied.events = sum(map(len, by_gateway.values()))
    for gateway, mine in sorted(by_gateway.items()):
        target.append_events(gateway, mine)


def _remembered(state: Path | None, what: str) -> Copied:
    if state is None or not state.exists():
        return Copied()
    try:
        document = orjson.loads(state.read_bytes())
        copied = Copied(**{**document["copied"], "result": AppendResult(**document["copied"]["result"])})
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{state} cannot be read: remove it to begin anew") from error
    if document["what"] != what:
        raise ConfigError(f"{state} remembers another copy ({document['what']}): finish that one or remove the file")
    return copied


def _remember(state: Path | None, what: str, copied: Copied) -> None:
    if state is None:
        return
    fresh = state.with_name(f"{state.name}.new")
    fresh.write_bytes(orjson.dumps({"what": what, "copied": asdict(copied)}))
    fresh.replace(state)


def restore(archive: Archive, target: ReadingStore, tell: Progress) -> Copied:
    """A backup into a store, each file looked at afterwards; `tell` counts readings.

    Raises:
        InputError: the backup is damaged; nothing was written.
    """
    archive.check()
    copied = Copied()
    for batch in archive.batches():
        _take(target, batch, copied)
        tell(copied.rows, archive.manifest.rows)
    _take_events(archive.events(), target, copied)
    return copied


def back_up(source: Source, writer: ArchiveWriter, tell: Progress) -> Manifest:
    """Everything into a backup; `tell` counts days of data."""
    extent = source.extent()
    if extent is not None:
        groups = list(_groups(source.series()))
        days = _days(extent[1] + 1 - extent[0])
        for number, (_, keys) in enumerate(groups):
            for batch, until_ms in _slices(source, keys, extent[0], extent[1] + 1):
                writer.add(batch)
                tell(number * days + _days(until_ms - extent[0]), days * len(groups))
    return writer.finish(source.events(start_ms=0, end_ms=2**60))
