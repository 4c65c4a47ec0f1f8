"""The line of a group: sorted once, its statistics those of numpy on each group."""

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.analytics.leaders.lineup import line_up, spread

UNITS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.5, 1.0, 1.5, 2.0, 7.0, 30.0])), max_size=50)


@given(UNITS)
def test_statistics_are_those_of_each_group_by_itself(units: list[tuple[int, float]]) -> None:
    group = np.array([at for at, _ in units], np.intp)
    value = np.array([at for _, at in units], np.float64)
    found = spread(line_up(group, value, np.ones(len(units), bool), groups=5))
    for at in range(5):
        own = value[group == at]
        assert found.size[at] == len(own)
        if not len(own):
            assert math.isnan(found.median[at])
            assert math.isnan(found.mean[at])
            assert math.isnan(found.log_mad[at])
            continue
        logs = np.log(own)
        assert found.mean[at] == pytest.approx(own.mean())
        assert found.median[at] == median(own.tolist())
        assert found.log_median[at] == pytest.approx(median(logs.tolist()))
        assert found.log_mad[at] == pytest.approx(np.median(np.abs(logs - np.median(logs))), abs=1e-12)
        quarters = [found.log_low_quarter[at], found.log_high_quarter[at]]
        assert quarters == pytest.approx(np.quantile(logs, [0.25, 0.75]).tolist())


@given(UNITS, st.integers(0, 3))
def test_a_line_with_units_taken_out_is_the_line_of_the_others(units: list[tuple[int, float]], step: int) -> None:
    group = np.array([at for at, _ in units], np.intp)
    value = np.array([at for _, at in units], np.float64)
    stays = np.arange(len(units)) % 4 != step
    kept = line_up(group, value, np.ones(len(units), bool), groups=5).keep(stays)
    fresh = line_up(group, value, stays, groups=5)
    assert kept.value.tolist() == fresh.value.tolist()
    assert kept.start.tolist() == fresh.start.tolist()
    assert kept.group.tolist() == group[kept.unit].tolist()


def test_codes_beyond_sixteen_bits_are_sorted_as_well() -> None:
    group = np.array([70_000, 4_464, 70_000])  # 70 000 is 4 464 in sixteen bits
    line = line_up(group, np.array([2.0, 3.0, 1.0]), np.ones(3, bool), groups=70_001)
    assert line.unit.tolist() == [1, 2, 0]


def test_equal_values_stand_in_the_order_of_their_rows() -> None:
    line = line_up(np.zeros(40, np.intp), np.repeat([2.0, 1.0], 20), np.ones(40, bool), groups=1)
    assert line.unit.tolist() == [*range(20, 40), *range(20)]
