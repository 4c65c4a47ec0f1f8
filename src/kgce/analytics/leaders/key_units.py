"""Key units: institutions large enough to be supervised one by one, with the criterion that applies."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np

from kgce.analytics.leaders.lineup import IndexArray
from kgce.analytics.leaders.reasons import Language
from kgce.domain.batch import BoolArray, FloatArray, UInt8Array

ENERGY_KGCE: Final = 500_000.0  # 500 tce a year
ELECTRICITY_KWH: Final = 2_000_000.0  # 2 GWh a year
AREA_M2: Final = 10_000.0
CONFIDENCE: Final = "M"  # from general knowledge, unverified: who shows the list shows this beside it
SOURCE: Final = "energy_domain.md section 0: NDRC and NGOA order 32 (2015-12-31), wording not checked"


class Criterion(IntFlag):
    """Which thresholds are reached; one is enough."""

    NONE = 0
    ENERGY = 1
    ELECTRICITY = 2
    AREA = 4


@dataclass(frozen=True, slots=True, eq=False)
class KeyUnits:
    """(n,) each. met: Criterion bits that apply; unknown: bits that cannot be told.

    confidence and source of the thresholds travel with the list: M is unverified.
    """

    met: UInt8Array
    unknown: UInt8Array
    energy_kgce: FloatArray
    electricity_kwh: FloatArray
    area_m2: FloatArray
    confidence: str = CONFIDENCE
    source: str = SOURCE

    @property
    def is_key(self) -> BoolArray:
        """(n,) at least one criterion applies."""
        return np.asarray(self.met > 0, np.bool_)

    @property
    def is_undecided(self) -> BoolArray:
        """(n,) none applies so far, and one cannot be told."""
        return np.asarray((self.met == 0) & (self.unknown > 0), np.bool_)

    def ordered(self) -> IndexArray:
        """Rows of the key units, the one that uses the most energy first; unknown energy last."""
        rows = np.flatnonzero(self.is_key)
        return rows[np.argsort(-self.energy_kgce[rows], kind="stable")]

    def why(self, unit: int, language: Language = "en") -> list[str]:
        """The criteria that apply to one unit with its numbers, then those that cannot be told, then the confidence."""
        met, unknown = int(self.met[unit]), int(self.unknown[unit])
        numbers = (self.energy_kgce[unit] / 1000, self.electricity_kwh[unit], self.area_m2[unit])
        said, words = [], _WORDS[language]
        for criterion, number, (text, missing) in zip(_CRITERIA, numbers, words.criteria, strict=True):
            if criterion & met:
                said.append(text.format(number=number))
            elif criterion & unknown:
                said.append(missing)
        return [*said, words.confidence.format(confidence=self.confidence)]


@dataclass(frozen=True, slots=True)
class _Words:
    """Texts of one language: per criterion what is said where it applies, and where it cannot be told."""

    criteria: tuple[tuple[str, str], ...]
    confidence: str


_CRITERIA: Final = (Criterion.ENERGY, Criterion.ELECTRICITY, Criterion.AREA)
_WORDS: Final[dict[Language, _Words]] = {
    "en": _Words(
        (
            ("{number:,.1f} tce a year, at least 500", "energy of the year unknown"),
            ("{number:,.0f} kWh of electricity a year, at least 2,000,000", "electricity of the year unknown"),
            ("{number:,.0f} m2 of floor area, at least 10,000", "floor area unknown"),
        ),
        "thresholds of order 32, confidence {confidence} (unverified)",
    ),
    "zh": _Words(
        (
            ("年综合能耗{number:,.1f}吨标准煤，不低于500吨", "年综合能耗未知"),
            ("年用电量{number:,.0f}千瓦时，不低于2,000,000千瓦时", "年用电量未知"),
            ("建筑面积{number:,.0f}平方米，不低于10,000平方米", "建筑面积未知"),
        ),
        "阈值依据第32号令，置信度{confidence}（未核实）",
    ),
}


def key_units(*, energy_kgce: FloatArray, electricity_kwh: FloatArray, area_m2: FloatArray) -> KeyUnits:
    """Who reaches 500 tce or 2 GWh of electricity a year, or 10 000 m2; on the limit it applies.

    Args:
        energy_kgce: (n,) comprehensive energy of the year; NaN = unknown.
        electricity_kwh: (n,) of the year; NaN = unknown.
        area_m2: (n,) floor area; NaN = unknown.

    Source: energy_domain.md section 0, order 32; confidence M, unverified.
    """
    met, unknown = np.zeros(len(area_m2), np.uint8), np.zeros(len(area_m2), np.uint8)
    limits = (ENERGY_KGCE, ELECTRICITY_KWH, AREA_M2)
    for criterion, column, limit in zip(_CRITERIA, (energy_kgce, electricity_kwh, area_m2), limits, strict=True):
        met |= (column >= limit) * np.uint8(criterion)
        unknown |= np.isnan(column) * np.uint8(criterion)
    return KeyUnits(met, unknown, energy_kgce, electricity_kwh, area_m2)
