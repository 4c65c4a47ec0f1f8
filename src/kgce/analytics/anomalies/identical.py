"""Identical figures: several units that state the very same amounts, so one was copied from the other."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.findings import Finding

MIN_DIGITS: Final = 4
MIN_MONTHS: Final = 3
_CLOSE: Final = 1e-9  # of a figure: that near to a rounder one it is the rounder one


def identical_years(
    subjects: Sequence[str], carriers: Sequence[str], amounts: FloatArray, *, year: int
) -> list[Finding]:
    """`figures.identical` for units whose telling figures of a year agree in two carriers or more.

    A figure tells when it needs four significant digits or more: 0, 50, 1200 and 35 000 are estimates and small
    numbers that many units share honestly. One carrier alone never counts: four digits over three decades are some
    27 000 values, so among 80 000 units a hundred thousand pairs agree in one of them by chance, in two some handful,
    and real figures have more digits than four.

    Args:
        subjects: n institutions.
        carriers: k codes.
        amounts: (n, k) yearly amounts; NaN = unknown, equal to nothing.
        year: of the amounts.

    Returns:
        One finding per set of units, with every carrier they agree in; its subject is the first unit.
    """
    is_telling = telling(amounts)
    agreeing: dict[tuple[int, ...], set[int]] = {}
    for pair in combinations(range(len(carriers)), 2):
        for rows in _equal_rows(amounts, is_telling, pair):
            agreeing.setdefault(rows, set()).update(pair)
    return _findings(subjects, amounts, agreeing, "carriers", lambda place: carriers[place], {"year": year})


def identical_months(subjects: Sequence[str], carrier: str, months: FloatArray, *, year: int) -> list[Finding]:
    """`figures.identical` for units whose telling figures of a carrier agree in three months in a row or more.

    What tells is as for years. Months of one unit resemble each other, so one month that agrees by chance draws the
    next one near it: given the first, two more equal ones remain a chance of one in a million. In a row, because
    forms are filled in and copied by the quarter.

    Args:
        subjects: n institutions.
        carrier: code.
        months: (n, 12) amounts; NaN = unknown, equal to nothing.
        year: of the months.

    Returns:
        One finding per set of units, with every month they agree in; its subject is the first unit.
    """
    is_telling = telling(months)
    agreeing: dict[tuple[int, ...], set[int]] = {}
    for first in range(months.shape[1] - MIN_MONTHS + 1):
        triple = tuple(range(first, first + MIN_MONTHS))
        for rows in _equal_rows(months, is_telling, triple):
            agreeing.setdefault(rows, set()).update(triple)
    evidence = {"year": year, "carrier": carrier}
    return _findings(subjects, months, agreeing, "months", lambda place: f"{year}-{place + 1:02d}", evidence)


def telling(amounts: FloatArray) -> BoolArray:
    """Which figures of any shape need four significant digits or more; never NaN, zero or negative ones."""
    known = np.isfinite(amounts) & (amounts > 0)
    size = np.where(known, amounts, 1.0)
    scaled = size / 10.0 ** (np.floor(np.log10(size)) - (MIN_DIGITS - 2))  # three digits before the point
    return np.asarray(known & (np.abs(scaled - np.round(scaled)) > _CLOSE * scaled), np.bool_)


def _equal_rows(figures: FloatArray, is_telling: BoolArray, columns: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sets of two rows or more that are equal and telling in all the columns."""
    chosen = list(columns)
    rows = np.flatnonzero(is_telling[:, chosen].all(axis=1))
    figures = figures[rows][:, chosen]
    order = np.lexsort(figures.T)
    is_next_same = (figures[order][1:] == figures[order][:-1]).all(axis=1)
    if not is_next_same.any():
        return
    breaks = np.flatnonzero(~is_next_same) + 1
    edges = np.concatenate(([0], breaks, [len(order)]))
    for place in np.flatnonzero(np.diff(edges) > 1).tolist():
        yield tuple(np.sort(rows[order[edges[place] : edges[place + 1]]]).tolist())


def _findings(  # noqa: PLR0917 - two callers beside it
    subjects: Sequence[str],
    figures: FloatArray,
    agreeing: dict[tuple[int, ...], set[int]],
    what: str,
    name: Callable[[int], str],
    evidence: dict[str, object],
) -> list[Finding]:
    findings = []
    for rows, places in sorted(agreeing.items()):
        units, columns = [subjects[row] for row in rows], sorted(places)
        names = [name(place) for place in columns]
        findings.append(
            Finding(
                "figures.identical",
                units[0],
                f"{len(units)} units state the same figures for {', '.join(names)}: find out which one was measured",
                {
                    **evidence,
                    "institutions": units,
                    what: names,
                    "amounts": [float(figures[rows[0], place]) for place in columns],
                },
            )
        )
    return findings
