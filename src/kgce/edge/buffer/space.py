"""Space: how large the buffer may be now; below the disk's floor it stops growing, and the gateway goes on."""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What limits the buffer, in bytes and hours."""

    max_bytes: int
    max_age_h: float | None = None
    min_free_bytes: int = 64 * 1024 * 1024
    min_free_share: float = 0.05  # of the disk


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk as it is now, in bytes."""

    total: int
    free: int


def disk_of(folder: Path) -> Disk:
    """The disk that holds this folder."""
    found = shutil.disk_usage(folder)
    return Disk(found.total, found.free)


class Space:
    """Knows the bound of the moment; looks at the disk once a second at most."""

    def __init__(
        self, bounds: Bounds, look: Callable[[], Disk], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.bounds = bounds
        self._look = look
        self._monotonic = monotonic
        self._looked_s = -math.inf
        self._frozen_bytes: int | None = None  # how large the file was when the disk ran short
        self._disk = Disk(0, 0)

    @property
    def floor_bytes(self) -> int:
        """So much of the disk is left to others: the larger of the two limits, but never half of a small disk."""
        wanted = max(self.bounds.min_free_bytes, int(self.disk().total * self.bounds.min_free_share))
        return min(wanted, self.disk().total // 2)

    def disk(self) -> Disk:
        """The disk, as it was a second ago at most; one that cannot be asked bounds nothing."""
        now_s = self._monotonic()
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            try:
                self._disk = self._look()
            except OSError:
                self._disk = Disk(0, 0)
        return self._disk

    def is_short(self) -> bool:
        """Whether the disk has less than its floor free."""
        disk = self.disk()
        return disk.total > 0 and disk.free < self.floor_bytes

    def bound(self, file_bytes: int) -> int:
        """How large the content may be, with a file that has `file_bytes` already."""
        if not self.is_short():
            self._frozen_bytes = None
            return self.bounds.max_bytes
        if self._frozen_bytes is None:
            self._frozen_bytes = file_bytes
        return min(self.bounds.max_bytes, self._frozen_bytes)

    def above_floor(self) -> int:
        """Bytes that may still be taken from the disk."""
        disk = self.disk()
        return disk.free - self.floor_bytes if disk.total else self.bounds.max_bytes
