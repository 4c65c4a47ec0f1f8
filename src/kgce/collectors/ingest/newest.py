"""Newest: the newest readings of what was just kept, told to whoever shows live values."""

from typing import Final

import numpy as np

from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.batch import Batch

TOPIC: Final = "kgce/ingest/live"
_ROWS: Final = 2_000  # of one message: some 250 kB
_MOST_SERIES: Final = 50_000  # told at once; beyond it the rest is seen at the next telling of its gateway


class Newest:
    """Gathers batches between two tellings; a later batch over the same series takes the place of the earlier."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._batches: dict[int, list[Batch]] = {}  # by the table of series, which gateways keep
        self._told = 0

    def add(self, batch: Batch) -> None:
        """What was kept."""
        if not len(batch):
            return
        known = self._batches.setdefault(id(batch.series), [])
        if known and len(batch) >= len(batch.series) and batch.time_ms[-1] >= known[-1].time_ms[-1]:
            known.clear()  # all of its series anew, as nearly always
        known.append(batch)

    def messages(self, now_ms: int) -> list[bytes]:
        """The newest reading of every series since the last telling, in messages that any broker takes."""
        chosen, series = [], 0
        for batches in self._batches.values():
            if series < _MOST_SERIES:
                chosen.append(newest_of(Batch.concat(batches)))
                series += len(batches[0].series)
        self._batches = {}
        rows = Batch.concat(chosen)
        found = []
        for start in range(0, len(rows), _ROWS):
            self._told += 1
            number = Number(f"ingest-{self._worker}", "live", self._told, self._told)
            part = rows.select(np.arange(start, min(start + _ROWS, len(rows))))
            found.append(message.encode(Message(number, now_ms, part)))
        return found


def newest_of(batch: Batch) -> Batch:
    """The newest row of every series; of equal times the later row."""
    order = np.lexsort((batch.time_ms, batch.index))
    last = np.flatnonzero(np.diff(batch.index[order], append=-1))
    return batch.select(order[last])
