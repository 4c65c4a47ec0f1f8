"""What a rule that remembers looks like: it judges a batch, and learns from it only once the batch is safe.

batch --judge--> Verdict: rows to mark, events with evidence, `learn` (called when the batch is durable)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from kgce.domain.batch import UNUSABLE, Batch, BoolArray, Quality, UInt8Array
from kgce.domain.events import Event, Severity
from kgce.domain.tree import Series

# numpy takes an IntFlag for a 64-bit number, which a column of bytes cannot hold.
SUSPECT: Final = np.uint8(Quality.SUSPECT)
TIME_UNSURE: Final = np.uint8(Quality.TIME_UNSURE)
UNUSABLE_BITS: Final = np.uint8(UNUSABLE)
NO_BASELINE: Final = np.uint8(UNUSABLE | Quality.TIME_UNSURE)  # nothing is compared with readings that bear these


def _nothing() -> None:
    """Nothing to learn."""


@dataclass(slots=True)
class Verdict:
    """What one rule says of one batch."""

    marks: list[tuple[str, list[int], np.uint8]] = field(default_factory=list)  # name, rows, bit
    events: list[Event] = field(default_factory=list)
    learn: Callable[[], None] = _nothing

    def tell(
        self, event_id: str, time_ms: int, subject: str, severity: Severity, text: str, **evidence: float | str
    ) -> None:
        """Record an event once the batch is safe."""
        self.events.append(Event(event_id, time_ms, subject, severity, f"{subject}: {text}", evidence))


class Rule(Protocol):
    """One idea of what cannot be true; not thread-safe."""

    def judge(self, batch: Batch, quality: UInt8Array, now_ms: int) -> Verdict:
        """Judge rows that earlier rules left with these bits."""
        ...


def subject_of(series: Series) -> str:
    """The metering point, as events name it."""
    return "/".join(series.key)


def rows_of(batch: Batch, quality: UInt8Array, wanted: BoolArray) -> Iterator[tuple[int, int, int, float]]:
    """(row, series position, time, value) of usable rows of the wanted series, in the batch's order."""
    if not wanted.any():
        return
    rows = np.flatnonzero(wanted[batch.index] & ((quality & NO_BASELINE) == 0))
    yield from zip(
        rows.tolist(), batch.index[rows].tolist(), batch.time_ms[rows].tolist(), batch.value[rows].tolist(), strict=True
    )
