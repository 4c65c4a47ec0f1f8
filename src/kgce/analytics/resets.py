"""Resets: registers that fell and stayed there, until somebody says what happened."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from kgce.analytics.ledger.amounts import Flag
from kgce.analytics.ledger.year_ledger import YearLedger
from kgce.domain.changes import ChangeKind, MeterChange
from kgce.domain.findings import Finding
from kgce.domain.tree import Point

_MONTH_MS: Final = 31 * 86_400_000


def reset_findings(
    ledger: YearLedger, points: Sequence[Point], changes: Sequence[MeterChange], day_edges_ms: Sequence[np.ndarray]
) -> list[Finding]:
    """`counter.reset` for each day of a point in which its register fell, unless somebody confirmed it.

    Args:
        ledger: a year of n points.
        points: (n,) in the ledger's order.
        changes: declared ones; a confirmed reset within a month of it silences the finding.
        day_edges_ms: (d + 1,) edges of the days of each month. UTC. [ms]
    """
    confirmed: dict[tuple[str, str, str], list[int]] = {}
    for change in changes:
        if change.kind is ChangeKind.RESET_CONFIRMED:
            confirmed.setdefault(change.key, []).append(change.at_ms)
    starts = np.concatenate([edges[:-1] for edges in day_edges_ms])
    suspicious = np.flatnonzero((ledger.month.flags & np.uint8(Flag.RESET)).any(axis=1))
    found = []
    for row in suspicious.tolist():
        days = np.flatnonzero(ledger.day.flags[row] & np.uint8(Flag.RESET))
        first = starts[days[np.flatnonzero(np.diff(days, prepend=-2) > 1)]] if len(days) else starts[:0]
        for moment in first.tolist():
            if any(abs(moment - said) <= _MONTH_MS for said in confirmed.get(ledger.keys[row], ())):
                continue
            point = points[row]
            day = np.datetime_as_string(np.datetime64(moment, "ms"), unit="D")
            found.append(
                Finding(
                    "counter.reset", point.series.institution,
                    f"{point.series.point_id} fell around {day} (UTC) and stayed there: nobody knows what was used "
                    "in between; kgce meter replace if the meter was swapped, kgce meter confirm if it was reset",
                    {"point": point.series.point_id, "day_ms": moment, "year": ledger.year},
                )
            )  # fmt: skip
    return found
