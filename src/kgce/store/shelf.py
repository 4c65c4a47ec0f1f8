"""FolderShelf: named arrays as files that are whole or absent, whatever was killed when."""

import contextlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np

from kgce.domain.errors import StoreUnavailable

_LOG: Final = logging.getLogger(__name__)
_DAMAGE: Final = (zipfile.BadZipFile, ValueError, EOFError, KeyError)


class FolderShelf:
    """Arrays in a folder, one .npz file for each name; `/` in a name makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was saved under a name; None where nothing is, or where it is damaged: that file is put aside."""
        path = self._path(name)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be read: {error.strerror or error}") from error
        except _DAMAGE as error:
            _LOG.warning("%s is damaged (%s): it is worked out anew", path, error)
            path.replace(path.with_suffix(".damaged"))
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
        *folders, last = (quote(part, safe="") for part in name.split("/"))
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
