"""What the ranking shows of its rows: table rows, chart options, choices; no widget, so that tests can read it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from kgce.analytics.figures import RankRow
from kgce.api.console.numbers import MISSING, number, share
from kgce.api.console.style import ACCENT, MUTED, WARN
from kgce.api.console.words import Words

CHART_BARS: Final = 15
OFFICE: Final = "office"
_NAME_LENGTH: Final = 22
_GOOD_COVERAGE: Final = 0.9
_AXIS_PX: Final = 44
_BAR_PX: Final = 28


def columns(words: Words) -> list[dict[str, Any]]:
    """Columns of the table, in the contract's order; the last three leave narrow screens first."""
    wide = {"classes": "wide-only", "headerClasses": "wide-only"}
    reason = {"classes": "wraps wide-only", "headerClasses": "wide-only"}
    return [
        {"name": "rank", "field": "rank", "label": words("rank"), "align": "right"},
        {"name": "name", "field": "name", "label": words("name"), "align": "left", "classes": "wraps"},
        {"name": "class", "field": "class", "label": words("class"), "align": "left", **wide},
        {"name": "value", "field": "value", "label": words("value"), "align": "right"},
        {"name": "coverage", "field": "coverage", "label": words("coverage"), "align": "right"},
        {"name": "percentile", "field": "percentile", "label": words("percentile"), "align": "right", **wide},
        {"name": "reason", "field": "reason", "label": words("reason"), "align": "left", **reason},
    ]


def table_rows(rows: Sequence[RankRow], words: Words) -> list[dict[str, Any]]:
    """Rows as text; Quasar escapes them."""
    return [
        {
            "id": row.institution,
            "rank": MISSING if row.rank is None else str(row.rank),
            "name": row.name or row.institution,
            "class": row.peer_class or words("not_stated"),
            "value": number(row.value),
            "unit": "" if row.value is None else row.unit,
            "coverage": share(row.coverage_ratio),
            "width": f"{row.coverage_ratio:.0%}",
            "low": row.coverage_ratio < _GOOD_COVERAGE,
            "percentile": MISSING if row.percentile is None else f"{row.percentile:.1f}",
            "reason": "" if row.reason is None else words.reason(row.reason),
        }
        for row in rows
    ]


def chosen_rows(rows: Sequence[RankRow], peer_class: str | None, search: str) -> list[RankRow]:
    """Rows of a class (None = all) whose id or name has the text in it, in their order."""
    wanted = search.casefold().strip()
    return [
        row
        for row in rows
        if peer_class in {None, row.peer_class}
        and (wanted in row.name.casefold() or wanted in row.institution.casefold())
    ]


def usual_class(rows: Sequence[RankRow]) -> str | None:
    """Offices, the commonest public institution; else the class with the most ranked; None when nobody is ranked."""
    counts = Counter(row.peer_class for row in rows if row.rank is not None)
    if OFFICE in counts:
        return OFFICE
    return max(counts, key=lambda name: (counts[name], name), default=None)


def lowest(rows: Sequence[RankRow]) -> list[RankRow]:
    """The ranked rows with the lowest values, the lowest first; ties keep their order."""
    ranked = [row for row in rows if row.rank is not None and row.value is not None]
    return sorted(ranked, key=lambda row: row.value or 0.0)[:CHART_BARS]


def chart_options(rows: Sequence[RankRow]) -> dict[str, Any]:
    """Horizontal bars of the lowest; the label holds value and coverage, weak coverage has another colour."""
    bars = lowest(rows)
    return {
        "animationDuration": 250,
        "grid": {"left": 8, "right": 96, "top": 6, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value",
            "axisLabel": {"color": MUTED, "hideOverlap": True},
            "splitLine": {"lineStyle": {"color": MUTED, "opacity": 0.25}},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [_short(row.name or row.institution) for row in bars],
            "axisLabel": {"color": MUTED, "fontSize": 11},
            "axisTick": {"show": False},
        },
        "series": [{"type": "bar", "barMaxWidth": 20, "data": [_bar(row) for row in bars]}],
    }


def chart_height_px(rows: Sequence[RankRow]) -> int:
    """As high as its bars need."""
    return _AXIS_PX + _BAR_PX * len(lowest(rows))


def _bar(row: RankRow) -> dict[str, Any]:
    text = f"{number(row.value)} · {share(row.coverage_ratio)}"
    return {
        "value": row.value,
        "itemStyle": {"color": ACCENT if row.coverage_ratio >= _GOOD_COVERAGE else WARN, "borderRadius": [0, 3, 3, 0]},
        "label": {"show": True, "position": "right", "formatter": text, "color": MUTED, "fontSize": 11},
    }


def _short(name: str) -> str:
    """Cut in the middle: what tells two names apart often stands at the end."""
    half = _NAME_LENGTH // 2
    return name if len(name) <= _NAME_LENGTH else f"{name[: half - 1].rstrip()}…{name[-half:].lstrip()}"
