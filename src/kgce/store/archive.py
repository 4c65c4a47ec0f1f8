"""Archive: a backup, a folder of Parquet files that any tool reads.

readings-00001.parquet ...  institution, device, quantity, measurement, building, region, time_ms, value, quality
events.parquet              gateway, time_ms, id, subject, severity, message, evidence (JSON)
manifest.json               counts, checksum of the readings, SHA-256 of every file
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import numpy as np
import orjson

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.ports import StoredEvent
from kgce.domain.tree import Series
from kgce.store.checksum import checksum
from kgce.store.events import event_of, event_rows

MANIFEST: Final = "manifest.json"
EVENTS: Final = "events.parquet"
_FORMAT: Final = 1
_NAMES: Final = ("institution", "device", "quantity", "measurement", "building", "region")
_ROWS: Final = 1_000_000  # of one file, about
_EVENT_COLUMNS: Final = ("gateway", "time_ms", "id", "subject", "severity", "message", "evidence")


@dataclass(slots=True)
class Manifest:
    """What a backup holds."""

    source: str
    created: str
    rows: int = 0
    events: int = 0
    checksum: int = 0
    files: dict[str, str] = field(default_factory=dict)  # name -> SHA-256


class ArchiveWriter:
    """Writes beside the place, and puts the folder there once it is whole."""

    def __init__(self, folder: Path, source: str) -> None:
        """Begin.

        Raises:
            ConfigError: there is something at the place already.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder} is not empty: choose another folder for the backup")
        self._folder = folder
        self._part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)
        self.manifest = Manifest(source, datetime.now(UTC).isoformat(timespec="seconds"))
        self._waiting: list[Batch] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self._part, ignore_errors=True)

    def add(self, batch: Batch) -> None:
        """Take readings."""
        self._waiting.append(batch)
        self._rows += len(batch)
        if self._rows >= _ROWS:
            self._write()

    def finish(self, events: list[StoredEvent]) -> Manifest:
        """Write the rest, and put the folder in its place."""
        self._write()
        rows = [row for one in events for row in event_rows(one.gateway, [one.event])]
        columns = {name: np.array([row[at] for row in rows], object) for at, name in enumerate(_EVENT_COLUMNS)}
        columns["time_ms"] = columns["time_ms"].astype(np.int64)
        self._save(EVENTS, columns)
        self.manifest.events = len(rows)
        document = {"format": _FORMAT, **{name: getattr(self.manifest, name) for name in Manifest.__slots__}}
        (self._part / MANIFEST).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        if self._folder.exists():
            self._folder.rmdir()
        self._part.replace(self._folder)
        return self.manifest

    def _write(self) -> None:
        batch = Batch.concat(self._waiting)
        self._waiting, self._rows = [], 0
        if not len(batch):
            return
        columns: dict[str, Any] = {
            name: np.array([getattr(series, name) for series in batch.series], object)[batch.index] for name in _NAMES
        }
        columns |= {"time_ms": batch.time_ms, "value": batch.value, "quality": batch.quality}
        self._save(f"readings-{len(self.manifest.files) + 1:05}.parquet", columns)
        self.manifest.rows += len(batch)
        self.manifest.checksum = (self.manifest.checksum + checksum(batch)) % 2**64

    def _save(self, name: str, columns: dict[str, Any]) -> None:
        path = self._part / name
        quoted = str(path).replace("'", "''")
        with duckdb.connect() as database:
            database.register("columns", columns)
            database.execute(f"copy (select * from columns) to '{quoted}' (format parquet, compression zstd)")  # noqa: S608
        self.manifest.files[name] = _digest(path)


class Archive:
    """Reads a backup."""

    def __init__(self, folder: Path) -> None:
        """Look at the manifest.

        Raises:
            ConfigError: there is no backup there, or one of a later kgce.
        """
        try:
            document = orjson.loads((folder / MANIFEST).read_bytes())
            if document.pop("format") != _FORMAT:
                raise ConfigError(f"{folder} is a backup of a later kgce: upgrade kgce")
            self.manifest = Manifest(**document)
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder} holds no backup of kgce: give the folder that `kgce store backup` made"
            ) from error
        self._folder = folder

    def check(self) -> None:
        """Make sure that every file is there as it was written.

        Raises:
            InputError: one is missing or was changed.
        """
        for name, digest in self.manifest.files.items():
            path = self._folder / name
            if not path.exists() or _digest(path) != digest:
                raise InputError(f"{path} is missing or damaged: restore from another backup")

    def batches(self) -> Iterator[Batch]:
        """The readings, file by file."""
        for name in sorted(self.manifest.files):
            if name != EVENTS:
                yield self._batch(name)

    def events(self) -> list[StoredEvent]:
        """The events, by time."""
        with duckdb.connect() as database:
            found = database.execute("select * from read_parquet(?)", [str(self._folder / EVENTS)]).fetchall()
        return [event_of(row) for row in found]

    def _batch(self, name: str) -> Batch:
        path = str(self._folder / name)
        names = ", ".join(_NAMES)
        with duckdb.connect() as database:
            number = f"dense_rank() over (order by {names}) - 1 as number"
            database.execute(f"create table rows as select *, {number} from read_parquet(?)", [path])  # noqa: S608
            series = database.execute(f"select distinct number, {names} from rows order by number").fetchall()  # noqa: S608
            columns = database.execute("select number, time_ms, value, quality from rows").fetchnumpy()
        return Batch.of(
            [Series(*row[1:]) for row in series],
            columns["number"],
            columns["time_ms"],
            np.ma.filled(columns["value"], np.nan),
            columns["quality"],
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
