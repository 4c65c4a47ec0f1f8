"""Assessing: a year of many institutions at once: figures, grades, places, and the bits of what keeps a unit out.

evaluating.py --Evaluated--> here --leaders/: peer groups, gates, places--> Assessment, one for each indicator

Nothing here is a loop over institutions, and no sentence is made before somebody asks for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.analytics.evaluating import Evaluated, Stated, YearTotals, evaluate
from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.analytics.leaders.gates import DEFAULT_RULES, Evidence, Gated, GateRules, gate
from kgce.analytics.leaders.peers import PeerGroups, peer_groups
from kgce.analytics.leaders.places import Places, places
from kgce.domain.batch import FloatArray, UInt8Array
from kgce.domain.factors import FactorSet

IndexArray = npt.NDArray[np.intp]
NOT_GRADED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """(n,) codes of class, level and climate zone: rows of tables of names."""

    class_code: IndexArray
    level_code: IndexArray
    zone_code: IndexArray


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """(n,) what holds for each institution under one indicator, in its unit; NaN = nothing does.

    constraint, reference, guide: quota values; target: value due in the year; average: of its group, published, or None
    for the mean of this very year.
    """

    constraint: FloatArray
    reference: FloatArray
    guide: FloatArray
    target: FloatArray

    @classmethod
    def none(cls, n: int) -> "Limits":
        """No quota and no target for anybody."""
        return cls(*(np.full(n, np.nan) for _ in range(4)))


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """One indicator of n institutions; grade: (n,) codes 0 to 4, see `grades`; limits: what each was held to."""

    indicator: Indicator
    figures: Evaluated
    gated: Gated
    placed: Places
    grade: UInt8Array
    limits: Limits


def grades(value: FloatArray, limits: Limits) -> UInt8Array:
    """0 = not graded, 1 above the constraint value, 2 within it, 3 within the reference, 4 within the guide value.

    A value on a limit is within it. Source: DB37/T 2671-2019 Table A.1 (energy_domain.md section 3.1).
    """
    within = (
        1 + (value <= limits.constraint).astype(np.uint8) + (value <= limits.reference) + (value <= limits.guide)
    ).astype(np.uint8)
    known = np.isfinite(value) & np.isfinite(limits.constraint)
    return np.where(known, within, np.uint8(NOT_GRADED)).astype(np.uint8)


def assess(
    totals: YearTotals,
    stated: Stated,
    peers: Peers,
    factor_set: FactorSet,
    *,
    indicators: Iterable[Indicator],
    limits: Mapping[Indicator, Limits] = {},
    rules: GateRules = DEFAULT_RULES,
) -> tuple[PeerGroups, dict[Indicator, Assessment]]:
    """Every institution's figures, grades, places and gates.

    Args:
        totals: (n, k) the year.
        stated: (n,) attributes of the same year.
        peers: (n,) who is compared with whom.
        factor_set: one set for all of them: figures of different sets are never compared.
        indicators: which.
        limits: quota and target of each indicator; none where one is not named.
        rules: where the gates stand.
    """
    groups = peer_groups(
        peers.class_code, peers.level_code, peers.zone_code, counts=stated.is_stated, min_size=rules.min_size
    )
    found = {}
    for indicator in indicators:
        figures = evaluate(totals, stated, DEFINITIONS[indicator], factor_set)
        bounds = limits.get(indicator) or Limits.none(len(figures.value))
        evidence = Evidence(
            total=figures.numerator,
            divisor=figures.divisor,
            months=figures.months.astype(np.intp),
            coverage=figures.coverage,
            has_factor=~figures.unweighable,
            has_attributes=stated.is_stated,
            quota=bounds.constraint,
            target=bounds.target,
        )
        gated = gate(evidence, groups.group, groups=len(groups.size), rules=rules)
        placed = places(gated.line, gated.value, gated.group)
        found[indicator] = Assessment(indicator, figures, gated, placed, grades(figures.value, bounds), bounds)
    return groups, found
