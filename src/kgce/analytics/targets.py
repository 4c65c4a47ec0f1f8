"""Baseline year and target: where an indicator should be, and how much of the way is done."""

from typing import Final

from kgce.analytics.indicators import Indicator

BASELINE_YEAR: Final = 2015
TARGET_YEAR: Final = 2020
# Source: energy_domain.md section 0: the province's plan for 2015-2020, as implied by its published 2018 progress.
TARGETED_DROP: Final = {
    Indicator.ENERGY_PER_CAPITA: 0.11,
    Indicator.ENERGY_PER_AREA: 0.10,
    Indicator.WATER_PER_CAPITA: 0.15,
}


def achieved_drop(*, baseline: float, value: float) -> float:
    """Share by which the value lies below the baseline; negative when it rose."""
    return 1.0 - value / baseline


def progress(*, achieved: float, targeted: float) -> float:
    """Achieved drop / targeted drop, the official convention; above 1 the target is surpassed.

    Source: energy_domain.md section 0 (S-NECC): a drop of 6.98 % of a targeted 10.99 % is 63.5 %.
    """
    return achieved / targeted


def straight_path(*, baseline: float, targeted: float, year: int, baseline_year: int, target_year: int) -> float:
    """Value on the straight line from baseline to target in a year, same unit as the baseline."""
    return baseline * (1.0 - targeted * (year - baseline_year) / (target_year - baseline_year))


def compound_path(*, baseline: float, targeted: float, year: int, baseline_year: int, target_year: int) -> float:
    """Value in a year when each year saves the same share of the year before."""
    return float(baseline * (1.0 - targeted) ** ((year - baseline_year) / (target_year - baseline_year)))
