"""Frames under noise, cuts, joins and flipped bits: the right reading or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.cjt188.exchange import Answer, DiOrder, Refusal, finder, question
from kgce.collectors.cjt188.frame import Frame, encode, is_meant, parse, wire_address
from kgce.collectors.cjt188.values import decode
from kgce.domain.errors import InputError
from kgce.simulators.cjt188 import codec

METER, OTHER = "00002020120218", "00002020120219"
PAYLOAD = bytes.fromhex("000200002c000200002c0000000000000000ff")  # cjt-2.00 of protocol_vectors.json

addresses = st.binary(min_size=7, max_size=7).map(bytes.hex)
frames = st.builds(Frame, st.integers(0x10, 0x4F), addresses, st.integers(0, 255), st.binary(max_size=60))
find = finder(0x10, METER)


def answer(
    address: str = METER, meter_type: int = 0x10, control: int = 0x81, data: bytes = b"\x90\x1f\x00" + PAYLOAD
) -> bytes:
    return codec.frame(meter_type, address, control, data)


@given(frames)
def test_what_an_independent_encoder_writes_is_read_back(frame: Frame) -> None:
    raw = codec.frame(frame.meter_type, frame.address, frame.control, frame.data)
    assert parse(raw) == [frame]
    assert encode(frame) == raw


@pytest.mark.hazard(5)
@given(frames, st.data())
def test_a_cut_frame_is_no_frame(frame: Frame, data: st.DataObject) -> None:
    raw = encode(frame)
    assert frame not in parse(raw[: data.draw(st.integers(0, len(raw) - 1))])
    assert frame not in parse(raw[1:])


@pytest.mark.hazard(5, 9)
@given(st.lists(frames, max_size=4), st.binary(max_size=8).filter(lambda noise: b"\x68" not in noise))
def test_joined_frames_with_noise_between_them_are_all_found(several: list[Frame], noise: bytes) -> None:
    assert parse(noise.join(map(encode, several)) + noise) == several


@pytest.mark.hazard(6)
@given(st.integers(0, 99_999_999), st.data())
def test_a_flipped_bit_gives_no_reading(hundredths: int, data: st.DataObject) -> None:
    right = codec.digits(hundredths / 100, 4, 2)
    raw = bytearray(answer(data=b"\x90\x1f\x00" + right + PAYLOAD[4:]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = find(bytes(raw))
    if isinstance(found, Answer):  # only a changed length could end in another sum; then the layout does not fit
        with pytest.raises(InputError):
            decode(found.meter_type, found.payload)


@given(st.binary(max_size=600))
def test_any_bytes_are_parsed_without_an_error(noise: bytes) -> None:
    for frame in parse(noise):
        assert encode(frame) in noise
        try:
            decode(frame.meter_type, frame.data[3:])
        except InputError:
            continue


@given(st.sampled_from([0x10, 0x13, 0x20, 0x21, 0x30, 0x40]), st.binary(min_size=43, max_size=43))
def test_any_payload_gives_numbers_or_none(meter_type: int, payload: bytes) -> None:
    size = 43 if meter_type in {0x20, 0x21} else 19
    reading = decode(meter_type, payload[:size])
    for value in reading.values:
        assert value.number is None or value.number >= 0


@pytest.mark.hazard(2, 4)
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(answer(address=OTHER), id="another meter"),
        pytest.param(answer(meter_type=0x20), id="another type"),
        pytest.param(answer(control=0x84), id="an answer to a write"),
        pytest.param(answer(data=b"\xd1\x20\x00" + PAYLOAD), id="another identifier"),
        pytest.param(answer(data=b"\x90\x1f"), id="no serial number"),
        pytest.param(question(0x10, METER, DiOrder.HIGH_FIRST), id="our own echo"),
        pytest.param(answer()[:-1], id="half a frame"),
    ],
)
def test_what_is_not_the_answer_is_waited_past(wrong: bytes) -> None:
    assert find(wrong) is None
    assert find(wrong + answer()) == Answer(0x10, METER, PAYLOAD)


@pytest.mark.parametrize("order", list(DiOrder))
def test_both_orders_of_the_identifier_are_answers(order: DiOrder) -> None:
    assert find(answer(data=bytes.fromhex(order) + b"\x07" + PAYLOAD)) == Answer(0x10, METER, PAYLOAD)


def test_a_refusal_is_found() -> None:
    assert find(answer(control=0xC1, data=b"\x01\x02")) == Refusal(METER, b"\x01\x02")


def test_a_question_is_the_published_request_with_a_preamble() -> None:
    """cjt-req-b of protocol_vectors.json."""
    published = bytes.fromhex("68100100000508000001031f90003916")
    assert question(0x10, "00000805000001", DiOrder.LOW_FIRST) == b"\xfe" * 4 + published


def test_a_wildcard_fits_every_meter() -> None:
    assert is_meant("aa" * 7, METER)
    assert not is_meant(OTHER, METER)
    assert wire_address("1").hex() == "01000000000000"
    with pytest.raises(InputError, match="no meter address"):
        wire_address("123456789012345")
