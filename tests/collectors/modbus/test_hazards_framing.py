"""Field hazards 1 to 5, 7 and 8 over real sockets and ptys: whose answer is it, and is it whole?

Numbers and evidence: shared/facts/devices.md, section 4.1.
"""

import asyncio

import pytest

from kgce.collectors.modbus.plan import Read
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.modbus.script import NETWORK_MODES, TWO, WORDS, Script, link_to, serial_link
from tests.collectors.modbus.wire import Asked, Pieces, answer, encoded, registers_pdu, serial_peer, tcp_peer


@pytest.mark.hazard(1)
@pytest.mark.parametrize("mode", NETWORK_MODES)
async def test_after_a_late_reply_the_next_reading_is_right_and_none_is_one_behind(mode: str) -> None:
    """The first answer is withheld and comes just before the second, on whatever connection there is."""
    withheld: list[bytes] = []

    def late(asked: Asked) -> Pieces:
        withheld.append(answer(mode, asked, [1, 1]))
        return []

    def behind(asked: Asked) -> Pieces:
        return [*withheld, answer(mode, asked, WORDS)] if mode == "tcp" else [answer(mode, asked, WORDS)]

    async with tcp_peer(mode, Script(mode, late, behind)) as peer:
        link = link_to(peer.port, mode=mode)
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await link.read(1, TWO)
        for _ in range(3):
            assert list(await link.read(1, TWO)) == WORDS
    assert peer.connections == 2, "a time-out closes the connection, and with it whatever is late"


@pytest.mark.hazard(1)
async def test_a_late_serial_reply_has_time_to_pass_before_its_unit_is_asked_again() -> None:
    """An RTU answer does not say which registers it holds: it must be gone before the next request to that unit."""
    loop = asyncio.get_running_loop()

    def late(asked: Asked) -> Pieces:
        loop.call_later(0.25, peer.send, answer("rtu", asked, [1, 1]))
        return []

    def slow(asked: Asked) -> Pieces:
        loop.call_later(0.1, peer.send, answer("rtu", asked, WORDS))
        return []

    async with serial_peer("rtu", Script("rtu", late, slow)) as peer:
        link = serial_link(peer.path)
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await link.read(1, TWO)
        assert list(await link.read(1, TWO)) == WORDS


@pytest.mark.hazard(2)
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        pytest.param(lambda a: encoded("tcp", registers_pdu(3, WORDS), a.unit, a.tid ^ 1), "transaction", id="other"),
        pytest.param(lambda a: encoded("tcp", registers_pdu(3, WORDS), a.unit, 0), "transaction 0 instead", id="zero"),
        pytest.param(lambda a: encoded("tcp", registers_pdu(4, WORDS), a.unit, a.tid), "function 4", id="function"),
        pytest.param(lambda a: encoded("tcp", registers_pdu(3, [1]), a.unit, a.tid), "4 bytes asked for", id="short"),
        pytest.param(lambda a: encoded("tcp", registers_pdu(3, [1] * 3), a.unit, a.tid), "counts 6", id="long"),
    ],
)
async def test_an_answer_to_something_else_is_never_data(wrong, reason: str) -> None:
    async with tcp_peer("tcp", Script("tcp", lambda asked: [wrong(asked)])) as peer:
        link = link_to(peer.port)
        with pytest.raises(DeviceUnreachable, match=reason):
            await link.read(1, TWO)
        assert list(await link.read(1, TWO)) == WORDS


@pytest.mark.hazard(2)
async def test_a_stale_transaction_is_passed_over_and_the_right_one_behind_it_is_taken() -> None:
    def stale_first(asked: Asked) -> Pieces:
        return [encoded("tcp", registers_pdu(3, [9, 9]), asked.unit, asked.tid - 1), answer("tcp", asked, WORDS)]

    async with tcp_peer("tcp", Script("tcp", stale_first)) as peer:
        assert list(await link_to(peer.port).read(1, TWO)) == WORDS


@pytest.mark.hazard(3)
async def test_a_gateway_that_never_repeats_the_transaction_is_read_once_the_file_says_so() -> None:
    def constant(asked: Asked) -> Pieces:
        return [encoded("tcp", registers_pdu(3, WORDS), asked.unit, 2)]

    async with tcp_peer("tcp", constant) as peer:
        with pytest.raises(DeviceUnreachable, match="transaction 2 instead of"):
            await link_to(peer.port).read(1, TWO)
        link = link_to(peer.port, echo_transaction=False)
        reads = [link.read(1, TWO) for _ in range(5)]
        assert [list(found) for found in await asyncio.gather(*reads)] == [WORDS] * 5


@pytest.mark.hazard(4)
@pytest.mark.parametrize("unit", [0, 255])
async def test_unit_0_or_255_answers_for_a_direct_device_only_where_the_file_says_so(unit: int) -> None:
    def direct(asked: Asked) -> Pieces:
        return [encoded("tcp", registers_pdu(3, WORDS), unit, asked.tid)]

    async with tcp_peer("tcp", direct) as peer:
        with pytest.raises(DeviceUnreachable, match=f"unit {unit} answers instead of 1"):
            await link_to(peer.port).read(1, TWO)
        assert list(await link_to(peer.port, accept_unit="direct").read(1, TWO)) == WORDS


@pytest.mark.hazard(4)
@pytest.mark.parametrize("mode", NETWORK_MODES)
async def test_another_units_answer_is_never_data(mode: str) -> None:
    def other(asked: Asked) -> Pieces:
        return [encoded(mode, registers_pdu(3, [7, 7]), 77, asked.tid)]

    async with tcp_peer(mode, Script(mode, other)) as peer:
        link = link_to(peer.port, mode=mode)
        with pytest.raises(DeviceUnreachable, match="unit 77 answers instead of 1"):
            await link.read(1, TWO)
        assert list(await link.read(1, TWO)) == WORDS


@pytest.mark.hazard(5)
@pytest.mark.parametrize("mode", NETWORK_MODES)
async def test_a_half_frame_gives_no_reading(mode: str) -> None:
    def half(asked: Asked) -> Pieces:
        return [answer(mode, asked, WORDS)[:-3]]

    async with tcp_peer(mode, Script(mode, *[half] * (1 if mode == "tcp" else 2))) as peer:
        link = link_to(peer.port, mode=mode)
        with pytest.raises(DeviceUnreachable, match=r"no answer in time, but .* is no whole frame"):
            await link.read(1, TWO)
        assert list(await link.read(1, TWO)) == WORDS


@pytest.mark.hazard(5)
@pytest.mark.parametrize("mode", NETWORK_MODES)
async def test_single_bytes_become_one_answer_and_two_answers_at_once_stay_two(mode: str) -> None:
    def bytewise(asked: Asked) -> Pieces:
        return [bytes([byte]) for byte in answer(mode, asked, WORDS)]

    def twice(asked: Asked) -> Pieces:
        return [2 * answer(mode, asked, WORDS)]

    async with tcp_peer(mode, Script(mode, bytewise, twice)) as peer:
        link = link_to(peer.port, mode=mode, timeout_s=2.0)
        for _ in range(3):
            assert list(await link.read(1, TWO)) == WORDS
    assert (len(peer.asked), peer.connections) == (3, 1)


@pytest.mark.hazard(5)
@pytest.mark.parametrize("mode", NETWORK_MODES)
async def test_an_answer_that_comes_twice_is_not_the_answer_to_the_next_request(mode: str) -> None:
    """By its transaction on TCP; by the silence that is kept before the next request where there is none."""

    def repeated(asked: Asked) -> Pieces:
        return [answer(mode, asked, [1, 1]), answer(mode, asked, [1, 1])]

    async with tcp_peer(mode, Script(mode, repeated)) as peer:
        link = link_to(peer.port, mode=mode, pause_ms=None, timeout_s=2.0)
        assert list(await link.read(1, TWO)) == [1, 1]
        assert list(await link.read(1, TWO)) == WORDS


@pytest.mark.hazard(7)
@pytest.mark.parametrize(
    ("spoken", "configured", "advice"),
    [
        pytest.param("rtu-over-tcp", "tcp", 'say mode = "rtu-over-tcp"', id="RTU on a TCP link"),
        pytest.param("tcp", "rtu-over-tcp", 'say mode = "tcp"', id="TCP on an RTU link"),
        pytest.param("ascii", "rtu-over-tcp", 'say mode = "ascii"', id="ASCII on an RTU link"),
        pytest.param("rtu-over-tcp", "ascii", 'say mode = "rtu-over-tcp", or "rtu"', id="RTU on an ASCII link"),
    ],
)
async def test_a_line_in_another_mode_is_told_which_one_to_pick(spoken: str, configured: str, advice: str) -> None:
    """A device of the other mode that answers all the same, as a converter between the two may."""

    def otherwise(asked: Asked) -> Pieces:
        return [encoded(spoken, registers_pdu(3, WORDS), asked.unit, 1)]

    async with tcp_peer(configured, otherwise) as peer:
        with pytest.raises(DeviceUnreachable, match=advice):
            await link_to(peer.port, mode=configured).read(1, TWO)


@pytest.mark.hazard(8)
async def test_an_answer_longer_than_asked_for_says_what_it_brought() -> None:
    """KEBA: one register asked for, two answered (mb-tcp-keba-1reg-4bytes)."""

    def longer(asked: Asked) -> Pieces:
        return [asked.frame[:4] + bytes.fromhex("000701030400000000")]

    async with tcp_peer("tcp", longer) as peer:
        with pytest.raises(DeviceUnreachable, match="2 bytes asked for, the answer counts 4 and brings 4"):
            await link_to(peer.port).read(1, Read("holding", 1020, 1, ()))
