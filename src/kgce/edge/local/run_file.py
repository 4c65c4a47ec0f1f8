"""RunFile: `<folder>/local.json`, which says that this gateway runs, as which process, and where its page is."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

_NAME: Final = "local.json"


@dataclass(frozen=True, slots=True)
class Running:
    """What the file says."""

    url: str
    pid: int
    started_ms: int


class RunFile:
    """Written when the page is there, gone when the gateway has ended properly."""

    def __init__(self, folder: Path, started_ms: int) -> None:
        self._path, self._started_ms = folder / _NAME, started_ms

    @contextlib.contextmanager
    def says(self, url: str) -> Iterator[None]:
        """The file is there for as long as the page is; a disk that takes no file costs only the file."""
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            fresh.write_bytes(orjson.dumps(asdict(Running(url, os.getpid(), self._started_ms))))
            fresh.replace(self._path)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def running(folder: Path) -> Running | None:
    """The gateway that says it runs in this folder, if its process is alive."""
    try:
        found = Running(**orjson.loads((folder / _NAME).read_bytes()))
        os.kill(found.pid, 0)
    except PermissionError:
        return found  # alive, of another user
    except (OSError, orjson.JSONDecodeError, TypeError):
        return None
    return found
