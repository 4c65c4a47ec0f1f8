"""Whatever happens to a frame, it yields the right reading or none.

What the checksums can promise, and no more: RTU's CRC finds every change of one to three bits; ASCII's LRC every changed
character; TCP has no checksum, so the promise is about header, length, unit, function, byte count and transaction, not
about bits flipped inside the data (TCP's own checksum is below us). A frame that got longer or shorter is refused by
its length in every mode.
"""

import struct
from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kgce.collectors.modbus.expected import Expected
from kgce.collectors.modbus.frames import parse_answer, parse_frame, split_frames, wrap
from kgce.collectors.modbus.pdu import FrameError, expected_byte_count
from tests.collectors.modbus.wire import encoded, registers_pdu

MODES = ("tcp", "rtu", "ascii")
TID = 0x1234

registers = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125)
units = st.integers(1, 247)
functions = st.sampled_from([3, 4])
modes = st.sampled_from(MODES)


@st.composite
def exchanges(draw, mode=modes) -> tuple[str, bytes, bytes, list[int], int]:
    """(mode, request, answer, registers, unit), encoded by pymodbus."""
    chosen, words, unit, function = draw(mode), draw(registers), draw(units), draw(functions)
    request = encoded(chosen, struct.pack(">BHH", function, draw(st.integers(0, 0xFF00)), len(words)), unit, TID)
    return chosen, request, encoded(chosen, registers_pdu(function, words), unit, TID), words, unit


def reading(mode: str, frame: bytes, request: bytes) -> list[int] | None:
    try:
        found = parse_answer(mode, frame, request).pdu.registers
    except FrameError:
        return None
    return None if found is None else list(found)


def flipped(frame: bytes, places: set[int]) -> bytes:
    changed = bytearray(frame)
    for place in places:
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


@given(exchanges())
def test_what_another_library_encodes_is_decoded(exchange) -> None:
    mode, request, frame, words, _ = exchange
    assert reading(mode, frame, request) == words


@given(exchanges(), st.integers(0, 400), st.integers(1, 400))
def test_a_frame_with_a_piece_cut_out_is_no_reading(exchange, start: int, length: int) -> None:
    mode, request, frame, _, _ = exchange
    start %= len(frame)
    assert reading(mode, frame[:start] + frame[start + length :], request) is None


@given(exchanges(), st.integers(0, 400), st.integers(1, 400))
def test_a_frame_with_a_piece_twice_is_no_reading(exchange, start: int, length: int) -> None:
    mode, request, frame, _, _ = exchange
    start %= len(frame)
    assert reading(mode, frame[: start + length] + frame[start:], request) is None


@given(exchanges(), exchanges())
def test_two_frames_taken_for_one_are_no_reading(one, two) -> None:
    mode, request, frame, _, _ = one
    assert reading(mode, frame + encoded(mode, b"\x03\x02" + two[2][:2], two[4], TID), request) is None


@pytest.mark.hazard(6)
@given(exchanges(st.just("rtu")), st.sets(st.integers(0, 10_000), min_size=1, max_size=3))
def test_up_to_three_flipped_bits_of_an_rtu_frame_are_found(exchange, places: set[int]) -> None:
    mode, request, frame, _, _ = exchange
    assert reading(mode, flipped(frame, {place % (8 * len(frame)) for place in places}), request) is None


@given(exchanges(st.just("ascii")), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_character_of_an_ascii_frame_is_found(exchange, place: int, character: int) -> None:
    """Upper or lower case says the same digit."""
    mode, request, frame, words, _ = exchange
    changed = bytearray(frame)
    changed[place % len(frame)] = character
    assert reading(mode, bytes(changed), request) == (words if bytes(changed).upper() == frame else None)


@given(exchanges(st.just("tcp")), st.integers(0, 71), st.booleans())
def test_any_other_header_function_or_byte_count_of_a_tcp_frame_is_found(exchange, place: int, whole: bool) -> None:
    mode, request, frame, _, _ = exchange
    changed = flipped(frame, {place} | ({place ^ 1} if whole else set()))
    assert reading(mode, changed, request) is None


def hexed(mode: str, frame: bytes) -> str:
    return frame[1:-2].decode() if mode == "ascii" else ""


@given(st.binary(max_size=600), modes)
def test_any_bytes_are_refused_or_read_and_nothing_else(data: bytes, mode: str) -> None:
    cut = split_frames(mode, data)
    assert len(cut.rest) <= len(data)
    for frame in (data, *cut.frames):
        with suppress(FrameError):
            assert parse_frame(mode, frame).pdu.data in frame + bytes.fromhex(hexed(mode, frame))


@given(exchanges(), st.lists(st.integers(1, 50), max_size=20))
def test_a_stream_in_any_pieces_is_cut_into_the_frames_it_was_made_of(exchange, sizes: list[int]) -> None:
    mode, request, frame, _, _ = exchange
    whole = request + frame + frame
    rest, found, at = b"", [], 0
    for size in [*sizes, len(whole)]:
        cut = split_frames(mode, rest + whole[at : at + size])
        at, rest = at + size, cut.rest
        found += cut.frames
    assert found == [request, frame, frame]


def expected_of(mode: str, request: bytes, unit: int, function: int, count: int) -> Expected:
    return Expected(mode, request, unit, function, expected_byte_count(function, count), TID)


def fed(expected: Expected, data: bytes, sizes: list[int]) -> list[int] | None:
    """What the link's judge makes of a stream in pieces: the answer's registers, or none."""
    rest, at = b"", 0
    for size in [*sizes, len(data)]:
        rest += data[at : at + size]
        at += size
        if not rest:
            continue
        try:
            used, pdu = expected.take(rest)
        except FrameError:
            return None
        if pdu is not None:
            return list(struct.unpack(f">{pdu[1] // 2}H", pdu[2:])) if pdu[0] < 0x80 else None
        rest = rest[used:]
    return None


pieces = st.lists(st.integers(1, 40), max_size=12)


@pytest.mark.hazard(5)
@given(exchanges(), pieces)
def test_an_answer_in_any_pieces_is_taken_whole(exchange, sizes: list[int]) -> None:
    mode, request, frame, words, unit = exchange
    assert fed(expected_of(mode, request, unit, parsed_function(mode, request), len(words)), frame, sizes) == words


def parsed_function(mode: str, request: bytes) -> int:
    return parse_frame(mode, request, "request").pdu.function


@pytest.mark.hazard(1, 4)
@given(exchanges(), exchanges(), pieces, st.integers(1, 0xFFFF))
def test_others_answers_before_ours_are_passed_over(one, two, sizes: list[int], behind: int) -> None:
    """A late answer of another unit on a serial line, of another transaction on TCP."""
    mode, request, frame, words, unit = one
    assume(two[4] != unit)
    pdu = registers_pdu(4, two[3])
    other = wrap(mode, pdu, unit=two[4], tid=(TID + behind) % 0x1_0000)
    expected = expected_of(mode, request, unit, parsed_function(mode, request), len(words))
    assert fed(expected, other + frame, sizes) == words


@pytest.mark.hazard(9)
@given(exchanges(st.sampled_from(["rtu", "ascii"])), st.binary(min_size=1, max_size=8), pieces)
@example(  # ff ff 00 00 00 inside the answer is a whole frame of unit 255, CRC and all
    ("rtu", bytes.fromhex("01 03 00 00 00 03 05cb"), bytes.fromhex("01 03 06 ffff 0000 0000 216e"), [65535, 0, 0], 1),
    b"\0",
    [16],
)
def test_noise_or_an_echo_before_a_serial_answer_never_changes_it(exchange, noise: bytes, sizes: list[int]) -> None:
    """Noise that begins like the answer may cost it, never falsify it."""
    mode, request, frame, words, unit = exchange
    function = parsed_function(mode, request)
    assert fed(expected_of(mode, request, unit, function, len(words)), request + frame, sizes) == words
    noisy = fed(expected_of(mode, request, unit, function, len(words)), noise + frame, sizes)
    assert noisy in (words, None)
    assume(noise[0] != unit and b":" not in noise)
    whole = fed(expected_of(mode, request, unit, function, len(words)), noise + frame, [])
    assert whole == words


@given(exchanges(), st.integers(0, 400), st.integers(1, 400), st.sampled_from(["cut", "twice", "joined"]), pieces)
def test_a_stream_with_a_piece_cut_twice_or_joined_gives_the_right_reading_or_none(
    exchange, start: int, length: int, how: str, sizes: list[int]
) -> None:
    mode, request, frame, words, unit = exchange
    start %= len(frame)
    stream = {
        "cut": frame[:start] + frame[start + length :],
        "twice": frame[: start + length] + frame[start:],
        "joined": frame[:start] + frame,
    }[how]
    function = parsed_function(mode, request)
    found = fed(expected_of(mode, request, unit, function, len(words)), stream, sizes)
    if mode == "tcp":
        assert found is None or len(found) == len(words)
    else:
        assert found in (words, None)
