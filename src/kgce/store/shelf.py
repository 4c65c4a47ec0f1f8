"""FolderShelf: named arrays as files that are whole or absent, whatever was killed when."""

import contextlib
import logging
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import numpy as np

from kgce.domain.errors import StoreUnavailable

_LOG: Final = logging.getLogger(__name__)
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, OSError)


class _Arrays(Mapping[str, np.ndarray]):
    """Arrays of one file, each read when it is asked for; all of them as they were when the file was opened."""

    def __init__(self, path: Path, handle: BinaryIO) -> None:
        self._path, self._handle = path, handle
        self._file: Any = np.load(handle, allow_pickle=False)

    def __del__(self) -> None:
        self._handle.close()

    def __getitem__(self, key: str) -> np.ndarray:
        try:
            found: np.ndarray = self._file[key]
        except _DAMAGE as error:
            if key not in self._file.files:
                raise
            _put_aside(self._path, error)
            raise StoreUnavailable(f"{self._path} was damaged and is put aside: try again") from error
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)


def _put_aside(path: Path, error: Exception) -> None:
    _LOG.warning("%s is damaged (%s): it is worked out anew", path, error)
    with contextlib.suppress(FileNotFoundError):
        path.replace(path.with_suffix(".damaged"))


class FolderShelf:
    """Arrays in a folder, one .npz file for each name; `/` in a name makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was saved under a name, read when it is asked for; None where nothing is, or where it is damaged.

        Raises:
            StoreUnavailable: it cannot be read; or, when an array is asked for, that array is damaged.
        """
        path = self._path(name)
        try:
            handle = path.open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be read: {error.strerror or error}") from error
        try:
            return _Arrays(path, handle)
        except _DAMAGE as error:
            handle.close()
            _put_aside(path, error)
            return None

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace what lies under a name, wholly or not at all.

        Raises:
            StoreUnavailable: it could not be written; the old one still stands.
        """
        path = self._path(name)
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".new", delete=False) as file:
                temporary = Path(file.name)
                np.savez(file, **arrays)  # type: ignore[arg-type]  # its keywords are arrays, numpy's stub says otherwise
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror or error}") from error

    def _path(self, name: str) -> Path:
        *folders, last = (quote(part, safe="").replace("..", "%2E%2E") for part in name.split("/"))
        return self._folder.joinpath(*folders, f"{last}.npz")


class MemoryShelf:
    """The same in memory, for figures that nobody keeps."""

    def __init__(self) -> None:
        self._held: dict[str, Mapping[str, np.ndarray]] = {}

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was saved under a name."""
        return self._held.get(name)

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep it until the process ends."""
        self._held[name] = arrays
