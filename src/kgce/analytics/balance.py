"""Balance: what a main meter shows beyond the meters behind it; a finding where they cannot both be right."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Amounts
from kgce.domain.carriers import CARRIERS
from kgce.domain.findings import Finding
from kgce.domain.tree import Point

TOLERANCE: Final = 0.02  # of the main meter: two class 1 meters; beyond it the sub-meters show more than there is
UNMETERED: Final = 0.15  # of the main meter: a rest above it is worth a meter of its own; house rule
_NEEDED: Final = 0.95  # coverage below which nothing is said


def balance_findings(
    points: Sequence[Point],
    months: Amounts,
    *,
    year: int,
    tolerance: float = TOLERANCE,
    unmetered: float = UNMETERED,
) -> list[Finding]:
    """Findings on main meters with sub-meters of the same carrier.

    Args:
        points: (n,) with the meter each hangs behind in its role.
        months: (n, 12) gross amounts; a month in which the main or any sub-meter is not known is left out.
        year: of the months.
        tolerance: share of the main by which the sub-meters may exceed it; on it, nothing is said.
        unmetered: share of the main that may be metered by nobody; on it, nothing is said.

    Returns:
        `balance.exceeded` where the sub-meters show more than their main, `balance.unmetered` where much is missing.
    """
    place_of = {(point.series.institution, point.series.point_id): row for row, point in enumerate(points)}
    behind: dict[int, list[int]] = {}
    for row, point in enumerate(points):
        above = place_of.get((point.series.institution, point.role.parent)) if point.role.parent else None
        if above is not None and above != row and points[above].carrier == point.carrier:
            behind.setdefault(above, []).append(row)
    return [
        finding
        for main, subs in sorted(behind.items())
        for finding in _judged(points, months, main, subs, year=year, limits=(tolerance, unmetered))
    ]


def _judged(
    points: Sequence[Point],
    months: Amounts,
    main: int,
    subs: Sequence[int],
    *,
    year: int,
    limits: tuple[float, float],
) -> Iterator[Finding]:
    rows = [main, *subs]
    known = np.isfinite(months.amount[rows]).all(axis=0) & (months.coverage[rows] >= _NEEDED).all(axis=0)
    whole = float(months.amount[main, known].sum())
    parts = float(months.amount[np.array(subs)][:, known].sum())
    if not known.any() or whole <= 0:
        return
    point, rest = points[main], whole - parts
    unit = CARRIERS[point.carrier].unit
    evidence = {
        "year": year, "main": point.series.point_id, "subs": [points[row].series.point_id for row in subs],
        "months": int(known.sum()), f"main_{unit}": whole, f"subs_{unit}": parts, "rest_ratio": rest / whole,
    }  # fmt: skip
    tolerance, unmetered = limits
    if rest < -tolerance * whole:
        yield Finding(
            "balance.exceeded", point.series.institution,
            f"the meters behind {point.series.point_id} show {-rest / whole:.1%} more than it does in {year}: "
            "look for a wrong ratio, a wrong unit or a meter that hangs elsewhere", evidence,
        )  # fmt: skip
    elif rest > unmetered * whole:
        yield Finding(
            "balance.unmetered", point.series.institution,
            f"{rest / whole:.1%} of {point.series.point_id} is metered by none behind it in {year}: a meter of its own "
            "would tell what it is", evidence,
        )  # fmt: skip
