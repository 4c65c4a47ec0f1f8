"""Findings of the detectors, saved branch by branch: what did not change keeps what was found the last time.

What was looked at is remembered on the shelf as a digest of the ledger, so a run that was killed looks at the rest.
"""

import hashlib
from typing import Final

import numpy as np

from kgce.analytics.book import Book
from kgce.analytics.indicators import Indicator
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.analytics.outlook import outlook
from kgce.analytics.screening import screen_branch, screen_hours, screen_peers
from kgce.cli.database import Database
from kgce.cli.targets import months_over
from kgce.domain.factors import DEFAULT_FACTOR_SET, factor_set
from kgce.domain.targets import TargetBook

FEW_POINTS: Final = 500  # up to so many, nights and weekends are judged without being asked for


def screen(at: Database, book: Book, year: int, *, nights: bool | None, anew: bool = False) -> int:
    """Look at the branches that changed in a year since they were looked at; how many findings they have.

    Args:
        at: store, registry and shelf.
        book: over them, brought up to date.
        year: which.
        nights: whether hours are looked at, which reads every reading; None = where there are few points.
        anew: look at all of them.

    Raises:
        StoreUnavailable: the store, the registry or the shelf does not answer.
    """
    extent = at.store.extent()
    if extent is None:
        return 0
    hours = len(at.registry.points()) <= FEW_POINTS if nights is None else nights
    count = looked = 0
    for name in book.names():
        kept = book.kept(year, name)
        if kept is None:
            continue
        branch, ledger = kept
        mark, digest = name.at(year).replace("ledger/", "screened/", 1), _digest(ledger, hours=hours)
        before = at.shelf.load(mark)
        if before is not None and np.array_equal(before["digest"], digest) and not anew:
            continue
        found = screen_branch(book, branch, ledger, newest_ms=extent[1])
        found += screen_hours(at.store, at.registry, branch, year) if hours else []
        at.registry.save_findings(f"screen:{year}:{name.region}@{name.timezone}", found)
        at.shelf.save(mark, {"digest": digest})
        count, looked = count + len(found), looked + 1
    if looked:
        found = screen_peers(book, at.registry, year)
        at.registry.save_findings(f"peers:{year}", found)
        count += len(found)
    return count


def warn_early(at: Database, book: Book, year: int) -> int:
    """Findings on who will or may miss a target that somebody has set, from the year so far; how many.

    Raises:
        StoreUnavailable: the store, the registry or the shelf does not answer.
    """
    targets = at.registry.targets()
    found = [
        finding
        for indicator in sorted({Indicator(target.indicator) for target in targets})
        for finding in outlook(
            book,
            at.registry,
            year=year,
            indicator=indicator,
            factor_set=factor_set(DEFAULT_FACTOR_SET),
            targets=TargetBook(targets),
            months=months_over(at.store.extent(), year),
        ).findings()
    ]
    at.registry.save_findings(f"outlook:{year}", found)
    return len(found)


def _digest(ledger: YearLedger, *, hours: bool) -> np.ndarray:
    """Of all that the detectors look at."""
    found = hashlib.blake2b(repr((ledger.keys, hours)).encode(), digest_size=16)
    for amounts in (ledger.month.amount, ledger.month.coverage, ledger.stamp, ledger.newest_ms):
        found.update(np.ascontiguousarray(amounts).tobytes())
    return np.frombuffer(found.digest(), np.uint8)
