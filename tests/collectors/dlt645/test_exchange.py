"""Only the whole answer of the asked meter to the asked identifier counts."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.dlt645.exchange import MOST_FOLLOWING, Answer, MeterRefused, Refusal, finder, question, read
from kgce.collectors.dlt645.frame import PREAMBLE
from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.domain.errors import DeviceUnreachable
from kgce.simulators.dlt645 import codec
from tests.collectors.line.peer import Talk, tcp_peer

METER, OTHER, DI = "123456789012", "123456789013", "00010000"
WIRE_DI = bytes.fromhex(DI)[::-1]
ENERGY = bytes.fromhex("78563412")


def answer(address: str = METER, control: int = 0x91, data: bytes = WIRE_DI + ENERGY) -> bytes:
    return codec.frame(address, control, data)


find = finder(METER, Edition.Y2007, DI)
RIGHT = Answer(METER, ENERGY)


def test_a_question_is_the_published_request_with_a_preamble() -> None:
    """dlt-req-00000000 of protocol_vectors.json."""
    published = bytes.fromhex("68907856341200681104333333335516")
    assert question("001234567890", Edition.Y2007, "00000000") == PREAMBLE + published


@pytest.mark.hazard(2, 4)
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(answer(address=OTHER), id="another meter"),
        pytest.param(answer(data=bytes.fromhex("00010200") + ENERGY), id="another identifier: a late answer"),
        pytest.param(answer(control=0x81), id="the other edition"),
        pytest.param(answer(control=0x94), id="an answer to a write"),
        pytest.param(answer(control=0x92, data=WIRE_DI + ENERGY + b"\x01"), id="a part of another answer"),
        pytest.param(question(METER, Edition.Y2007, DI), id="our own echo"),
        pytest.param(answer()[:-1], id="half a frame"),
        pytest.param(answer(data=WIRE_DI[:3]), id="shorter than the identifier"),
    ],
)
def test_what_is_not_the_answer_is_waited_past(wrong: bytes) -> None:
    assert find(wrong) is None
    assert find(wrong + answer()) == RIGHT


@pytest.mark.hazard(9)
def test_an_answer_behind_our_own_echo_is_found() -> None:
    assert find(question(METER, Edition.Y2007, DI) + b"\xfe\xfe" + answer()) == RIGHT


def test_a_refusal_says_why() -> None:
    """dlt-err-99 of protocol_vectors.json: bits 06."""
    refusal = find(codec.frame(METER, 0xD1, b"\x06"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "no such data and password or rights"
    assert find(codec.frame(METER, 0xD1, b"")) == Refusal(METER, 0)


@given(st.binary(min_size=4, max_size=4), st.data())
def test_a_flipped_bit_gives_no_reading(payload: bytes, data: st.DataObject) -> None:
    raw = bytearray(answer(data=WIRE_DI + payload))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert find(bytes(raw)) is None


@given(st.binary(min_size=4, max_size=4), st.data())
def test_cut_and_joined_answers_give_the_right_reading_or_none(payload: bytes, data: st.DataObject) -> None:
    right, late = answer(data=WIRE_DI + payload), answer(data=bytes.fromhex("00010200") + ENERGY)
    pieces = data.draw(st.lists(st.sampled_from([right, late, answer(OTHER), b"\xfe", b"\x68"]), max_size=5))
    stream = b"".join(piece[: data.draw(st.integers(0, len(piece)))] for piece in pieces)
    assert find(stream) in {None, Answer(METER, payload)}
    assert find(stream + right) == Answer(METER, payload)


async def test_an_answer_in_parts_is_joined_in_order() -> None:
    parts = [b"\x01" * 8, b"\x02" * 8, b"\x03" * 8]

    async def reply(asked: bytes, talk: Talk) -> None:
        _, control, data = codec.unmask(asked.lstrip(b"\xfe"))
        number = data[4] if control == 0x12 else 0
        more = 0x20 if number < 2 else 0
        tail = bytes([number]) if number else b""
        if number:
            talk.write(codec.frame(METER, 0xB2, WIRE_DI + b"\x09" * 8 + bytes([number - 1])))  # the part before, late
        talk.write(codec.frame(METER, control | 0x80 | more, WIRE_DI + parts[number] + tail))

    async with tcp_peer(reply) as peer:
        line = Line(LineConfig(**peer.where), timeout_s=5.0)
        assert await read(line, METER, Edition.Y2007, DI) == b"".join(parts)
        line.close()
        assert len(peer.heard) == 3


async def test_an_answer_without_end_is_given_up() -> None:
    async def reply(asked: bytes, talk: Talk) -> None:
        _, control, data = codec.unmask(asked.lstrip(b"\xfe"))
        talk.write(codec.frame(METER, control | 0xA0, WIRE_DI + b"\x01" + data[4:]))

    async with tcp_peer(reply) as peer:
        line = Line(LineConfig(**peer.where), timeout_s=5.0)
        with pytest.raises(DeviceUnreachable, match="never ends"):
            await read(line, METER, Edition.Y2007, DI)
        line.close()
        assert len(peer.heard) == MOST_FOLLOWING + 1


async def test_a_refused_identifier_is_no_silence() -> None:
    async def reply(asked: bytes, talk: Talk) -> None:
        talk.write(codec.frame(METER, 0xD1, b"\x02"))

    async with tcp_peer(reply) as peer:
        line = Line(LineConfig(**peer.where), timeout_s=5.0)
        with pytest.raises(MeterRefused, match=r"meter 123456789012 refuses 00010000: no such data"):
            await read(line, METER, Edition.Y2007, DI)
        line.close()
        await asyncio.sleep(0)
