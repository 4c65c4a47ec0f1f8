"""History: months and years that do not fit what the same unit stated before."""

from enum import StrEnum
from typing import Final

import numpy as np

from kgce.analytics.anomalies.robust import ROUNDING, noise_of
from kgce.domain.batch import FloatArray
from kgce.domain.findings import Finding

MONTH_LIMIT: Final = 0.3  # house rule: weather and school terms move single months twice as far as years
NOISE_LIMIT: Final = 3.0  # standard deviations of the unit's own months
QUIET_SHARE: Final = 0.25  # of the usual month: months that use less are measured against this much
JUMP_RULE: Final = "house rule, energy_domain.md section 2 (V2)"


class Figure(StrEnum):
    """A yearly figure that has a limit from year to year."""

    AREA = "area"
    PEOPLE = "people"
    ENERGY = "energy"
    WATER = "water"


# Source: energy_domain.md section 2, suggested audit rules: thresholds of an audit tool's validator, V2.
JUMP_LIMIT: Final = {Figure.AREA: 0.20, Figure.PEOPLE: 0.20, Figure.ENERGY: 0.15, Figure.WATER: 0.25}
UNIT: Final = {Figure.AREA: "m2", Figure.PEOPLE: "p", Figure.ENERGY: "kgce", Figure.WATER: "m3"}


def unlike_history(
    subject: str, months: FloatArray, *, year: int, unit: str, limit: float = MONTH_LIMIT
) -> list[Finding]:
    """`month.unlike_history` for months of the last year that differ from the same month of earlier years.

    The limit is the given share, or three standard deviations of the unit's own earlier months where that is more.

    Args:
        subject: the meter or institution.
        months: (years, 12) amounts, the judged year last; NaN = unknown, never zero: neither judged nor compared.
        year: the judged year.
        unit: of the amounts; the evidence names its figures by it.
        limit: largest |month / usual - 1| without a finding.

    Raises:
        ValueError: months is not (years, 12).
    """
    if months.ndim != 2 or months.shape[1] != 12:  # noqa: PLR2004 - a table of months
        raise ValueError(f"expected shape (years, 12), got {months.shape}")
    usual = _month_medians(months[:-1])
    if np.isnan(usual).all():
        return []
    scale = np.maximum(usual, QUIET_SHARE * float(np.nanmean(usual)))
    if not np.nanmax(scale) > 0:
        return []
    noise = noise_of(((months[:-1] - usual) / scale)[_several(months[:-1])])
    allowed = limit if np.isnan(noise) else max(limit, NOISE_LIMIT * noise)
    off = (months[-1] - usual) / scale
    return [
        _month_finding(
            subject, f"{year}-{place + 1:02d}", unit, now=float(months[-1, place]), usual=float(usual[place]),
            deviation=float(off[place]), allowed=allowed,
        )
        for place in np.flatnonzero(np.abs(off) > allowed + ROUNDING).tolist()
    ]  # fmt: skip


def year_jumps(subjects: list[str], *, year: int, figure: Figure, before: FloatArray, now: FloatArray) -> list[Finding]:
    """`year.area_jump`, `year.people_jump`, `year.energy_jump`, `year.water_jump` beyond the limits of the figure.

    Args:
        subjects: n institutions.
        year: of `now`.
        figure: which one; its limit and unit are in JUMP_LIMIT and UNIT.
        before: (n,) figure of the year before; NaN or zero = unknown, no finding.
        now: (n,) figure of the year; NaN = unknown, no finding.

    Source: energy_domain.md section 2: area and people 20 %, energy 15 %, water 25 %; house rule V2.
    """
    limit, unit = JUMP_LIMIT[figure], UNIT[figure]
    change = np.divide(now, before, out=np.full(len(now), np.nan), where=before > 0) - 1.0
    return [
        Finding(
            f"year.{figure}_jump",
            subjects[place],
            f"{figure} of {year} is {now[place]:.6g} {unit}, {change[place]:+.0%} against the year before: "
            "confirm it with a reason or correct it",
            {
                "year": year,
                f"before_{unit}": float(before[place]),
                f"now_{unit}": float(now[place]),
                "change_ratio": float(change[place]),
                "limit_ratio": limit,
                "rule": JUMP_RULE,
            },
        )
        for place in np.flatnonzero(np.abs(change) > limit + ROUNDING).tolist()
    ]


def _month_medians(earlier: FloatArray) -> FloatArray:
    """(12,) median of each month over the years that know it."""
    known = [column[np.isfinite(column)] for column in earlier.T]
    return np.array([np.median(column) if len(column) else np.nan for column in known])


def _several(earlier: FloatArray) -> np.ndarray:
    """(years, 12) months known in two years or more: alone, one lies exactly on its median and tells no noise."""
    known = np.isfinite(earlier)
    return np.asarray(known & (known.sum(axis=0) > 1))


def _month_finding(
    subject: str, month: str, unit: str, *, now: float, usual: float, deviation: float, allowed: float
) -> Finding:
    name = unit.lower()
    return Finding(
        "month.unlike_history",
        subject,
        f"{month} is {now:.6g} {unit} where the same month of earlier years is {usual:.6g} {unit}: "
        "compare with the bill and the meter's reading",
        {
            "month": month,
            f"now_{name}": now,
            f"usual_{name}": usual,
            "deviation_ratio": deviation,
            "limit_ratio": allowed,
        },
    )
