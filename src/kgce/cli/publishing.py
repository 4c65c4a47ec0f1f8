"""Publishing: derived series written to a store that keeps them, each only when it has changed.

What was written is remembered on the shelf as a digest of each 31 days, so a quiet night writes nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from kgce.analytics.book import Book
from kgce.analytics.branches import BranchName
from kgce.analytics.deriving import consumption, indicator_rows
from kgce.analytics.grid import Grid
from kgce.analytics.standing import QUOTA_SET, stand
from kgce.cli.database import Database
from kgce.domain.derived import Derived, DerivedSink
from kgce.domain.factors import DEFAULT_FACTOR_SET, chosen_set, factor_set
from kgce.domain.ports import Shelf

SETS: Final = (DEFAULT_FACTOR_SET, QUOTA_SET)  # each figure names its own


def publish(at: Database, sink: DerivedSink, book: Book, year: int, *, anew: bool = False) -> int:
    """Write what changed in a year since the last time, or all of it anew; how many rows.

    Raises:
        StoreUnavailable: no answer; what was not written is written the next time.
    """
    desk = _Desk(at.shelf, sink, anew=anew)
    region_of = {institution.id: institution.region for institution in at.registry.institutions()}
    for name in book.names():
        _publish_branch(desk, book, year, name, region_of)
    for set_id in SETS:
        found = stand(at.store, at.registry, year=year, factor_set=chosen_set(at.registry, set_id), shelf=at.shelf)
        for indicator in found.assessments:
            rows = indicator_rows(found, indicator)
            desk.put(f"derived/{year}/{indicator}@{set_id}", {"year": rows})
    return desk.written


def _publish_branch(desk: "_Desk", book: Book, year: int, name: BranchName, region_of: Mapping[str, str]) -> None:
    for grid in (Grid.MONTH, Grid.DAY):
        table, edges = book.by_building(year, name, grid)
        for set_id in SETS:
            rows = consumption(table, edges, region_of, grid, factor_set(set_id), year=year)
            shelf_name = f"{name.at(year).replace('ledger/', 'derived/', 1)}/{grid}@{set_id}"
            desk.put(shelf_name, dict(_stretches(rows)))


def _stretches(rows: Derived) -> Iterator[tuple[str, Derived]]:
    """Rows by stretches of 31 days; each is written again as a whole."""
    part = rows.time_ms // (31 * 86_400_000)
    for number in np.unique(part).tolist():
        yield str(number), rows.select(part == number)


class _Desk:
    """Writes parts whose digest is not the one remembered, then remembers it."""

    def __init__(self, shelf: Shelf, sink: DerivedSink, *, anew: bool) -> None:
        self._shelf, self._sink, self._anew = shelf, sink, anew
        self.written = 0  # rows

    def put(self, name: str, parts: Mapping[str, Derived]) -> None:
        before = {} if self._anew else self._shelf.load(name) or {}
        now = {key: np.frombuffer(_digest(rows), np.uint8) for key, rows in parts.items()}
        stale = [key for key, digest in now.items() if key not in before or not np.array_equal(before[key], digest)]
        for key in stale:
            self._sink.put_derived(parts[key])
            self.written += len(parts[key])
        if stale:
            self._shelf.save(name, now)


def _digest(rows: Derived) -> bytes:
    found = hashlib.blake2b(rows.time_ms.tobytes(), digest_size=16)
    for texts in rows.tags.values():
        found.update("\0".join(texts).encode())
    for name, values in rows.fields.items():
        found.update(name.encode() + values.tobytes())
    return found.digest()
