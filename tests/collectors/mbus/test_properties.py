"""What damage may do to a frame: no reading, never a wrong one. The encoders here are struct and bare hands."""

import datetime as dt
import struct
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kgce.collectors.mbus import frame, values
from kgce.collectors.mbus.link import FrameError, decode, find_answer
from kgce.collectors.mbus.records import LONGEST_CHAIN, decode_records
from kgce.collectors.mbus.telegram import EncryptedTelegram, Telegram

HEAT = bytes.fromhex(  # an OMS heat meter; shared/data/captures/mbus/oms_frame3.hex is the same telegram
    "683c3c6808fd72785634122423"
    "2a04260000000c06270485020c13763470004c061954440142"
    "6cff0c0b3b2701000b2a973200"
    "0a5a43040a5e510202fd170000c816"
)
TRUTH = frame.parse(HEAT)


def parsed(data: bytes) -> Telegram | None:
    try:
        return frame.parse(data)
    except FrameError:
        return None


def long_frame(body: bytes) -> bytes:
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])


def answer(records: bytes) -> bytes:
    return long_frame(bytes.fromhex("0801" + "72" + "78563412" + "2d2c" + "0104" + "0100" + "0000") + records)


def test_the_frame_of_these_tests_is_the_captured_one(shared_data: Path) -> None:
    assert bytes.fromhex((shared_data / "captures" / "mbus" / "oms_frame3.hex").read_text()) == HEAT


@given(st.integers(0, len(HEAT) * 8 - 1))
def test_any_single_flipped_bit_gives_no_reading(place: int) -> None:
    """The sum of one byte finds every single flip; two flips of opposite sense in one column it cannot find."""
    flipped = bytearray(HEAT)
    flipped[place // 8] ^= 1 << place % 8
    assert parsed(bytes(flipped)) is None
    assert find_answer(bytes(flipped)) is None


@given(st.integers(0, len(HEAT) - 1), st.integers(1, 255))
def test_any_single_changed_byte_gives_no_reading(place: int, change: int) -> None:
    changed = bytearray(HEAT)
    changed[place] ^= change
    assert parsed(bytes(changed)) is None


@given(st.integers(0, len(HEAT)), st.integers(0, len(HEAT)))
def test_a_piece_of_a_frame_gives_no_reading(start: int, end: int) -> None:
    piece = HEAT[start:end]
    if piece != HEAT:
        assert parsed(piece) is None
        assert find_answer(piece) is None


@given(st.integers(0, len(HEAT)), st.integers(0, len(HEAT)))
def test_two_pieces_joined_give_the_right_reading_or_none(first: int, second: int) -> None:
    joined = HEAT[:first] + HEAT[second:]
    assert parsed(joined) in {None, TRUTH} if joined != HEAT else parsed(joined) == TRUTH
    found = find_answer(joined)
    assert found is None or found == decode(HEAT)


@given(st.binary(max_size=40).filter(lambda noise: 0x68 not in noise), st.binary(max_size=40))
def test_noise_around_a_frame_does_not_change_what_is_read(before: bytes, after: bytes) -> None:
    found = find_answer(before + HEAT + after)
    assert found is None or found == decode(HEAT)
    assert find_answer(before + HEAT) == decode(HEAT)


def test_the_same_frame_twice_is_no_answer() -> None:
    """Two meters answered one after the other: whose reading it is cannot be told."""
    assert parsed(HEAT + HEAT) is None
    assert find_answer(HEAT + HEAT) is None


@given(st.integers(0, 3).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
def test_a_frame_within_a_frame_that_is_still_coming_is_not_taken(tail: bytes) -> None:
    outer = answer(b"\x0f" + HEAT + tail)
    for end in range(len(outer)):
        assert find_answer(outer[:end]) is None
    assert find_answer(outer) == decode(outer)


@given(st.binary(max_size=400))
@example(b"\x68\x03\x03\x68\x08\x01\x72\x7b\x16")
@example(b"\xe5")
def test_any_bytes_are_a_telegram_or_a_frame_error(data: bytes) -> None:
    parsed(data)
    find_answer(data)


@given(st.binary(max_size=230), st.sampled_from([0x70, 0x71, 0x72, 0x73, 0x76, 0x77, 0x78, 0x7A, 0x00]))
def test_any_payload_in_a_sound_frame_is_a_telegram_or_a_frame_error(payload: bytes, ci: int) -> None:
    telegram = parsed(long_frame(bytes([0x08, 0x01, ci]) + payload))
    assert telegram is None or len(telegram.records) <= len(payload)


@given(st.lists(st.tuples(st.sampled_from([0x04, 0x14, 0x44]), st.integers(-(2**31) + 1, 2**31 - 1)), max_size=30))
def test_integers_come_back_as_struct_wrote_them(rows: list[tuple[int, int]]) -> None:
    telegram = frame.parse(answer(b"".join(struct.pack("<BBi", dif, 0x03, value) for dif, value in rows)))
    assert [record.value for record in telegram.records] == [float(value) for _, value in rows]
    assert [(record.function.value, record.storage) for record in telegram.records] == [
        (dif >> 4 & 3, dif >> 6) for dif, _ in rows
    ]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_reals_come_back_as_struct_wrote_them(value: float) -> None:
    (record,) = frame.parse(answer(struct.pack("<BBf", 0x05, 0x5B, value))).records
    assert record.value == value


@given(st.integers(-(10**7) + 1, 10**8 - 1))
def test_bcd_comes_back_as_its_digits_were_written(number: int) -> None:
    digits = f"f{-number:07d}" if number < 0 else f"{number:08d}"
    (record,) = frame.parse(answer(b"\x0c\x16" + bytes.fromhex(digits)[::-1])).records
    assert record.value == float(number)


@given(st.integers(0, 0x7FF), st.integers(0, 0xFF), st.integers(0, 0xF))
def test_storage_tariff_and_subunit_come_back_from_their_chain(storage: int, tariff: int, subunit: int) -> None:
    """EN 13757-3: storage 1 + 4 bits per DIFE, tariff 2, subunit 1; four DIFEs here."""
    difes = [
        (storage >> (1 + 4 * n) & 0xF) | (tariff >> 2 * n & 3) << 4 | (subunit >> n & 1) << 6 | (0x80 if n < 3 else 0)
        for n in range(4)
    ]
    (record,) = decode_records(bytes([0x81 | (storage & 1) << 6, *difes, 0x16, 7])).records
    assert (record.storage, record.tariff, record.subunit, record.value) == (storage, tariff, subunit, 7.0)


@given(st.datetimes(min_value=dt.datetime(1981, 1, 1), max_value=dt.datetime(2080, 12, 31)))
def test_a_date_with_time_comes_back(moment: dt.datetime) -> None:
    year = moment.year % 100
    data = bytes([moment.minute, moment.hour, moment.day | (year & 7) << 5, moment.month | (year >> 3) << 4])
    got = values.minute_time(data)
    assert got.is_valid
    assert (got.year, got.month, got.day, got.hour, got.minute) == (
        moment.year, moment.month, moment.day, moment.hour, moment.minute,
    )  # fmt: skip


@pytest.mark.parametrize("head", [b"\x84", b"\x04\x93"])
def test_chains_longer_than_the_standard_allows_are_refused(head: bytes) -> None:
    allowed = head + b"\x80" * (LONGEST_CHAIN - 1) + b"\x00"
    too_long = head + b"\x80" * LONGEST_CHAIN + b"\x00"
    value = b"\x13\x01\x00\x00\x00"
    assert len(decode_records(allowed + value[0 if head == b"\x84" else 1 :]).records) == 1
    with pytest.raises(FrameError, match="more than 10"):
        decode_records(too_long + value)


def test_an_encrypted_payload_is_refused_with_the_reason_and_a_decrypted_one_is_read() -> None:
    """Mode 5, one block (OMS volume 2, configuration word): 10 05 low byte first; decrypted data starts with 2F 2F."""
    head = bytes.fromhex("080172785634122d2c010401001005")
    with pytest.raises(EncryptedTelegram, match="AES-128"):
        frame.parse(long_frame(head + bytes(range(16))))
    (record,) = frame.parse(long_frame(head + b"\x2f\x2f" + b"\x04\x13\x01\x00\x00\x00" + b"\x2f" * 8)).records
    assert record.value == 0.001


@pytest.mark.hazard(30)
@pytest.mark.hazard(31)
@pytest.mark.parametrize(
    "record", ["027d0080", "020b0080", "02590080", "0459 00000080", "0b3b eeeeee", "055b 0000c07f", "055b 0000807f"]
)
def test_not_available_is_not_a_number(record: str) -> None:
    """EN 13757-3 annex A: most negative integer, digits above 9, NaN and infinity."""
    (got,) = decode_records(bytes.fromhex(record)).records
    assert isinstance(got.value, float)
    assert got.value != got.value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("00000000", id="day 0, month 0"),
        pytest.param("80091f2c", id="marked invalid"),
        pytest.param("1e18412c", id="hour 24"),
        pytest.param("3c08412c", id="minute 60"),
        pytest.param("1e085e22", id="30 February"),
        pytest.param("ffffffff", id="all ones"),
    ],
)
def test_a_time_that_names_no_instant_is_not_valid(data: str) -> None:
    assert not values.minute_time(bytes.fromhex(data)).is_valid
