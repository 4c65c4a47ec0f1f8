"""The fast way of reading a batch gives what the careful way gives, for whatever arrives."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.ingest.decoder import BatchDecoder
from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.tree import Series
from tests.store.rows import rows_of

NAMES = st.text(st.sampled_from(['"', "\\", "]", ",", "[", "s", ":", "济", "{", "}", " ", "e"]), max_size=12)
SERIES = st.builds(Series, NAMES, NAMES, NAMES.filter(bool), NAMES, NAMES, NAMES)
NUMBER = Number("g1", "b-1-0", 3, 5, 1, 2)


def encoded(series, rows: int, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    quality = rng.choice([0, 0, 1, 255], rows)
    value = np.where(quality == 1, np.nan, rng.normal(0, 1, rows) * 10.0 ** rng.integers(-300, 300, rows))
    index = rng.integers(0, len(series), rows) if rows else np.empty(0, np.int32)
    batch = Batch.of(series, index, rng.integers(0, 2**62, rows), value, quality)
    return message.encode(Message(NUMBER, 17, batch))


def same(left: Message, right: Message) -> None:
    assert (left.number, left.sent_ms) == (right.number, right.sent_ms)
    assert rows_of(left.batch) == rows_of(right.batch)
    for column in ("index", "time_ms", "value", "quality"):
        assert getattr(left.batch, column).dtype == getattr(right.batch, column).dtype


@given(
    series=st.lists(SERIES, min_size=1, max_size=4, unique=True),
    rows=st.lists(st.integers(0, 20), min_size=2, max_size=4),
)
def test_both_ways_read_the_same(series, rows):
    decoder = BatchDecoder()
    for seed, count in enumerate(rows):
        payload = encoded(series, count, seed)
        same(decoder.decode(payload, "g1"), message.decode(payload))


def test_a_table_that_comes_again_is_the_very_same_object():
    decoder = BatchDecoder()
    series = [Series("s", f"d{at}", "power") for at in range(9)]
    whole = [Batch.of(series, np.arange(9), np.arange(9) + at, np.arange(9.0)) for at in range(3)]
    found = [decoder.decode(message.encode(Message(NUMBER, 1, one)), "g1") for one in whole]
    assert found[2].batch.series is found[1].batch.series is found[0].batch.series
    other = decoder.decode(message.encode(Message(NUMBER, 1, whole[0])), "g2")
    assert other.batch.series is not found[0].batch.series


GOOD = orjson.loads(encoded([Series("s", "d", "power", "e", "b", "r")], 3, 1))


@pytest.mark.parametrize(
    "change",
    [
        {"gateway": 5}, {"gateway": ""}, {"boot": None}, {"seq": 0}, {"seq": True}, {"seq": 1.5}, {"last": 1}, {"part": 9},
        {"s": [0, 0]}, {"s": [0, 0, 7]}, {"s": [0, 0, -1]}, {"s": [0, 0, 2**40]}, {"s": [[0], 0, 0]}, {"t": [1, 2, "3"]},
        {"t": [1, 2, 3.5]}, {"t": None}, {"v": [1, True, 2]}, {"v": [1, "x", 2]}, {"v": [1, [2], 3]}, {"q": [0, 0, 256]},
        {"q": [0, 0, -1]}, {"q": [0, 0, None]}, {"sent_ms": -1}, {"sent_ms": "x"},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_as_the_careful_way_refuses_it(change):
    decoder = BatchDecoder()
    decoder.decode(orjson.dumps(GOOD), "g1")
    damaged = orjson.dumps(GOOD | change)
    with pytest.raises(InputError) as expected:
        message.decode(damaged)
    with pytest.raises(InputError) as found:
        decoder.decode(damaged, "g1")
    assert str(found.value) == str(expected.value)
    same(decoder.decode(orjson.dumps(GOOD), "g1"), message.decode(orjson.dumps(GOOD)))


@given(payload=st.binary(max_size=200))
def test_rubbish_is_refused_with_a_reason(payload):
    decoder = BatchDecoder()
    decoder.decode(orjson.dumps(GOOD), "g1")
    good = orjson.dumps(GOOD)
    for data in (payload, good[: len(payload)] + payload, good[:-1] + payload):
        try:
            expected = message.decode(data)
        except InputError:
            with pytest.raises(InputError):
                decoder.decode(data, "g1")
        else:
            same(decoder.decode(data, "g1"), expected)
