"""Dead letters: messages that can never be taken, with the reason, in a folder of bounded size.

One JSON object a line: {"at": ..., "topic": ..., "gateway": ..., "reason": ..., "payload": BASE64}. The newest file is
letters.jsonl; when it is full it moves on to letters.1.jsonl and so forth, and the oldest goes.
"""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from kgce.domain.errors import ConfigError, StoreUnavailable

_NAME: Final = "letters.jsonl"
_FILES: Final = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """A message nobody could take."""

    at: str
    topic: str
    gateway: str
    reason: str
    payload: bytes


class DeadLetters:
    """Writes letters; what `put` returns from is on the disk."""

    def __init__(self, folder: Path, *, file_bytes: int = 10_000_000, clock: Callable[[], float]) -> None:
        """Ten files of `file_bytes` at most; `clock` gives UTC seconds."""
        self.folder = folder
        self._file_bytes = file_bytes
        self._clock = clock

    def put(self, topic: str, gateway: str, payload: bytes, reason: str) -> None:
        """Keep the message.

        Raises:
            StoreUnavailable: the disk does not take it.
        """
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        content = {"at": at, "topic": topic, "gateway": gateway, "reason": reason}
        line = orjson.dumps({**content, "payload": base64.b64encode(payload).decode()}) + b"\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / _NAME
            if path.exists() and path.stat().st_size + len(line) > self._file_bytes:
                self._move_on()
            with path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreUnavailable(f"dead letters cannot be kept in {self.folder}: {error.strerror}") from error

    def _move_on(self) -> None:
        for number in range(_FILES - 1, 0, -1):
            older = self.folder / (f"letters.{number - 1}.jsonl" if number > 1 else _NAME)
            if older.exists():
                older.replace(self.folder / f"letters.{number}.jsonl")


def letters_in(folder: Path) -> Iterator[Letter]:
    """The letters of a folder, oldest first; a line a crash cut short is passed over.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder of dead letters: give the one `kgce ingest` writes to")
    numbered = sorted(folder.glob("letters.*.jsonl"), key=lambda path: -int(path.name.split(".")[1]))
    for path in [*numbered, folder / _NAME]:
        for line in path.read_bytes().splitlines() if path.exists() else []:
            try:
                document = orjson.loads(line)
                at, topic, gateway, reason = (str(document[name]) for name in ("at", "topic", "gateway", "reason"))
                yield Letter(at, topic, gateway, reason, base64.b64decode(document["payload"]))
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                continue


def clear(folder: Path) -> None:
    """Remove every letter."""
    for path in folder.glob("letters*.jsonl"):
        path.unlink()
