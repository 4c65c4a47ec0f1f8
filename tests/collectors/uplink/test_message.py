"""A batch survives the wire bit for bit; what is no batch is refused with its reason."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.uplink.message import Message, Number, decode, encode
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.tree import Series

NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SERIES = st.builds(Series, NAME, NAME, NAME, NAME, NAME, NAME)
ROW = st.tuples(
    SERIES,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=True, allow_infinity=False),
    st.integers(0, 255),
)
NUMBER = Number("g1", "3f2a9c01-7-9e02", 17, 19)


@given(st.lists(ROW, max_size=20))
def test_a_batch_comes_back_as_it_was(rows) -> None:
    batch = Batch.from_rows(rows)
    back = decode(encode(Message(NUMBER, 5, batch)))
    assert back.number == NUMBER
    assert back.sent_ms == 5
    assert [_texts(back.batch, row) for row in range(len(rows))] == [_texts(batch, row) for row in range(len(rows))]
    assert back.batch.time_ms.tolist() == batch.time_ms.tolist()
    assert back.batch.quality.tolist() == batch.quality.tolist()
    assert np.array_equal(back.batch.value, batch.value, equal_nan=True)


def _texts(batch, row):
    series = batch.series[batch.index[row]]
    return (*series.key, series.measurement, series.building, series.region)


def test_the_wire_carries_the_columns_that_the_design_names() -> None:
    batch = Batch.from_rows(
        [(Series("town-hall", "main", "active_power", "electricity", "a", "370102"), 7, math.nan, 1)]
    )
    assert orjson.loads(encode(Message(NUMBER, 5, batch))) == {
        "gateway": "g1", "boot": "3f2a9c01-7-9e02", "seq": 17, "last": 19, "part": 1, "parts": 1, "sent_ms": 5,
        "series": [["town-hall", "main", "active_power", "electricity", "a", "370102"]],
        "s": [0], "t": [7], "v": [None], "q": [1],
    }  # fmt: skip


GOOD = {
    "gateway": "g1", "boot": "b", "seq": 1, "sent_ms": 5, "series": [["i", "d", "voltage", "", "", ""]],
    "s": [0, 0], "t": [1, 2], "v": [1.5, 2], "q": [0, 0],
}  # fmt: skip


def test_last_part_and_parts_may_be_left_out() -> None:
    message = decode(orjson.dumps(GOOD))
    assert message.number == Number("g1", "b", 1, 1)
    assert message.batch.value.tolist() == [1.5, 2.0]
    assert message.batch.index.dtype == np.int32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gateway": ""}, "gateway"),
        ({"boot": 7}, "boot"),
        ({"seq": 0}, "numbers make no sense"),
        ({"seq": True}, "seq"),
        ({"seq": 5, "last": 4}, "numbers make no sense"),
        ({"part": 3, "parts": 2}, "numbers make no sense"),
        ({"sent_ms": "now"}, "sent_ms"),
        ({"series": [["i", "d"]]}, "six texts"),
        ({"series": "x"}, "series"),
        ({"series": [["i" * 5000, "d", "v", "", "", ""]]}, "longer than"),
        ({"s": [0, 1]}, "outside the table"),
        ({"s": [0, -1]}, "outside the table"),
        ({"s": [0]}, "differ in length"),
        ({"s": [0.0, 0]}, "s holds"),
        ({"t": [1, 2**70]}, "t holds"),
        ({"q": [0, 256]}, "q holds"),
        ({"s": [0, 2**32]}, "s holds"),
        ({"t": [1, True]}, "t holds"),
        ({"v": ["1.5", 2]}, "v holds"),
        ({"v": [True, 2]}, "v holds"),
        ({"v": None}, "v is no list"),
    ],
)
def test_what_is_no_batch_is_refused_with_the_reason(change, words) -> None:
    with pytest.raises(InputError, match=words):
        decode(orjson.dumps({**GOOD, **change}) if "t" not in change else _dump({**GOOD, **change}))


def _dump(document) -> bytes:
    import json

    return json.dumps(document).encode()


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"7"])
def test_rubbish_is_refused(payload) -> None:
    with pytest.raises(InputError):
        decode(payload)
