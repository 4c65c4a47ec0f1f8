"""Slots: the places of a server that ever held a reading; servers whose fields cannot be deleted mark them instead."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kgce.domain.batch import Batch, BoolArray, Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """One per series and time, by series key then time."""

    batch: Batch
    rev: Int32Array  # (m,) how often it was written over, where the server counts that; else 0
    is_deleted: BoolArray  # (m,) whether nothing stands there any more

    @classmethod
    def empty(cls) -> Self:
        """No place at all."""
        return cls(Batch.empty(), np.empty(0, np.int32), np.empty(0, np.bool_))

    def readings(self) -> Batch:
        """What stands, over the series that have some."""
        return drop_unused(self.batch.select(~self.is_deleted))

    def newest(self) -> "Slots":
        """The last place of every series."""
        index = self.batch.index
        last = np.ones(len(index), np.bool_)
        last[:-1] = index[1:] != index[:-1]
        return Slots(self.batch.select(last), self.rev[last], self.is_deleted[last])


def drop_unused(batch: Batch) -> Batch:
    """The same rows over a table of the series that have some."""
    used, index = np.unique(batch.index, return_inverse=True)
    if len(used) == len(batch.series):
        return batch
    return Batch.of([batch.series[at] for at in used.tolist()], index, batch.time_ms, batch.value, batch.quality)
