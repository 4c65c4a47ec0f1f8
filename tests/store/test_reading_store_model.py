"""Any sequence of batches leaves every store where a plain dictionary would be."""

from contextlib import closing
from math import inf, nan

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from tests.store.conftest import NewPlace
from tests.store.rows import EARLIEST_MS, END_MS, NOON_MS, Model, rows_of

SERIES = [
    Series("s", "d", "power", "electricity"),
    Series("s", "d", "power_q", "electricity"),
    Series("s", "d 2", "power", "electricity", "A", "37"),
    Series("t,=", "d", "power", ""),
]
TIMES = st.sampled_from([*range(NOON_MS, NOON_MS + 6), EARLIEST_MS - 1, EARLIEST_MS, END_MS - 1, END_MS])
VALUES = st.sampled_from([0.0, 1.0, -2.5, 1 / 3, nan, inf])
ROWS = st.tuples(st.sampled_from(SERIES), TIMES, VALUES, st.sampled_from([0, 1, 2, 255]))


APPENDS = st.tuples(st.just("append"), st.lists(st.lists(ROWS, max_size=12), min_size=1, max_size=3))
DELETES = st.tuples(st.just("delete"), st.tuples(st.sets(st.sampled_from(SERIES)), TIMES, TIMES))
REOPENS = st.tuples(st.just("reopen"), st.none())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(APPENDS | APPENDS | DELETES | REOPENS, max_size=7), start_ms=TIMES, end_ms=TIMES)
def test_counts_and_contents_are_those_of_a_dictionary(new_place: NewPlace, request, steps, start_ms, end_ms):
    open_place, model = new_place(), Model(request.getfixturevalue("end_ms"))
    store = open_place()
    for what, given_ in steps:
        if what == "reopen":
            store.close()
            store = open_place()
        elif what == "append":
            results = store.append_all([Batch.from_rows(rows) for rows in given_])
            assert results == [model.append(rows) for rows in given_]
        else:
            series, since_ms, until_ms = given_
            keys = [one.key for one in series]
            assert store.delete(keys, start_ms=since_ms, end_ms=until_ms) == model.delete(keys, since_ms, until_ms)

    with closing(store):
        keys = [series.key for series in SERIES]
        assert rows_of(store.read(keys, start_ms=0, end_ms=2**62)) == model.read(keys, 0, 2**62)
        chosen = store.read(keys[:2], start_ms=start_ms, end_ms=end_ms)
        assert rows_of(chosen) == model.read(keys[:2], start_ms, end_ms)
        assert rows_of(store.latest()) == model.latest()
        assert [series.key for series in store.series()] == sorted({key for key, _ in model.rows})
