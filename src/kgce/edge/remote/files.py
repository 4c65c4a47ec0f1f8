"""Files that are whole or not there: written beside their place, forced to the disk, then renamed into it."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file so that a power cut leaves the old or the new one (as far as the disk honours fsync).

    Raises:
        OSError: the disk takes nothing; what was there is there still.
    """
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove the file for good; one that is not there is fine."""
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
