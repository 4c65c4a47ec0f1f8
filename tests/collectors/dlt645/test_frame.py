"""Frames under noise, cuts, joins and flipped bits: the right frame or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.dlt645.frame import Frame, encode, is_meant, parse, wire_address
from kgce.domain.errors import InputError
from kgce.simulators.dlt645 import codec

addresses = st.binary(min_size=6, max_size=6).map(bytes.hex)
frames = st.builds(Frame, addresses, st.integers(0, 255), st.binary(max_size=200))


@given(frames)
def test_what_an_independent_encoder_writes_is_read_back(frame: Frame) -> None:
    raw = codec.frame(frame.address, frame.control, frame.data)
    assert parse(raw) == [frame]
    assert encode(frame) == raw


@pytest.mark.hazard(5)
@given(frames, st.data())
def test_a_cut_frame_is_no_frame(frame: Frame, data: st.DataObject) -> None:
    raw = encode(frame)
    end = data.draw(st.integers(0, len(raw) - 1))
    assert frame not in parse(raw[:end])
    assert frame not in parse(raw[1:])


@pytest.mark.hazard(5)
@given(st.lists(frames, max_size=4))
def test_joined_frames_are_all_found(several: list[Frame]) -> None:
    assert parse(b"\xfe".join(map(encode, several))) == several


@pytest.mark.hazard(9)
@given(frames, st.binary(max_size=8).filter(lambda noise: b"\x68" not in noise), st.sampled_from([b"", b"\x68", b"hh"]))
def test_noise_around_a_frame_does_not_hide_it(frame: Frame, noise: bytes, mark: bytes) -> None:
    assert frame in parse(noise + mark + b"\xfe\xfe" + encode(frame) + noise)


@pytest.mark.hazard(6)
@given(frames, st.data())
def test_a_flipped_bit_never_gives_another_frame_of_this_address(frame: Frame, data: st.DataObject) -> None:
    """One flipped bit always changes the sum by a power of two; only a changed length could move the checksum."""
    raw = bytearray(encode(frame))
    at = data.draw(st.integers(0, len(raw) - 1).filter(lambda place: place != 9))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    assert [found for found in parse(bytes(raw)) if found.address == frame.address] == []


@given(st.binary(max_size=600))
def test_any_bytes_are_parsed_without_an_error(noise: bytes) -> None:
    for frame in parse(noise):
        assert encode(frame) in noise


def test_a_mark_in_the_noise_does_not_lock_the_parser() -> None:
    good = encode(Frame("123456789012", 0x91, bytes.fromhex("00000100") + b"\x26\x00\x00\x00"))
    assert len(parse(b"\x68\x00\x68\x68" + good[:7] + good)) == 1


@pytest.mark.parametrize(
    ("printed", "wire"),
    [
        pytest.param("123456789012", "129078563412", id="low byte first"),
        pytest.param("1", "010000000000", id="filled with zeros"),
        pytest.param("EE01", "01ee00000000", id="a maker who numbers in hexadecimal"),
        pytest.param("AAAAAAAAAA12", "12aaaaaaaaaa", id="compressed: any address that ends in 12"),
    ],
)
def test_an_address_goes_over_the_line_low_byte_first(printed: str, wire: str) -> None:
    assert wire_address(printed).hex() == wire


@pytest.mark.parametrize("wrong", ["1234567890123", "12345678901G", "12-34", "0x12", "１２"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="no meter address"):
        wire_address(wrong)


@pytest.mark.parametrize(
    ("asked", "answered", "meant"),
    [
        ("123456789012", "123456789012", True),
        ("123456789012", "123456789013", False),
        ("aaaaaaaaaaaa", "123456789012", True),
        ("aaaaaaaaaa12", "123456789012", True),
        ("aaaaaaaaaa12", "123456789013", False),
    ],
)
def test_an_answer_is_meant_when_its_address_fits_the_question(asked: str, answered: str, meant: bool) -> None:
    assert is_meant(asked, answered) is meant
