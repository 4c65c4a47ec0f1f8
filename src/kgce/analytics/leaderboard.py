"""Leaderboard: who leads its peers by an indicator, who does not, and why, as rows that can be shown and frozen.

standing.py --Standing--> here --document--> command line, API, publications
"""

from typing import Any

from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.analytics.standing import Standing
from kgce.analytics.sureness import Sureness, sureness


def leaderboard(found: Standing, indicator: Indicator) -> dict[str, Any]:
    """The whole list with its definition, factor set and notes; JSON-able.

    Rows: everybody with attributes or a figure, by peer group; those who may lead first, by rank.
    """
    definition = DEFINITIONS[indicator]
    return {
        "year": found.year,
        "indicator": str(indicator),
        "unit": definition.unit,
        "definition": {"version": definition.version, "clause": definition.clause, "divisor": str(definition.divisor)},
        "factor_set": found.factor_set.id,
        "notes": list(found.notes),
        "rows": _rows(found, indicator),
    }


def _rows(found: Standing, indicator: Indicator) -> list[dict[str, Any]]:
    sure = sureness(found, indicator)
    labels = found.groups.labels(found.names)
    rows = [
        _row(found, indicator, sure, row, labels[int(found.groups.group[row])])
        for row in range(len(found.institutions))
        if found.is_concerned(row, indicator)
    ]
    return sorted(
        rows, key=lambda row: (row["group"], not row["is_leader_possible"], row["rank"] or 1 << 30, row["institution"])
    )


def _row(found: Standing, indicator: Indicator, sure: Sureness, row: int, group: str) -> dict[str, Any]:
    one, institution = found.assessments[indicator], found.institutions[row]
    quota = found.quota_of(row, indicator)
    return {
        "institution": institution.id, "name": institution.name, "class": found.kinds[row].peer_class,
        "group": group, "is_leader_possible": not int(one.gated.bits[row]),
        "rank": int(one.placed.rank[row]) or None, "value": _number(one.figures.value[row]),
        "ratio_to_mean": _number(one.placed.ratio[row]), "points": _number(one.placed.points[row]),
        "percentile": _number(one.placed.percentile[row]), "coverage_ratio": float(one.figures.coverage[row]),
        "estimated_ratio": float(one.figures.estimated[row]),
        "numerator": _number(one.figures.numerator[row]), "divisor": _number(one.figures.divisor[row]),
        "months": int(one.figures.months[row]),
        "leads_share": _number(sure.leads_share[row]), "score": _number(sure.score[row]),
        "score_low": _number(sure.low[row]), "score_high": _number(sure.high[row]),
        "grade": found.grade(row, indicator).name.lower(),
        "quota": None if quota is None else f"{quota.standard.id} {quota.clause} ({quota.confidence})",
        "why_no_quota": found.why_no_quota(row, indicator) if quota is None else None,
        "reasons_en": found.why(row, indicator, "en"), "reasons_zh": found.why(row, indicator, "zh"),
    }  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if value == value else None  # noqa: PLR0124 - NaN is the one that is not itself
