"""CheckMemory: what the checks know outlives a restart, so that a counter reset meanwhile is still judged.

<folder>/checks.json, once a minute and at the end; a damaged file costs only the memory.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

log: Final = logging.getLogger(__name__)

_SAVE_S: Final = 60.0
_FORMAT: Final = 1


class Remembers(Protocol):
    """What has a memory worth keeping: `Intake` asks its checks, under its lock."""

    def checks_state(self) -> Mapping[str, Any]:
        """Fit for JSON."""
        ...


def restore(folder: Path, checks_restore: Callable[[Mapping[str, Any]], None]) -> None:
    """Give the checks what was saved last, if anything readable was."""
    path = folder / "checks.json"
    try:
        document = orjson.loads(path.read_bytes())
        if document["format"] == _FORMAT:
            checks_restore(document)
    except FileNotFoundError:
        return
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("%s cannot be read (%r): the checks start without a memory", path, error)


class CheckMemory:
    """A companion of the gateway."""

    def __init__(self, folder: Path, of: Remembers) -> None:
        self._path, self._of = folder / "checks.json", of

    async def run(self) -> None:
        """Save each minute until cancelled."""
        while True:
            await asyncio.sleep(_SAVE_S)
            await asyncio.to_thread(self.save)

    def save(self) -> None:
        """Replace the file, whole or not at all; a disk that takes nothing costs only the memory."""
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(
                    orjson.dumps({"format": _FORMAT, **self._of.checks_state()}, option=orjson.OPT_SERIALIZE_NUMPY)
                )
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            log.debug("the checks' memory cannot be saved: %s", error)
