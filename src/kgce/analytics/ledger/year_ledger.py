"""YearLedger: one year of one part of the tree, point by point; kept in a file, brought up to date month by month.

block.py --Blocks of changed months--> here --day and month amounts--> accounts.py
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.block import bears_on, month_edges_ms, work_out
from kgce.analytics.ledger.held import HeldReadings
from kgce.analytics.ledger.readings import Readable
from kgce.domain.batch import BoolArray, Int64Array, UInt8Array
from kgce.domain.changes import MeterChange
from kgce.domain.ports import ReadingStore, SeriesKey
from kgce.domain.touched import Touched
from kgce.domain.tree import Point

SETTLE_MS: Final = 180_000  # late rows of the last two minutes are not marked (decision 16); they are looked at again
VERSION: Final = 1  # of the rules behind the amounts: raised with each change of a rule, so that all is worked out anew
MANY_MONTHS: Final = 4  # of a year: from here on one wide read is cheaper than several narrow ones
HELD_AT_ONCE: Final = 400  # points; 15-minute readings of a year of so many are 14 million rows, 300 MB
_COLUMNS: Final = ("amount", "coverage", "provenance", "flags", "estimated")
NEVER_MS: Final = np.iinfo(np.int64).min


@dataclass(slots=True, eq=False)
class YearLedger:
    """Amounts of n points of one time zone in one year, by day (n, d) and by month (n, 12).

    keys: series keys in order; stamp: (n,) digest of role, step and changes; newest_ms: (n,) newest reading worked in;
    done: (n, 12) whether the month was worked out; looked: (n, 12) see block.Looked; cursor: the store's marks known.
    """

    year: int
    timezone: str
    keys: tuple[SeriesKey, ...]
    stamp: npt.NDArray[np.uint64]
    newest_ms: Int64Array
    done: BoolArray
    looked: UInt8Array
    days: Amounts | Callable[[], Amounts]  # or what reads them, for who asks
    month: Amounts
    cursor: int = 0

    @property
    def day(self) -> Amounts:
        """(n, d) amounts by day, read when they are first asked for."""
        if callable(self.days):
            self.days = self.days()
        return self.days

    @classmethod
    def empty(cls, year: int, timezone: str) -> "YearLedger":
        """Without any point."""
        days = int(sum(len(edges) - 1 for edges in month_edges_ms(year, timezone)))
        nothing = np.zeros((0, 12), np.uint8)
        return cls(
            year, timezone, (), np.zeros(0, np.uint64), np.zeros(0, np.int64), nothing.astype(np.bool_), nothing,
            Amounts.missing(0, days), Amounts.missing(0, 12),
        )  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as named arrays, for a shelf."""
        named: dict[str, np.ndarray] = {
            "version": np.array(VERSION), "year": np.array(self.year), "timezone": np.array(self.timezone),
            "keys": np.array(self.keys, np.str_).reshape(-1, 3), "stamp": self.stamp, "newest_ms": self.newest_ms,
            "done": self.done, "looked": self.looked, "cursor": np.array(self.cursor),
        }  # fmt: skip
        for grid, amounts in (("day", self.day), ("month", self.month)):
            named |= {f"{grid}_{name}": np.asarray(getattr(amounts, name)) for name in _COLUMNS}
        return named

    @classmethod
    def of_arrays(cls, named: Mapping[str, np.ndarray]) -> "YearLedger":
        """Read back what `arrays` gave; of another version nothing but the year: all is worked out anew."""
        year, timezone = int(named["year"]), str(named["timezone"])
        if int(named["version"]) != VERSION:
            return cls.empty(year, timezone)
        month = Amounts(*(named[f"month_{name}"] for name in _COLUMNS))
        keys = tuple((str(one[0]), str(one[1]), str(one[2])) for one in named["keys"])
        return cls(
            year, timezone, keys, named["stamp"], named["newest_ms"], named["done"], named["looked"],
            lambda: Amounts(*(named[f"day_{name}"] for name in _COLUMNS)), month, int(named["cursor"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """What an update did: blocks worked out of all there are."""

    worked_out: int
    blocks: int

    def __add__(self, other: "Work") -> "Work":
        return Work(self.worked_out + other.worked_out, self.blocks + other.blocks)


@dataclass(frozen=True, slots=True)
class News:
    """What the store says has changed: its marks, and the newest reading of each series [ms]."""

    touched: Touched
    newest_ms: Mapping[SeriesKey, int] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ReadingStore, after: int) -> "News":
        """Ask the store; the marks first, so that what comes meanwhile is seen the next time."""
        touched = store.touched(after)
        latest = store.latest()
        newest = {
            latest.series[at].key: ms for at, ms in zip(latest.index.tolist(), latest.time_ms.tolist(), strict=True)
        }
        return cls(touched, newest)


def update(
    held: YearLedger,
    points: Sequence[Point],
    store: ReadingStore,
    news: News,
    changes: Iterable[MeterChange] = (),
) -> tuple[YearLedger, Work]:
    """The year with everything the store knows worked in; only months that a change bears on are worked out.

    Args:
        held: as it was; it is not changed.
        points: all of the part, of one time zone; others than before are taken up, missing ones dropped.
        store: where the readings are.
        news: since `held.cursor`.
        changes: declared changes of these meters.

    Raises:
        StoreUnavailable: no answer; `held` stays good.
    """
    if news.touched.cursor < held.cursor:  # another store than the one it was made from
        held = YearLedger.empty(held.year, held.timezone)
    declared: dict[SeriesKey, list[MeterChange]] = {}
    for change in changes:
        declared.setdefault(change.key, []).append(change)
    ordered = sorted(points, key=lambda point: point.series.key)
    keys = tuple(point.series.key for point in ordered)
    stamp = np.array([_stamp(point, declared.get(point.series.key, ())) for point in ordered], np.uint64)
    is_same = keys == held.keys and bool((stamp == held.stamp).all())
    newest = np.array([news.newest_ms.get(key, NEVER_MS) for key in keys], np.int64)
    known = held if is_same else _aligned(held, keys, stamp)
    stale = ~known.done
    row, span = _changed(known, news.touched, newest)
    if len(row):
        stale |= bears_on(ordered, known.looked, month_edges_ms(held.year, held.timezone), row, span)
    seen, cursor = np.maximum(known.newest_ms, newest), news.touched.cursor
    if is_same and not stale.any():
        return replace(held, newest_ms=seen, cursor=cursor), Work(0, stale.size)
    ledger = replace(_copied(held) if is_same else known, newest_ms=seen, cursor=cursor)
    worked = _work(ledger, ordered, store, stale, [change for found in declared.values() for change in found])
    return ledger, Work(worked, stale.size)


def _copied(held: YearLedger) -> YearLedger:
    return replace(
        held, done=held.done.copy(), looked=held.looked.copy(), days=held.day.copy(), month=held.month.copy()
    )


def _work(
    ledger: YearLedger, points: Sequence[Point], store: ReadingStore, stale: BoolArray, changes: Sequence[MeterChange]
) -> int:
    """Work out the stale months; how many blocks. Points stale in many months are read once for all of them."""
    edges = month_edges_ms(ledger.year, ledger.timezone)
    many = np.flatnonzero(stale.sum(axis=1) >= MANY_MONTHS)
    for first in range(0, len(many), HELD_AT_ONCE):
        rows = many[first : first + HELD_AT_ONCE]
        own = [points[row] for row in rows.tolist()]
        held = HeldReadings(store, own, start_ms=int(edges[0][0]), end_ms=int(edges[-1][-1]))
        _work_months(ledger, points, held, _only(stale, rows), edges, changes)
    few = np.flatnonzero(stale.sum(axis=1) < MANY_MONTHS)
    _work_months(ledger, points, store, _only(stale, few), edges, changes)
    return int(stale.sum())


def _only(stale: BoolArray, rows: Int64Array) -> BoolArray:
    chosen = np.zeros_like(stale)
    chosen[rows] = stale[rows]
    return chosen


def _work_months(  # noqa: PLR0917 - the ledger, and what its months are worked out from
    ledger: YearLedger,
    points: Sequence[Point],
    source: Readable,
    stale: BoolArray,
    edges: Sequence[Int64Array],
    changes: Sequence[MeterChange],
) -> None:
    first_day = 0
    for month, days_ms in enumerate(edges):
        rows = np.flatnonzero(stale[:, month])
        days = slice(first_day, first_day + len(days_ms) - 1)
        first_day = days.stop
        if not len(rows):
            continue
        block = work_out(source, [points[row] for row in rows.tolist()], days_ms, ledger.timezone, changes)
        ledger.day.put((rows, days), block.day)
        ledger.month.put((rows, slice(month, month + 1)), block.month)
        ledger.looked[rows, month] = block.looked
        ledger.done[rows, month] = True


def _changed(ledger: YearLedger, touched: Touched, newest: Int64Array) -> tuple[Int64Array, Int64Array]:
    """(m,) rows and (m, 2) spans in which readings were changed or came in order since the last update."""
    place_of = {key: place for place, key in enumerate(ledger.keys)}
    of_series = np.array([place_of.get(series.key, -1) for series in touched.series], np.int64)
    marked = of_series[touched.index] if len(touched) else np.zeros(0, np.int64)
    known = marked >= 0
    came = np.flatnonzero(newest > ledger.newest_ms)
    since = np.maximum(ledger.newest_ms[came], NEVER_MS + SETTLE_MS) - SETTLE_MS
    row = np.concatenate([marked[known], came])
    start = np.concatenate([touched.start_ms[known], since])
    end = np.concatenate([touched.end_ms[known], newest[came] + 1])
    return row, np.stack([start, end], axis=1)


def _aligned(held: YearLedger, keys: tuple[SeriesKey, ...], stamp: npt.NDArray[np.uint64]) -> YearLedger:
    """The held year over these points; a point that is new, or known otherwise now, is not done."""
    place_of = {key: place for place, key in enumerate(held.keys)}
    before = np.array([place_of.get(key, -1) for key in keys], np.int64)
    same = before >= 0
    same[same] &= held.stamp[before[same]] == stamp[same]
    n, days = len(keys), held.day.amount.shape[1]
    fresh = YearLedger(
        held.year, held.timezone, keys, stamp, np.full(n, NEVER_MS), np.zeros((n, 12), np.bool_),
        np.zeros((n, 12), np.uint8), Amounts.missing(n, days), Amounts.missing(n, 12), held.cursor,
    )  # fmt: skip
    rows, old = np.flatnonzero(same), before[same]
    fresh.newest_ms[rows], fresh.done[rows], fresh.looked[rows] = held.newest_ms[old], held.done[old], held.looked[old]
    for mine, theirs in ((fresh.day, held.day), (fresh.month, held.month)):
        mine.put(rows, theirs.row(old))
    return fresh


def _stamp(point: Point, changes: Sequence[MeterChange]) -> int:
    """Digest of everything besides readings that an amount depends on."""
    role = point.role
    facts = (point.kind, point.step, role.width, role.most_per_hour, role.since_ms, role.until_ms, sorted(changes))
    return int.from_bytes(hashlib.blake2b(repr(facts).encode(), digest_size=8).digest())
