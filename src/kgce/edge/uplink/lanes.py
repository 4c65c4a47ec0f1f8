"""Lanes: which parcel goes next. Live goes in order; what waited follows, the newest of it first, at a bounded rate.

buffer:   1 2 3 4 5 6 7  |  8 9
          <---- history  |  live ---->
"""

import time
from collections.abc import Callable
from typing import Final

from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import UplinkTable

_LEAST_ROWS: Final = 100
_SLOW_S: Final = 5.0  # a parcel that takes longer is too large for this sink
_QUICK_S: Final = 1.0
_FULL_IN_A_ROW: Final = 5  # so many full parcels of live rows: the sink is behind, what waits becomes history


class Lanes:
    """Picks parcels; called from one thread at a time."""

    def __init__(self, buffer: Buffer, table: UplinkTable, *, clock: Callable[[], float] = time.monotonic) -> None:
        """What waits already is history. `clock` is monotonic, in seconds."""
        self._buffer = buffer
        self._table = table
        self._clock = clock
        self._boundary = buffer.newest_seq()
        self._tokens = table.catch_up_rows_per_s  # rows of history that may go now
        self._filled_s = clock()
        self._rows = table.rows_per_message
        self._full_live = 0
        self._was_live = False
        self._down_s: float | None = None

    def next(self, *, unlimited: bool = False) -> Parcel | None:
        """The next parcel, leased; None when nothing may go now. `unlimited` lets history go as fast as it can."""
        lanes = (self._history, self._live) if self._was_live else (self._live, self._history)
        for lane in lanes:
            parcel = lane(unlimited=unlimited)
            if parcel is not None:
                self._was_live = lane == self._live
                return parcel
        return None

    def delivered(self, parcel: Parcel, took_s: float) -> None:
        """It is safe; sizes follow how long that took."""
        self._down_s = None
        if took_s > _SLOW_S:
            self._rows = max(_LEAST_ROWS, self._rows // 2)
        elif took_s < _QUICK_S:
            self._rows = min(self._table.rows_per_message, self._rows * 2)
        if parcel.last <= self._boundary:
            self._tokens -= len(parcel)
            return
        self._full_live = self._full_live + 1 if len(parcel) >= self._rows else 0
        if self._full_live >= _FULL_IN_A_ROW:
            self._make_history()

    def failed(self) -> None:
        """The sink did not take it; after a while what waits is history, and the newest goes first."""
        now_s = self._clock()
        if self._down_s is None:
            self._down_s = now_s
        if now_s - self._down_s > self._table.live_window_s:
            self._make_history()

    def retune(self, table: UplinkTable) -> None:
        """Other rates and sizes from here on."""
        self._table = table
        self._rows = min(self._rows, table.rows_per_message)

    @property
    def boundary(self) -> int:
        """Batches up to this number are history."""
        return self._boundary

    def _live(self, *, unlimited: bool) -> Parcel | None:  # noqa: ARG002 - lanes are asked alike
        return self._buffer.peek_oldest(self._rows, after=self._boundary)

    def _history(self, *, unlimited: bool) -> Parcel | None:
        self._fill()
        if not unlimited and self._tokens < 1:
            return None
        return self._buffer.peek_newest(self._rows, upto=self._boundary)

    def _make_history(self) -> None:
        self._boundary = self._buffer.newest_seq()
        self._full_live = 0

    def _fill(self) -> None:
        """One second's worth at most gathers."""
        now_s = self._clock()
        rate = self._table.catch_up_rows_per_s
        self._tokens = min(rate, self._tokens + (now_s - self._filled_s) * rate)
        self._filled_s = now_s
