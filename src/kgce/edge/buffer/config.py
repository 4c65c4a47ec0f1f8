"""The table `[buffer]`: how much waits on disk, for how long, and what it outlives."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.core import Durability
from kgce.edge.buffer.space import Bounds
from kgce.edge.tables import Table

_MB: Final = 1024 * 1024
_HOURS_A_DAY: Final = 24.0


class BufferTable(Table):
    """Bounds of the buffer; changing them never touches what waits."""

    max_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    max_days: Annotated[float, Field(gt=0, le=3650)] | None = None  # what is older is dropped, with a record
    min_free_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 64  # left on the disk to others
    min_free_percent: Annotated[float, Field(ge=0, le=50)] = 5.0
    durability: Durability = Durability.FULL

    @property
    def bounds(self) -> Bounds:
        """The same in bytes and hours."""
        return Bounds(
            self.max_mb * _MB,
            max_age_h=None if self.max_days is None else self.max_days * _HOURS_A_DAY,
            min_free_bytes=self.min_free_mb * _MB,
            min_free_share=self.min_free_percent / 100,
        )

    def make(self, folder: Path, *, clock: Callable[[], float] = time.time) -> Buffer:
        """The buffer in this folder.

        Raises:
            ConfigError: another gateway holds it, or it is of a newer kgce.
        """
        return Buffer(folder, bounds=self.bounds, durability=self.durability, clock=clock)
