"""Reasons: the bits of one asked unit as plain sentences with their numbers, in English or Chinese."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from kgce.analytics.indicators import DIVISOR, UNIT, Indicator
from kgce.analytics.judging import WHAT
from kgce.analytics.leaders.gates import Gate, Gated
from kgce.analytics.leaders.places import Places

Language = Literal["en", "zh"]

MOST_DIGITS: Final = 12  # two numbers that are equal to so many digits are shown as equal


@dataclass(frozen=True, slots=True)
class Facts:
    """The numbers of one unit under one indicator; value, low, high, average, quota and target in the same unit.

    Ratios run 0 to 1, percentile 0 to 100; NaN = there is none.
    """

    indicator: Indicator
    months: int
    least_months: int
    coverage: float
    least_coverage: float
    value: float
    low: float
    high: float
    quota: float
    target: float
    group_size: int
    least_size: int
    rank: int
    percentile: float
    ratio: float
    average: float
    points: float


def facts_of(gated: Gated, placed: Places, unit: int, indicator: Indicator) -> Facts:
    """What the sentences about one unit need."""
    group, known, rules = int(gated.group[unit]), gated.evidence, gated.rules
    return Facts(
        indicator, int(known.months[unit]), rules.months, float(known.coverage[unit]), rules.min_coverage,
        float(gated.value[unit]), float(gated.low[group]), float(gated.high[group]), float(known.quota[unit]),
        float(known.target[unit]), int(gated.line.size[group]), rules.min_size, int(placed.rank[unit]),
        float(placed.percentile[unit]), float(placed.ratio[unit]), float(placed.average[group]),
        float(placed.points[unit]),
    )  # fmt: skip


_DIVISOR: Final = {
    "en": DIVISOR,
    "zh": {
        Indicator.ENERGY_PER_AREA: "建筑面积",
        Indicator.ENERGY_PER_CAPITA: "用能人数",
        Indicator.WATER_PER_CAPITA: "用水人数",
        Indicator.NON_HEATING_PER_AREA: "扣除特殊用能系统后的建筑面积",
        Indicator.HEATING_PER_HEATED_AREA: "供暖面积",
        Indicator.CONVENTIONAL_ELECTRICITY_PER_AREA: "扣除特殊用能系统后的建筑面积",
        Indicator.EUE: "信息设备用电量",
    },
}
_USED_ZH: Final = {
    "energy": "能源", "water": "用水", "heating": "供暖", "electricity": "用电", "data centre": "数据中心",
}  # fmt: skip
_OUT: Final[dict[Language, dict[Gate, str]]] = {
    "en": {
        Gate.NO_ATTRIBUTES: "no attributes stated for the year",
        Gate.NO_DIVISOR: "no {divisor} stated",
        Gate.NO_FIGURE: "no {used} figure for the year",
        Gate.NO_FACTOR: "the factor set has no factor for something it uses",
        Gate.MONTHS_MISSING: "{months} months have data, fewer than {least_months}",
        Gate.COVERAGE: "coverage {coverage} is below {least_coverage}",
        Gate.OUTLIER_HIGH: "{value} {unit} is implausibly high: above {high} {unit}, the limit of its group",
        Gate.OUTLIER_LOW: "{value} {unit} is implausibly low: below {low} {unit}, the limit of its group",
        Gate.ABOVE_QUOTA: "{value} {unit} is above its quota value {quota} {unit}",
        Gate.TARGET_MISSED: "{value} {unit} is above the target {target} {unit}",
        Gate.GROUP_TOO_SMALL: "{group_size} comparable units in its group, fewer than {least_size}",
    },
    "zh": {
        Gate.NO_ATTRIBUTES: "该年度未填报基本信息",
        Gate.NO_DIVISOR: "未填报{divisor}",
        Gate.NO_FIGURE: "该年度没有{used}数据",
        Gate.NO_FACTOR: "系数集缺少其所用能源的折标系数",
        Gate.MONTHS_MISSING: "有数据的月份为{months}个，少于{least_months}个",
        Gate.COVERAGE: "数据覆盖率{coverage}，低于{least_coverage}",
        Gate.OUTLIER_HIGH: "{value} {unit}异常偏高，超过同组上限{high} {unit}",
        Gate.OUTLIER_LOW: "{value} {unit}异常偏低，低于同组下限{low} {unit}",
        Gate.ABOVE_QUOTA: "{value} {unit}，高于定额值{quota} {unit}",
        Gate.TARGET_MISSED: "{value} {unit}，高于目标值{target} {unit}",
        Gate.GROUP_TOO_SMALL: "同组可比单位{group_size}家，少于{least_size}家",
    },
}
_IN: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "rank": "rank {rank} of {group_size} in its group",
        "percentile": "{percentile} % of the others in its group use more",
        "ratio": "{value} {unit} is {ratio} of the group's average {average} {unit}",
        "points": "{points} of 7 points for that ratio",
        "quota": "{value} {unit} is within its quota value {quota} {unit}",
        "target": "{value} {unit} meets the target {target} {unit}",
    },
    "zh": {
        "rank": "同组{group_size}家中排名第{rank}",
        "percentile": "同组其他单位中有{percentile}%用量更高",
        "ratio": "{value} {unit}，为同类平均值{average} {unit}的{ratio}倍",
        "points": "该比值得{points}分（满分7分）",
        "quota": "{value} {unit}，不高于定额值{quota} {unit}",
        "target": "{value} {unit}，达到目标值{target} {unit}",
    },
}
_BESIDE: Final = {
    Gate.OUTLIER_HIGH: "high", Gate.OUTLIER_LOW: "low", Gate.ABOVE_QUOTA: "quota", Gate.TARGET_MISSED: "target"
}  # fmt: skip


def reasons(bits: int, facts: Facts, language: Language = "en") -> list[str]:
    """Why a unit is out, one sentence per bit; for bits 0 why it is in: rank, ratio to the average, points, limits.

    Numbers have two decimals, more where a value and the limit it breaks would look the same.
    """
    if bits:
        return [
            text.format_map(_words(facts, language, _BESIDE.get(gate)))
            for gate, text in _OUT[language].items()
            if gate & bits
        ]
    known = [name for name, text in _IN[language].items() if math.isfinite(float(getattr(facts, name)))]
    return [
        _IN[language][name].format_map(_words(facts, language, name if name in {"quota", "target"} else None))
        for name in known
    ]


def _words(facts: Facts, language: Language, beside: str | None) -> dict[str, str]:
    """The facts as texts; the value and what it stands beside with as many digits as tell them apart."""
    coverage, least_coverage = _apart(facts.coverage, facts.least_coverage)
    words = {
        "unit": UNIT[facts.indicator],
        "divisor": _DIVISOR[language][facts.indicator],
        "used": WHAT[facts.indicator] if language == "en" else _USED_ZH[WHAT[facts.indicator]],
        "coverage": coverage,
        "least_coverage": least_coverage,
        "points": f"{facts.points:.0f}",
        "percentile": f"{np.floor(facts.percentile):.0f}",  # 99.9 % is not everyone
    }
    words |= {
        name: str(getattr(facts, name)) for name in ("months", "least_months", "group_size", "least_size", "rank")
    }
    words |= {name: f"{getattr(facts, name):.2f}" for name in ("value", "ratio", "average")}
    if beside:
        words["value"], words[beside] = _apart(facts.value, getattr(facts, beside))
    return words


def _apart(one: float, other: float) -> tuple[str, str]:
    """Both with two decimals, or with as many as keep unequal numbers from looking equal."""
    for digits in range(2, MOST_DIGITS):
        texts = f"{one:.{digits}f}", f"{other:.{digits}f}"
        if texts[0] != texts[1] or one == other:
            break
    return texts
