"""Derived series: what was worked out from readings, for those who draw it from the readings' own store (Grafana).

A copy for showing: it is never read back, and all of it can be written again from the ledgers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from kgce.domain.batch import FloatArray, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """Rows (n) of one measurement: tags name a row, fields are its numbers.

    tags: (n,) texts by name, empty = not stated; fields: (n,) by name, NaN = unknown; time_ms: (n,) start of what the
    row speaks of. UTC. [ms]. A row of the same tags and time replaces the one before.
    """

    measurement: str
    tags: Mapping[str, Sequence[str]]
    fields: Mapping[str, FloatArray]
    time_ms: Int64Array

    def __len__(self) -> int:
        return len(self.time_ms)

    def select(self, rows: np.ndarray) -> "Derived":
        """These rows, by position or mask."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Derived(
            self.measurement,
            {name: [texts[place] for place in places.tolist()] for name, texts in self.tags.items()},
            {name: values[places] for name, values in self.fields.items()},
            self.time_ms[places],
        )


@runtime_checkable
class DerivedSink(Protocol):
    """A store that keeps derived series beside the readings."""

    def put_derived(self, rows: Derived) -> None:
        """Write the rows over those of the same tags and time.

        Raises:
            StoreUnavailable: no answer; some may be written, writing them again is harmless.
            InputError: a row is rejected for good.
        """
        ...
