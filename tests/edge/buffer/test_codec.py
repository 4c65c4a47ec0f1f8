"""The buffer's bytes give back the very same columns, or say that they cannot."""

import struct
import zlib

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.edge.buffer.codec import CorruptBatch, decode, encode
from tests.edge.fakes import ENERGY, NOW_MS, POWER, VOLTAGE, power_batch, rows_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SERIES = st.builds(Series, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT)
INT64 = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(SERIES, INT64, st.floats(), st.integers(0, 255)), max_size=20)


@given(ROWS)
def test_decoding_an_encoded_batch_gives_every_row_bit_for_bit(rows) -> None:
    """NaN, infinities, -0.0, any text and any time survive."""
    batch = Batch.from_rows(rows)
    back = decode(encode(batch))
    assert [back.series[i] for i in back.index] == [batch.series[i] for i in batch.index]
    assert [back.series[i].building for i in back.index] == [batch.series[i].building for i in batch.index]
    assert back.value.tobytes() == batch.value.tobytes()
    assert np.array_equal(back.time_ms, batch.time_ms)
    assert np.array_equal(back.quality, batch.quality)


def test_a_batch_that_uses_one_of_many_series_does_not_carry_the_others() -> None:
    batch = Batch.from_rows([(POWER, 1, 1.0, 0), (VOLTAGE, 1, 230.0, 0), (ENERGY, 1, 5.0, 0)])
    back = decode(encode(batch.select(np.array([False, True, False]))))
    assert back.series == (VOLTAGE,)
    assert back.value.tolist() == [230.0]


def test_a_decoded_batch_can_be_changed_in_place() -> None:
    """A sink may sort its columns."""
    back = decode(encode(power_batch(0, 3)))
    back.value[:] = 0.0
    assert back.value.tolist() == [0.0, 0.0, 0.0]


def test_one_flipped_byte_anywhere_is_found() -> None:
    blob = encode(power_batch(0, 5))
    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 0x01
        with pytest.raises(CorruptBatch):
            decode(bytes(damaged))


@pytest.mark.parametrize("length", [0, 1, 6, 7, 20])
def test_a_cut_blob_is_found(length) -> None:
    with pytest.raises(CorruptBatch):
        decode(encode(power_batch(0, 5))[:length])


def test_a_batch_written_by_an_older_kgce_is_read() -> None:
    """Layout kg1: one table and the columns, compressed as one."""
    batch = Batch.from_rows([(ENERGY, NOW_MS, 5.25, 0), (POWER, NOW_MS + 1, float("nan"), 1)])
    table = orjson.dumps(
        [[s.institution, s.device, s.quantity, s.measurement, s.building, s.region] for s in batch.series]
    )
    columns = [
        column.astype(kind).tobytes()
        for column, kind in zip(
            (batch.index, batch.time_ms, batch.value, batch.quality), ("<i4", "<i8", "<f8", "u1"), strict=True
        )
    ]
    body = zlib.compress(struct.pack("<II", len(table), 2) + table + b"".join(columns), 1)
    again = decode(struct.pack("<3sI", b"kg1", zlib.crc32(body)) + body)
    assert repr(rows_of(again)) == repr(rows_of(batch))
