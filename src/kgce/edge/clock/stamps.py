"""Which readings the gateway stamped itself, and their correction once the right time is known.

A source stamps with the gateway's clock while it reads; the row is checked within seconds. So a row whose time lies
within a minute behind the gateway's present was stamped by it, one that lies elsewhere bears its device's own time.
"""

from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray, Int64Array, Quality

OWN_STAMP: Final = np.uint8(128)  # only inside the gateway, on rows that wait for a correction; no Quality bit
_UNSURE: Final = np.uint8(Quality.TIME_UNSURE)
_BEHIND_MS: Final = 60_000  # a slow line reads for so long before its batch is handed over
_AHEAD_MS: Final = 5_000


def is_own(time_ms: Int64Array, now_ms: float) -> BoolArray:
    """(m,) rows the gateway stamped itself, by a clock that says `now_ms`."""
    return (time_ms >= now_ms - _BEHIND_MS) & (time_ms <= now_ms + _AHEAD_MS)


def marked(batch: Batch, own: BoolArray, *, waits: bool) -> Batch:
    """The batch with these rows marked as stamped by a clock nobody trusts; `waits`: for a correction."""
    quality = batch.quality.copy()
    quality[own] |= _UNSURE | OWN_STAMP if waits else _UNSURE
    return Batch(batch.series, batch.index, batch.time_ms, batch.value, quality)


def corrected(batch: Batch, shift_ms: int) -> Batch:
    """The gateway's own stamps shifted to the right time and sure again; device times stay."""
    own = (batch.quality & OWN_STAMP) != 0
    quality = batch.quality.copy()
    quality[own] &= ~(_UNSURE | OWN_STAMP)
    return Batch(
        batch.series, batch.index, np.where(own, batch.time_ms + shift_ms, batch.time_ms), batch.value, quality
    )


def released(batch: Batch) -> Batch:
    """Nobody will ever know the right time: the rows go up as they are, marked TIME_UNSURE."""
    return Batch(batch.series, batch.index, batch.time_ms, batch.value, batch.quality & ~OWN_STAMP)
