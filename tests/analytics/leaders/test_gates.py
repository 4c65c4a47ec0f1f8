"""Each gate on its limit and one step beyond it."""

import math

import numpy as np
import pytest

from kgce.analytics.leaders.gates import DATA_GATES, Gate, GateRules, gate
from tests.analytics.leaders.evidence import evidence, one_group

PLAIN = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
BELOW_COVERAGE = float(np.nextafter(0.9, 0))


@pytest.mark.parametrize(
    ("column", "on_limit", "beyond", "bit"),
    [
        ("months", 12, 11, Gate.MONTHS_MISSING),
        ("coverage", 0.9, BELOW_COVERAGE, Gate.COVERAGE),
        ("coverage", 0.9, math.nan, Gate.COVERAGE),
        ("divisor", 100.0, 0.0, Gate.NO_DIVISOR),
        ("divisor", 100.0, math.nan, Gate.NO_DIVISOR),
        ("total", 100.0, math.nan, Gate.NO_FIGURE),
        ("has_factor", True, False, Gate.NO_FACTOR),
        ("has_attributes", True, False, Gate.NO_ATTRIBUTES),
    ],
)
def test_a_data_gate_passes_on_its_limit_and_closes_beyond_it(
    column: str, on_limit: float, beyond: float, bit: Gate
) -> None:
    base = getattr(evidence(PLAIN), column)
    for at, expected in ((on_limit, Gate.NONE), (beyond, bit)):
        values = base.copy()
        values[0] = at
        found = one_group(PLAIN, **{column: values})
        assert found.bits.tolist() == [expected, 0, 0, 0, 0, 0]
        assert (0 in found.line.unit) is (expected == 0)


@pytest.mark.parametrize(("column", "bit"), [("quota", Gate.ABOVE_QUOTA), ("target", Gate.TARGET_MISSED)])
def test_a_value_equal_to_its_quota_or_target_passes(column: str, bit: Gate) -> None:
    limits = np.full(6, np.nan)
    limits[2] = 1.2
    assert not one_group(PLAIN, **{column: limits}).bits.any()
    limits[2] = np.nextafter(1.2, 0)
    found = one_group(PLAIN, **{column: limits})
    assert found.bits.tolist() == [0, 0, bit, 0, 0, 0]
    assert 2 in found.line.unit  # barred from leading, still a peer the others are measured by


def planted(at: float, side: int) -> list[float]:
    """Six units with log-median 0 and log-MAD ln 2, and a seventh `at` ln 2 from the median on one side."""
    return [2.0**power for power in (-2 * side, -1 * side, -1 * side, 0, side, side, at * side)]


@pytest.mark.parametrize(("side", "bit"), [(1, Gate.OUTLIER_HIGH), (-1, Gate.OUTLIER_LOW)])
def test_three_scaled_mads_of_the_logarithm_are_the_limit(side: int, bit: Gate) -> None:
    limit = 3 * 1.4826
    assert not one_group(planted(limit - 1e-9, side)).bits.any()
    found = one_group(planted(limit + 1e-9, side))
    assert found.bits.tolist() == [0, 0, 0, 0, 0, 0, bit]
    assert found.line.size.tolist() == [6]


@pytest.mark.parametrize(("side", "bit"), [(1, Gate.OUTLIER_HIGH), (-1, Gate.OUTLIER_LOW)])
def test_where_most_are_equal_the_fences_of_tukey_serve(side: int, bit: Gate) -> None:
    """Logarithms 0 five times, then 1, 1 and x in units of ln 2: MAD 0; quartiles 0 and 1 whatever x > 1 is."""
    for at, expected in ((2.5 - 1e-9, 0), (2.5 + 1e-9, bit)):
        values = [2.0**power for power in (0, 0, 0, 0, 0, side, side, at * side)]
        assert np.median(np.abs(np.log(values) - np.median(np.log(values)))) == 0
        assert one_group(values).bits.tolist() == [0, 0, 0, 0, 0, 0, 0, expected]


def test_where_even_the_quartiles_are_equal_nothing_is_called_an_outlier() -> None:
    assert not one_group([1.0] * 9 + [50.0]).bits.any()


def test_four_units_are_too_few_to_call_one_an_outlier() -> None:
    values = [1.0, 1.1, 1.2, 900.0]
    assert one_group(values).bits.tolist() == [Gate.GROUP_TOO_SMALL] * 4
    assert one_group(values, GateRules(min_size=4)).bits[3] & Gate.OUTLIER_HIGH


def test_a_unit_that_used_nothing_is_implausible_and_not_the_leader() -> None:
    found = one_group([0.0, *PLAIN])
    assert found.bits.tolist() == [Gate.OUTLIER_LOW, 0, 0, 0, 0, 0, 0]
    assert found.line.unit[0] == 1
    assert found.before.size.tolist() == [6]
    assert one_group([0.0, 1.0]).bits[0] & Gate.OUTLIER_LOW  # though a group of two has no limits


def test_a_group_is_too_small_by_those_that_can_be_compared() -> None:
    five = one_group([1.0, 1.1, 1.2, 1.3, 1.4], months=[12, 12, 12, 12, 12])
    assert not five.bits.any()
    four = one_group([1.0, 1.1, 1.2, 1.3, 1.4], months=[12, 12, 12, 12, 11])
    small = Gate.GROUP_TOO_SMALL
    assert four.bits.tolist() == [small, small, small, small, small | Gate.MONTHS_MISSING]


def test_what_is_barred_by_bad_data_does_not_move_the_limits_of_the_others() -> None:
    months = [12] * 6 + [3] * 9
    assert one_group(PLAIN + [80.0] * 9, months=months).high == pytest.approx(one_group(PLAIN).high)


def test_every_group_has_its_own_limits() -> None:
    """Ten times the others is out among one's own; it is ordinary in a group that uses ten times as much."""
    values = [*PLAIN, 12.0, *(10 * at for at in PLAIN), 12.0]
    group = np.repeat([0, 1], 7)
    assert gate(evidence(values), group, groups=2).bits.tolist() == [0] * 6 + [Gate.OUTLIER_HIGH] + [0] * 7


def test_every_bit_fits_sixteen_and_the_merit_gates_are_no_data_gates() -> None:
    assert one_group(PLAIN).bits.dtype == np.uint16
    assert sum(Gate) < 1 << 16
    merit = Gate.ABOVE_QUOTA | Gate.TARGET_MISSED | Gate.GROUP_TOO_SMALL
    assert (DATA_GATES & merit, DATA_GATES | merit) == (0, sum(Gate))


def test_no_units_and_groups_without_units_are_no_fault() -> None:
    found = gate(evidence([]), np.zeros(0, np.intp), groups=3)
    assert (len(found.bits), found.line.size.tolist()) == (0, [0, 0, 0])
