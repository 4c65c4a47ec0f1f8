"""Which batches have come and which are missing, against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.ingest.numbers import Gap, Numbers
from kgce.collectors.uplink.message import Number

SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 4)), min_size=1, max_size=40)


def number(first: int, last: int | None = None, **keys) -> Number:
    return Number("g1", keys.pop("boot", "b"), first, last or first, **keys)


@given(SPANS)
def test_gaps_are_what_a_set_of_all_numbers_lacks(spans):
    numbers, taken = Numbers(lambda: 0.0), set()
    base = spans[0][0]
    for first, more in spans:
        wanted = set(range(first, first + more + 1))
        assert numbers.take(number(first, first + more)) == (wanted <= taken)
        taken |= wanted
    missing = {gap_number for gap in numbers.gaps(for_s=0) for gap_number in range(gap.first, gap.last + 1)}
    assert missing == {one for one in range(base, max(taken)) if one not in taken}


def test_a_hole_is_a_gap_only_once_it_has_stood_and_goes_when_it_is_filled():
    now = [0.0]
    numbers = Numbers(lambda: now[0])
    for one in (5, 6, 9):
        numbers.take(number(one))
    assert numbers.gaps(for_s=60) == []
    now[0] = 61.0
    assert numbers.gaps(for_s=60) == [Gap("g1", "b", 7, 8)]
    numbers.take(number(7))
    assert numbers.gaps(for_s=60) == [], "another hole, that begins to stand now"
    now[0] = 130.0
    assert numbers.gaps(for_s=60) == [Gap("g1", "b", 8, 8)]
    numbers.take(number(8))
    assert numbers.gaps(for_s=0) == []


def test_what_came_before_the_first_number_is_nobodys_gap():
    numbers = Numbers(lambda: 0.0)
    numbers.take(number(1000))
    numbers.take(number(500, 600))
    assert numbers.gaps(for_s=0) == []
    assert numbers.take(number(550))


def test_parts_count_once_all_are_there():
    numbers = Numbers(lambda: 0.0)
    numbers.take(number(1))
    assert not numbers.take(number(2, 4, part=1, parts=2))
    assert not numbers.take(number(2, 4, part=1, parts=2))
    assert not numbers.take(number(5))
    assert numbers.gaps(for_s=0) == [Gap("g1", "b", 2, 4)]
    assert not numbers.take(number(2, 4, part=2, parts=2))
    assert numbers.gaps(for_s=0) == []
    assert numbers.take(number(2, 4, part=1, parts=2))


def test_starts_and_gateways_are_told_apart_and_memory_is_bounded():
    numbers = Numbers(lambda: 0.0)
    for boot in range(50):
        numbers.take(number(1, boot=f"b{boot}"))
        numbers.take(number(3, boot=f"b{boot}"))
    assert [gap.boot for gap in numbers.gaps(for_s=0)] == ["b46", "b47", "b48", "b49"]
    for one in range(10, 10_000, 2):
        numbers.take(number(one, boot="b49"))
    assert len(numbers.gaps(for_s=0)) < 1100
