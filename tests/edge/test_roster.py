"""Batches of tables that come back are joined; every row keeps its series, time, value and order."""

from hypothesis import given
from hypothesis import strategies as st

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.edge import roster
from kgce.edge.buffer.codec import decode, encode
from kgce.edge.roster import JoinedTable, Roster
from tests.edge.fakes import NOW_MS, rows_of

TABLES = [tuple(Series("hall", f"meter-{device}", f"voltage_l{line}") for line in range(3)) for device in range(5)]


def poll(device: int, at: int) -> Batch:
    """One reading of each of a meter's series."""
    return Batch.of(TABLES[device], [2, 0, 1], [NOW_MS + at] * 3, [at, at + 0.5, float("nan")], [0, 2, 1])


def sorted_rows(batches) -> list:
    return sorted(repr(row) for batch in batches for row in rows_of(batch))


def test_tables_that_come_back_become_one_batch() -> None:
    known = Roster()
    counts = []
    for at in range(4):
        given = [poll(device, at) for device in range(5)]
        joined = known.joined(given)
        assert sorted_rows(joined) == sorted_rows(given)
        counts.append(len(joined))
    assert counts == [5, 1, 1, 1], "at the second sight they are known"


def test_a_single_batch_is_left_as_it_is() -> None:
    batch = poll(0, 1)
    assert Roster().joined([batch, Batch.empty()]) == [batch]


def test_tables_made_for_one_message_are_never_joined_and_not_kept(monkeypatch) -> None:
    monkeypatch.setattr(roster, "_MOST_STRANGERS", 10)
    known = Roster()
    for number in range(100):
        one, two = (Batch.from_rows([(Series("hall", f"{name}-{number}", "power"), NOW_MS, 1.0, 0)]) for name in "ab")
        assert known.joined([one, two]) == [one, two]
    assert len(known._strangers) <= 10
    assert len(known._all) == 0


def test_a_roster_that_grows_too_long_begins_anew(monkeypatch) -> None:
    monkeypatch.setattr(roster, "_MOST_SERIES", 8)
    known = Roster()
    for at in range(50):
        given = [poll(device, at) for device in (at % 5, (at + 1) % 5)]
        assert sorted_rows(known.joined(given)) == sorted_rows(given)
        assert len(known._all) <= 8


def test_a_batch_has_at_most_so_many_rows(monkeypatch) -> None:
    monkeypatch.setattr(roster, "_MOST_ROWS", 7)
    known = Roster()
    for at in range(3):
        joined = known.joined([poll(device, at) for device in range(5)])
    assert [len(batch) for batch in joined] == [6, 6, 3]


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True), min_size=1, max_size=12))
def test_what_is_joined_survives_the_disk(groups) -> None:
    known = Roster()
    for at, group in enumerate(groups):
        given_ = [poll(device, at) for device in group]
        joined = known.joined(given_)
        assert sorted_rows(joined) == sorted_rows(given_)
        back = [decode(encode(batch)) for batch in joined]
        assert sorted_rows(back) == sorted_rows(given_)
        for batch, again in zip(joined, back, strict=True):
            assert rows_of(batch).__repr__() == rows_of(again).__repr__(), "in the same order"
            if isinstance(batch.series, JoinedTable):
                assert len(again.series) <= sum(len(TABLES[device]) for device in group), "only the tables of the group"
