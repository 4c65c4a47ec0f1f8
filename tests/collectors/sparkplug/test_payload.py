"""Bytes in, metrics out; or a refusal, and nothing else."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.sparkplug.datatype import DatatypeError, shortest, typed_value
from kgce.collectors.sparkplug.payload import LONGEST, MOST_METRICS, PayloadError, parse, rebirth_command
from kgce.simulators.sparkplug.encode import Datatype, SentMetric, asks_for_births, payload

RANGES = {
    Datatype.INT8: (-128, 127), Datatype.INT16: (-(2**15), 2**15 - 1), Datatype.INT32: (-(2**31), 2**31 - 1),
    Datatype.INT64: (-(2**63), 2**63 - 1), Datatype.UINT8: (0, 255), Datatype.UINT16: (0, 2**16 - 1),
    Datatype.UINT32: (0, 2**32 - 1), Datatype.UINT64: (0, 2**64 - 1),
}  # fmt: skip


@st.composite
def metrics(draw: st.DrawFn) -> SentMetric:
    kind = draw(st.sampled_from(list(Datatype)))
    if kind in RANGES:
        value = draw(st.integers(*RANGES[kind]))
    elif kind in {Datatype.FLOAT, Datatype.DOUBLE}:
        value = draw(st.floats(width=32 if kind is Datatype.FLOAT else 64))
    else:
        value = draw(st.booleans() if kind is Datatype.BOOLEAN else st.text(max_size=20))
    return SentMetric(
        draw(st.none() | st.just(value)),
        kind,
        draw(st.none() | st.text(max_size=20)),
        draw(st.none() | st.integers(0, 2**64 - 1)),
        draw(st.none() | st.integers(0, 2**63)),
        is_historical=draw(st.booleans()),
        unit=draw(st.none() | st.text(max_size=5)),
    )


@given(st.integers(0, 2**64 - 1), st.lists(metrics(), max_size=5), st.none() | st.integers(0, 255))
def test_what_an_independent_encoder_wrote_is_read_back(time_ms: int, sent: list[SentMetric], seq: int | None) -> None:
    read = parse(payload(time_ms, sent, seq))
    assert (read.timestamp, read.seq) == (time_ms, seq)
    assert len(read.metrics) == len(sent)
    for got, want in zip(read.metrics, sent, strict=True):
        assert (got.name, got.alias, got.timestamp, got.datatype) == (want.name, want.alias, want.time_ms, want.kind)
        assert (got.is_historical, got.is_null, got.unit) == (want.is_historical, want.value is None, want.unit)
        if want.value is not None:
            value = typed_value(got, want.kind)
            assert repr(value) == repr(want.value)


@given(st.lists(metrics(), min_size=1, max_size=4), st.data())
def test_a_cut_payload_gives_no_complete_message(sent: list[SentMetric], data: st.DataObject) -> None:
    """seq is written last, and a message without it is no data: a cut is either refused or lacks it."""
    whole = payload(1_790_000_000_000, sent, 7)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        read = parse(cut)
    except PayloadError:
        return
    assert read.seq is None


@given(st.lists(metrics(), max_size=3), st.lists(metrics(), max_size=3))
def test_joined_payloads_are_refused(first: list[SentMetric], second: list[SentMetric]) -> None:
    """The protobuf runtime alone would merge them."""
    with pytest.raises(PayloadError, match="comes twice"):
        parse(payload(1, first, 1) + payload(2, second, 2))


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_read_and_nothing_else(data: bytes) -> None:
    try:
        read = parse(data)
    except PayloadError:
        return
    for metric in read.metrics:
        try:
            typed_value(metric, metric.datatype or 0)
        except DatatypeError:
            continue


@given(st.lists(metrics(), min_size=1, max_size=3), st.data())
def test_a_flipped_bit_raises_nothing_but_the_refusal(sent: list[SentMetric], data: st.DataObject) -> None:
    raw = bytearray(payload(1_790_000_000_000, sent, 7))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        read = parse(bytes(raw))
    except PayloadError:
        return
    assert read.seq is None or 0 <= read.seq <= 255


def test_size_is_bounded_before_anything_is_built() -> None:
    with pytest.raises(PayloadError, match="at most"):
        parse(bytes(LONGEST + 1))
    with pytest.raises(PayloadError, match="at most"):
        parse(b"\x12\x00" * (MOST_METRICS + 1))
    assert len(parse(b"\x12\x00" * MOST_METRICS).metrics) == MOST_METRICS


@pytest.mark.parametrize("raw", [b"\x0b\x0c", b"\x18\x80\x02", b"\x08", b"\xff" * 12, b"\x12\x05\x0a\x7f"])
def test_what_no_payload_contains_is_refused(raw: bytes) -> None:
    """A group, seq 256, a key without value, an endless number, a metric shorter than its name."""
    with pytest.raises(PayloadError):
        parse(raw)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(PayloadError, match="UTF-8"):
        parse(b"\x12\x03\x0a\x01\xff")


def test_fields_nobody_knows_are_passed_over() -> None:
    """Field 200, and a data set (17) inside a metric."""
    read = parse(b"\xc2\x0c\x01x" + b"\x12\x08\x0a\x01m\x8a\x01\x02\x08\x01" + b"\x18\x05")
    assert (read.seq, read.metrics[0].name, read.metrics[0].raw) == (5, "m", None)


@pytest.mark.parametrize(
    ("kind", "field", "raw", "value"),
    [
        (1, 10, 0xFF, -1),  # sign extended to the width of the type
        (1, 10, 0xFFFF_FFFF, -1),  # and to the width of the field
        (2, 10, 0x8000, -32768),
        (3, 11, 0xFFFF_FFFF_FFFF_FA24, -1500),
        (7, 11, 0xFFFF_FFFF, 4_294_967_295),  # Eclipse Tahu sends UInt32 in the long field
    ],
)
def test_both_ways_to_write_a_small_integer_are_read(kind: int, field: int, raw: int, value: int) -> None:
    body = bytes([0x20, kind, field << 3]) + _varint(raw)
    [metric] = parse(b"\x12" + bytes([len(body)]) + body).metrics
    assert typed_value(metric, kind) == value


@pytest.mark.parametrize(("kind", "raw"), [(1, 300), (5, 256), (2, 0x1_0000), (9, 1), (11, 1), (12, 1), (16, 1)])
def test_a_value_that_does_not_fit_its_datatype_is_refused(kind: int, raw: int) -> None:
    body = bytes([0x20, kind, 10 << 3]) + _varint(raw)
    [metric] = parse(b"\x12" + bytes([len(body)]) + body).metrics
    with pytest.raises(DatatypeError):
        typed_value(metric, kind)


def test_the_command_for_births_is_understood_by_an_independent_reader() -> None:
    assert asks_for_births(rebirth_command(1_790_000_000_000))
    assert parse(rebirth_command(5)).seq is None


@given(st.floats(width=32, allow_nan=False))
def test_the_shortest_decimal_is_the_same_float(value: float) -> None:
    assert struct.pack("<f", shortest(value)) == struct.pack("<f", value)


def _varint(number: int) -> bytes:
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])
