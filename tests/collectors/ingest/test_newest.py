"""The newest values of what was kept, in messages a broker takes."""

import numpy as np

from kgce.collectors.ingest.newest import Newest
from kgce.collectors.uplink import message
from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from tests.store.rows import rows_of


def table(gateway: str, count: int) -> tuple[Series, ...]:
    return tuple(Series(gateway, f"meter-{at}", "active_power", "electricity", "a", "370102") for at in range(count))


def told(newest: Newest) -> list[tuple]:
    return sorted(row for one in newest.messages(5) for row in rows_of(message.decode(one).batch))


def test_only_the_newest_reading_of_each_series_is_told_once() -> None:
    newest, series = Newest("1"), table("g1", 3)
    for at in range(5):
        newest.add(Batch.of(series, np.arange(3), np.full(3, 1000 + at), np.full(3, float(at))))
    newest.add(Batch.of(series, np.arange(3), np.full(3, 500), np.zeros(3)))  # history that is made up for
    newest.add(Batch.of(series, [1, 1], [1007, 1006], [7.0, 6.0]))
    newest.add(Batch.empty())

    assert [(key[1], time_ms, value) for key, time_ms, value, _ in told(newest)] == [
        ("meter-0", 1004, 4.0), ("meter-1", 1007, 7.0), ("meter-2", 1004, 4.0)
    ]  # fmt: skip
    assert newest.messages(5) == []


def test_many_series_are_told_in_several_messages() -> None:
    newest = Newest("1")
    for gateway in range(10):
        series = table(f"g{gateway}", 700)
        newest.add(Batch.of(series, np.arange(700), np.full(700, 9), np.arange(700.0)))
    messages = newest.messages(5)

    assert len(messages) == 4
    assert max(map(len, messages)) < 500_000
    assert sum(len(message.decode(one).batch) for one in messages) == 7000
