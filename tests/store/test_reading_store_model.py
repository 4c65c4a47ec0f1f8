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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.tuples(st.booleans(), st.lists(ROWS, max_size=12)), max_size=6),
    start_ms=TIMES,
    end_ms=TIMES,
)
def test_counts_and_contents_are_those_of_a_dictionary(new_place: NewPlace, batches, start_ms, end_ms):
    open_place, model = new_place(), Model()
    store = open_place()
    for reopens, rows in batches:
        if reopens:
            store.close()
            store = open_place()
        assert store.append(Batch.from_rows(rows)) == model.append(rows)

    with closing(store):
        keys = [series.key for series in SERIES]
        assert rows_of(store.read(keys, start_ms=0, end_ms=2**62)) == model.read(keys, 0, 2**62)
        chosen = store.read(keys[:2], start_ms=start_ms, end_ms=end_ms)
        assert rows_of(chosen) == model.read(keys[:2], start_ms, end_ms)
        assert rows_of(store.latest()) == model.latest()
