"""Demonstration units: the part of the national score that can be computed, and what is left to people."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.analytics.leaders.places import POINTS
from kgce.analytics.leaders.reasons import Language
from kgce.domain.batch import BoolArray, FloatArray

PASS_POINTS: Final = 85
CONFIDENCE: Final = "V2"  # read in a source, but a secondary one
SOURCE: Final = "energy_domain.md section 4.1 (S-EVAL, S-SCORE): 节约型公共机构示范单位评价标准"


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the score that readings cannot tell; people judge it on the spot."""

    name: str
    name_zh: str
    points: int


MEASURED_POINTS: Final = 3 * max(POINTS)
NOT_MEASURABLE: Final = (
    Block("completion of the last two years' saving targets", "近两年节能目标完成情况", 35 - MEASURED_POINTS),
    Block("management", "管理", 29),
    Block("building and equipment", "建筑及设备", 20),
    Block("water saving", "节水", 9),
    Block("green consumption", "绿色消费", 7),
    Block("bonus", "加分项", 10),
)
ALL_POINTS: Final = MEASURED_POINTS + sum(block.points for block in NOT_MEASURABLE)


@dataclass(frozen=True, slots=True, eq=False)
class Demonstration:
    """(n,) each. measured: points of the known indicators, 0..21; unknown: 7 for each indicator without a ratio.

    open_points: most that can still be earned, what is not measurable and what is unknown; needed: how many of them
    it takes to reach the pass mark. A pass is told by none of these: it also takes that no starred item is zero.
    """

    measured: FloatArray
    unknown: FloatArray
    open_points: FloatArray
    needed: FloatArray


def demonstration(
    per_area: FloatArray,
    per_capita: FloatArray,
    water_per_capita: FloatArray,
    *,
    has_water_title: BoolArray | None = None,
) -> Demonstration:
    """The measurable part of a demonstration unit's score: 21 of 110 points.

    Args:
        per_area: (n,) points 0..7 by the ratio to last year's average of the same type, NaN = no ratio known.
        per_capita: (n,) likewise.
        water_per_capita: (n,) likewise.
        has_water_title: (n,) holds the local title of a water-saving unit, which earns the 7 points of water.

    Source: energy_domain.md section 4.1; confidence V2.
    """
    water = water_per_capita if has_water_title is None else np.where(has_water_title, max(POINTS), water_per_capita)
    points = np.stack([per_area, per_capita, water])
    measured = np.nansum(points, axis=0)
    unknown = max(POINTS) * np.isnan(points).sum(axis=0).astype(np.float64)
    return Demonstration(measured, unknown, unknown + ALL_POINTS - MEASURED_POINTS, PASS_POINTS - measured)


def verdict(found: Demonstration, unit: int, language: Language = "en") -> list[str]:
    """What one asked unit is told: its points, what it still needs and of what, and why that is no pass."""
    measured, unknown = found.measured[unit], found.unknown[unit]
    needed, still_open = found.needed[unit], found.open_points[unit]
    known = MEASURED_POINTS - unknown
    if language == "zh":
        gap = [f"指标缺少数据，对应{unknown:.0f}分未计"] if unknown else []
        blocks = "、".join(f"{block.name_zh}{block.points}分" for block in NOT_MEASURABLE)
        return [
            f"可测指标得{measured:.0f}分（满分{known:.0f}分）",
            *gap,
            f"距{PASS_POINTS}分尚需{needed:.0f}分，须从其余{still_open:.0f}分中取得",
            f"不可测部分：{blocks}",
            "仅凭可测部分不能判定是否达标；★项不得为零分",
        ]
    gap = [f"indicators without data leave {unknown:.0f} points unknown"] if unknown else []
    blocks = ", ".join(f"{block.name} {block.points}" for block in NOT_MEASURABLE)
    return [
        f"{measured:.0f} of {known:.0f} measurable points",
        *gap,
        f"{needed:.0f} more are needed for {PASS_POINTS}, out of {still_open:.0f} still open",
        f"not measurable: {blocks}",
        "the measurable part alone cannot tell a pass; no starred item may be zero",
    ]
