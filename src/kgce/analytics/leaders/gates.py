"""Gates: what keeps a unit from being named a leader, one set of bits per unit and indicator."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.analytics.evaluating import ratio
from kgce.analytics.leaders.lineup import IndexArray, Lineup, Spread, line_up, spread
from kgce.analytics.leaders.peers import MIN_SIZE
from kgce.domain.batch import BoolArray, FloatArray

UInt16Array = npt.NDArray[np.uint16]

MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution, 1 / 0.6745


class Gate(IntFlag):
    """Why a unit is out; 0 = it is in."""

    NONE = 0
    MONTHS_MISSING = 1
    COVERAGE = 2
    NO_DIVISOR = 4
    NO_FIGURE = 8
    NO_FACTOR = 16
    OUTLIER_HIGH = 32
    OUTLIER_LOW = 64
    ABOVE_QUOTA = 128
    TARGET_MISSED = 256
    GROUP_TOO_SMALL = 512
    NO_ATTRIBUTES = 1024


# Who is behind one of these has no figure that peers can be measured by; the others bar from leading, not from a rank.
DATA_GATES: Final = (
    Gate.MONTHS_MISSING | Gate.COVERAGE | Gate.NO_DIVISOR | Gate.NO_FIGURE | Gate.NO_FACTOR
    | Gate.OUTLIER_HIGH | Gate.OUTLIER_LOW | Gate.NO_ATTRIBUTES
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateRules:
    """Where the gates stand; on the limit a unit passes.

    Source: energy_domain.md section 11: 12 months, log-scale median +- 3 MAD or Tukey's 1.5 IQR. Coverage and the
    smallest group are house rules.
    """

    months: int = 12
    min_coverage: float = 0.9
    min_size: int = MIN_SIZE
    mads: float = 3.0  # scaled: for normal values these are standard deviations
    fences: float = 1.5  # interquartile ranges beyond the quartiles, where more than half of a group are equal


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """(n,) what is known of each unit under one indicator and year.

    total: energy [kgce] or water [m3], NaN = nothing known; divisor: area [m2] or people, NaN = not stated; months:
    months with data, 0 to 12; coverage: 0..1; has_factor: every carrier used has one; has_attributes: the yearly
    attributes are stated; quota: highest value allowed, target: value due, both in the indicator's unit, NaN = none
    applies.
    """

    total: FloatArray
    divisor: FloatArray
    months: IndexArray
    coverage: FloatArray
    has_factor: BoolArray
    has_attributes: BoolArray
    quota: FloatArray
    target: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """What the gates found.

    bits: (n,) Gate; value: (n,) total / divisor, NaN = none; line: who passed the data gates, sorted; group: (n,);
    before: (g,) statistics that the outliers were found by; low, high: (g,) values between which none is an outlier.
    """

    bits: UInt16Array
    value: FloatArray
    line: Lineup
    group: IndexArray
    before: Spread
    low: FloatArray
    high: FloatArray
    evidence: Evidence
    rules: GateRules


DEFAULT_RULES: Final = GateRules()


def gate(evidence: Evidence, group: IndexArray, *, groups: int, rules: GateRules = DEFAULT_RULES) -> Gated:
    """The gates of every unit under one indicator.

    Outliers are told by those that pass every other data gate, in groups of the least size at least, and asked of
    every unit with a value. A value of 0 or below is low in any group: it has no logarithm.

    Args:
        evidence: (n,) columns.
        group: (n,) peer group of each unit.
        groups: how many groups there are.
        rules: where the gates stand.
    """
    value = ratio(evidence.total, evidence.divisor)
    bits = _data_bits(evidence, rules)
    before_line = line_up(group, value, (bits == 0) & (value > 0), groups=groups)
    before = spread(before_line)
    low, high = outlier_limits(before, rules)
    bits |= _bit(Gate.OUTLIER_HIGH, value > high[group]) | _bit(Gate.OUTLIER_LOW, (value < low[group]) | (value <= 0))
    line = before_line.keep(bits == 0)
    bits |= _bit(Gate.ABOVE_QUOTA, value > evidence.quota) | _bit(Gate.TARGET_MISSED, value > evidence.target)
    bits |= _bit(Gate.GROUP_TOO_SMALL, (line.size < rules.min_size)[group])
    return Gated(bits, value, line, group, before, low, high, evidence, rules)


def outlier_limits(of: Spread, rules: GateRules) -> tuple[FloatArray, FloatArray]:
    """(g,) lowest and highest value that is no outlier, in the value's unit; 0 and infinity where none can be told.

    Where the MAD is 0 (more than half of a group are equal) Tukey's fences serve; where the quartiles are equal too,
    or the group is below the least size, nothing is called an outlier.
    """
    reach = rules.mads * MAD_TO_SIGMA * of.log_mad
    range_between = of.log_high_quarter - of.log_low_quarter
    by_mad = of.log_mad > 0
    low = np.where(by_mad, of.log_median - reach, of.log_low_quarter - rules.fences * range_between)
    high = np.where(by_mad, of.log_median + reach, of.log_high_quarter + rules.fences * range_between)
    can_tell = (by_mad | (range_between > 0)) & (of.size >= rules.min_size)
    return np.where(can_tell, np.exp(low), 0.0), np.where(can_tell, np.exp(high), np.inf)


def _data_bits(evidence: Evidence, rules: GateRules) -> UInt16Array:
    stated = evidence.has_attributes
    return (
        _bit(Gate.MONTHS_MISSING, evidence.months < rules.months)
        | _bit(Gate.COVERAGE, ~(evidence.coverage >= rules.min_coverage))
        | _bit(Gate.NO_ATTRIBUTES, ~stated)
        | _bit(Gate.NO_DIVISOR, stated & ~(evidence.divisor > 0))
        | _bit(Gate.NO_FACTOR, ~evidence.has_factor)
        | _bit(Gate.NO_FIGURE, evidence.has_factor & ~np.isfinite(evidence.total))
    )


def _bit(gate: Gate, where: BoolArray) -> UInt16Array:
    return where * np.uint16(gate)
