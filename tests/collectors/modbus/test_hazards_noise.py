"""Field hazards 6 and 9 on serial lines: damaged frames, garbage, and the own request come back.

Numbers and evidence: shared/facts/devices.md, section 4.1.
"""

import struct

import pytest

from kgce.collectors.modbus.plan import Read
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.script import TWO, WORDS, Script, serial_link
from tests.collectors.modbus.wire import Asked, Pieces, answer, encoded, registers_pdu, serial_peer


@pytest.mark.hazard(6)
@pytest.mark.parametrize("mode", ["rtu", "ascii"])
async def test_a_wrong_checksum_is_never_data_and_the_line_is_asked_once_more(mode: str) -> None:
    def damaged(asked: Asked) -> Pieces:
        frame = bytearray(answer(mode, asked, WORDS))
        frame[6] ^= 1
        return [bytes(frame)]

    async with serial_peer(mode, Script(mode, damaged, damaged, damaged)) as peer:
        link = serial_link(peer.path, mode=mode)
        with pytest.raises(DeviceUnreachable, match="is no whole frame"):
            await link.read(1, TWO)
        assert len(peer.asked) == 2
        assert list(await link.read(1, TWO)) == WORDS, "the third damaged answer costs a repetition, no reading"
    assert len(peer.asked) == 4


@pytest.mark.hazard(9)
@pytest.mark.parametrize("mode", ["rtu", "ascii"])
async def test_garbage_and_the_own_echo_before_an_answer_are_passed_over(mode: str) -> None:
    def noisy(asked: Asked) -> Pieces:
        return [b"\x00\xff\x00", answer(mode, asked, WORDS)]

    def echoed(asked: Asked) -> Pieces:
        return [asked.frame, answer(mode, asked, WORDS)]

    async with serial_peer(mode, Script(mode, noisy, echoed)) as peer:
        peer.send(b"\x13\x37 left over from before")
        link = serial_link(peer.path, mode=mode)
        for _ in range(3):
            assert list(await link.read(1, TWO)) == WORDS
    assert len(peer.asked) == 3


@pytest.mark.hazard(9)
@pytest.mark.parametrize("mode", ["rtu", "ascii"])
@pytest.mark.parametrize("echo", [False, True])
async def test_the_echo_of_a_request_for_bits_is_never_taken_for_its_answer(mode: str, echo: bool) -> None:
    """Asked for 24 bits from 0x0301 on, the request has the very shape of its answer: function 1, 3 bytes, checksum."""
    bits = Read("coil", 0x0301, 24, ())

    def only_echo(asked: Asked) -> Pieces:
        return [asked.frame]

    def echo_and_answer(asked: Asked) -> Pieces:
        return [asked.frame, encoded(mode, bytes([1, 3, 0xFF, 0, 1]), asked.unit)]

    async with serial_peer(mode, Script(mode, only_echo, echo_and_answer)) as peer:
        link = serial_link(peer.path, mode=mode, echo=echo)
        with pytest.raises(DeviceUnreachable, match="the own request came back"):
            await link.read(1, bits)
        assert list(await link.read(1, bits)) == [1] * 8 + [0] * 8 + [1] + [0] * 7


@pytest.mark.hazard(9)
@pytest.mark.parametrize("mode", ["rtu", "ascii"])
async def test_behind_the_echo_even_an_answer_with_the_bytes_of_the_request_is_one(mode: str) -> None:
    """24 bits whose bytes are 01 00 18, asked for at 0x0301: the second of two equal frames is the answer."""

    def echo_and_answer(asked: Asked) -> Pieces:
        return [asked.frame, asked.frame]

    async with serial_peer(mode, echo_and_answer) as peer:
        link = serial_link(peer.path, mode=mode, echo=True, timeout_s=5)
        found = list(await link.read(1, Read("coil", 0x0301, 24, ())))
    assert found == [1, *[0] * 7, *[0] * 8, 0, 0, 0, 1, 1, 0, 0, 0]


@pytest.mark.hazard(9)
async def test_what_lies_in_the_port_when_a_request_is_sent_is_flushed() -> None:
    """A whole, fitting frame that nobody had the time to read yet."""
    async with serial_peer("rtu", Script("rtu")) as peer:
        link = serial_link(peer.path, pause_ms=0)
        assert list(await link.read(1, TWO)) == WORDS
        peer.send(encoded("rtu", registers_pdu(3, [1, 1]), 1))
        assert list(await link.read(1, TWO)) == WORDS


def test_the_request_for_bits_does_look_like_its_answer() -> None:
    """So that the test above cannot pass for another reason."""
    request = encoded("rtu", struct.pack(">BHH", 1, 0x0301, 24), 1)
    assert (request[1], request[2], len(request)) == (1, 3, 3 + 5)
