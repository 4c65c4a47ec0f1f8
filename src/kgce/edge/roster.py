"""Roster: batches of many sources as one, so that a commit of a hundred meters costs little more than that of one.

A source that polls hands over the very same series table every time. Tables that come back are joined to one long one;
a row's series is then found by an offset, and everything worked out per table (by_table.py) is worked out once.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch
from kgce.domain.tree import Series

_MOST_SERIES: Final = 200_000
_MOST_STRANGERS: Final = 2048  # sources that make a new table for every message must not fill the memory
_PATIENCE: Final = 8  # groups; a table that came back waits for others, so that a thousand are not joined one by one
_MOST_ROWS: Final = 5000  # in one batch

Table = tuple[Series, ...]


class JoinedTable(tuple[Series, ...]):  # noqa: SLOT001 - it has two fields of its own
    """The series of several tables, one after the other."""

    tables: tuple[Table, ...]
    starts: npt.NDArray[np.int64]  # (t,) where each begins

    @classmethod
    def of(cls, tables: Sequence[Table]) -> Self:
        """Join them."""
        made = cls(chain.from_iterable(tables))
        made.tables = tuple(tables)
        made.starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
        return made


class Roster:
    """Knows the tables that come back; not thread-safe."""

    def __init__(self) -> None:
        self._all = JoinedTable.of(())
        self._offsets: dict[int, int] = {}  # id of a table -> where it begins in the joined one, which keeps it alive
        self._waiting: dict[int, Table] = {}  # came back, not yet joined
        self._strangers: dict[int, Table] = {}
        self._groups = 0

    def joined(self, batches: Iterable[Batch]) -> list[Batch]:
        """The same rows in fewer batches; rows of one table stay in their order."""
        given = [batch for batch in batches if len(batch)]
        if len(given) == 1:
            return given
        for batch in given:
            if id(batch.series) not in self._offsets:
                self._meet(batch.series)
        self._welcome()
        strangers = [batch for batch in given if id(batch.series) not in self._offsets]
        known = [batch for batch in given if id(batch.series) in self._offsets]
        return strangers + [self._one(part) for part in _parts(known)]

    def _meet(self, table: Table) -> None:
        if id(table) in self._strangers:
            self._waiting[id(table)] = self._strangers.pop(id(table))
        elif id(table) not in self._waiting:
            if len(self._strangers) >= _MOST_STRANGERS:
                self._strangers.clear()
            self._strangers[id(table)] = table

    def _welcome(self) -> None:
        """Make the joined table longer, when it is worth the trouble."""
        self._groups += 1
        if not self._waiting or (len(self._waiting) <= len(self._offsets) // 10 and self._groups < _PATIENCE):
            return
        self._groups = 0
        tables = (*self._all.tables, *self._waiting.values())
        if sum(len(table) for table in tables) > _MOST_SERIES:
            tables = tuple(self._waiting.values())  # configurations came and went: begin anew
        self._all = JoinedTable.of(tables)
        self._offsets = {id(table): start for table, start in zip(tables, self._all.starts.tolist(), strict=True)}
        self._waiting = {}

    def _one(self, batches: Sequence[Batch]) -> Batch:
        if len(batches) == 1:
            return batches[0]
        return Batch(
            self._all,
            np.concatenate([batch.index + np.int32(self._offsets[id(batch.series)]) for batch in batches]),
            np.concatenate([batch.time_ms for batch in batches]),
            np.concatenate([batch.value for batch in batches]),
            np.concatenate([batch.quality for batch in batches]),
        )


def _parts(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Runs of at most _MOST_ROWS rows, or of one batch."""
    part: list[Batch] = []
    rows = 0
    for batch in batches:
        if part and rows + len(batch) > _MOST_ROWS:
            yield part
            part, rows = [], 0
        part.append(batch)
        rows += len(batch)
    if part:
        yield part
