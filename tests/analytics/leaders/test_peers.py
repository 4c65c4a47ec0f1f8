"""Peer groups: as alike as their size allows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.analytics.leaders.peers import MergeStep, PeerGroups, PeerNames, peer_groups

NAMES = PeerNames(["agency", "hospital"], ["province", "city", "county"], ["A", "B", "C"])

Cell = tuple[int, int, int]


def grouped(cells: dict[Cell, int], min_size: int = 5) -> PeerGroups:
    codes = np.array([cell for cell, size in cells.items() for _ in range(size)], np.intp).reshape(-1, 3)
    return peer_groups(codes[:, 0], codes[:, 1], codes[:, 2], min_size=min_size)


def labels(cells: dict[Cell, int]) -> dict[str, int]:
    groups = grouped(cells)
    return dict(zip(groups.labels(NAMES), groups.size.tolist(), strict=True))


def test_a_group_of_five_stands_and_one_of_four_does_not() -> None:
    assert labels({(0, 1, 0): 5, (0, 1, 1): 5}) == {"agency / city / A": 5, "agency / city / B": 5}
    assert labels({(0, 1, 0): 4, (0, 1, 1): 5}) == {"agency / city / A + B": 9}


def test_zones_come_first_and_then_the_levels() -> None:
    zones = grouped({(0, 1, 0): 4, (0, 1, 1): 1, (0, 2, 0): 9})
    assert zones.labels(NAMES) == ["agency / city / A + B", "agency / county / A"]
    assert zones.step.tolist() == [MergeStep.ZONES, MergeStep.NONE]
    levels = grouped({(0, 1, 0): 3, (0, 1, 1): 1, (0, 2, 0): 9})
    assert levels.labels(NAMES) == ["agency / city / A + B; county / A"]
    assert levels.step.tolist() == [MergeStep.LEVELS]
    assert not levels.too_small.any()


def test_classes_are_never_put_together_and_a_small_class_is_marked() -> None:
    groups = grouped({(0, 0, 0): 2, (0, 2, 1): 2, (1, 0, 0): 50})
    assert groups.labels(NAMES) == ["agency / province / A; county / B", "hospital / province / A"]
    assert groups.too_small.tolist() == [True, False]
    assert groups.step.tolist() == [MergeStep.LEVELS, MergeStep.NONE]


def test_one_small_cell_alone_in_its_class_stays_alone() -> None:
    groups = grouped({(1, 1, 1): 4})
    assert groups.labels(NAMES) == ["hospital / city / B"]
    assert (groups.step.tolist(), groups.too_small.tolist()) == ([MergeStep.NONE], [True])


def test_small_zones_that_are_enough_together_leave_the_large_one_alone() -> None:
    assert labels({(0, 1, 0): 2, (0, 1, 1): 3, (0, 1, 2): 40}) == {"agency / city / A + B": 5, "agency / city / C": 40}


def test_four_provincial_units_join_the_smallest_other_group_and_leave_the_others_as_they_are() -> None:
    assert labels({(1, 0, 0): 4, (1, 1, 0): 900, (1, 1, 1): 30, (1, 2, 0): 2000}) == {
        "hospital / province / A; city / B": 34,
        "hospital / city / A": 900,
        "hospital / county / A": 2000,
    }


def test_units_that_do_not_count_are_grouped_but_do_not_make_a_group_large() -> None:
    zone = np.repeat([0, 1], [6, 6])
    zero = np.zeros(12, np.intp)
    counts = np.arange(12) != 0
    groups = peer_groups(zero, zero, zone, counts=counts, min_size=6)
    assert groups.size.tolist() == [11]
    assert groups.group.tolist() == [0] * 12
    assert len(peer_groups(zero, zero, zone, min_size=6).size) == 2


def test_no_units_make_no_groups() -> None:
    groups = grouped({})
    assert len(groups.group) == len(groups.size) == len(groups.step) == 0


@pytest.mark.parametrize("code", [-1, 1 << 40])
def test_codes_that_are_no_rows_of_a_table_of_names_are_refused(code: int) -> None:
    zero = np.zeros(2, np.intp)
    with pytest.raises(ValueError, match=r"codes|cells"):
        peer_groups(np.array([0, code]), zero, zero)


def naive_groups(cells: list[Cell], min_size: int) -> list[frozenset[Cell]]:
    """The rule of the docstring, said again without arrays: the group of each unit as the set of its cells."""
    count = Counter(cells)
    groups = [frozenset([cell]) for cell in sorted(count)]

    def size(group: frozenset[Cell]) -> int:
        return sum(count[cell] for cell in group)

    for width in (2, 1):
        for family in sorted({cell[:width] for cell in count}):
            inside = sorted(
                (group for group in groups if min(group)[:width] == family), key=lambda one: (size(one), min(one))
            )
            small = [group for group in inside if size(group) < min_size]
            if small and sum(map(size, small)) < min_size:
                small = inside[: len(small) + 1]
            groups = [group for group in groups if group not in small]
            groups += [frozenset().union(*small)] if small else []
    return [next(group for group in groups if cell in group) for cell in cells]


CELLS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)


@given(CELLS, st.integers(1, 8))
def test_groups_are_those_of_the_plain_rule(cells: list[Cell], min_size: int) -> None:
    codes = np.array(cells, np.intp)
    found = peer_groups(codes[:, 0], codes[:, 1], codes[:, 2], min_size=min_size)
    members: dict[int, set[Cell]] = {}
    for cell, group in zip(cells, found.group.tolist(), strict=True):
        members.setdefault(group, set()).add(cell)
    assert [members[group] for group in found.group.tolist()] == naive_groups(cells, min_size)
    assert found.size.tolist() == np.bincount(found.group).tolist()
    assert found.too_small.tolist() == (found.size < min_size).tolist()


@given(CELLS)
def test_the_order_of_the_units_changes_no_group(cells: list[Cell]) -> None:
    codes = np.array(cells, np.intp)
    there = peer_groups(codes[:, 0], codes[:, 1], codes[:, 2])
    back = peer_groups(codes[::-1, 0], codes[::-1, 1], codes[::-1, 2])
    assert there.group.tolist() == back.group[::-1].tolist()
