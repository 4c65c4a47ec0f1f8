"""Connections and serial ports that come, go and are taken."""

import pytest

from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.line.peer import Talk, answer_to, honest, line_to, pty_peer, tcp_peer
from tests.servers import free_port


@pytest.mark.hazard(14)
async def test_a_connection_closed_while_idle_is_opened_again_without_an_error() -> None:
    async def once(question: bytes, talk: Talk) -> None:
        await honest(question, talk)
        talk.close()

    async with tcp_peer(once) as other, line_to(other) as line:
        for _ in range(3):
            assert await line.ask(b"q", answer_to(b"q")) == b"=q;"
        assert other.connections == 3


async def test_a_connection_that_goes_while_asking_is_tried_once_more_on_a_new_one() -> None:
    turn = iter(["answer", "close", "answer"])

    async def moody(question: bytes, talk: Talk) -> None:
        if next(turn) == "close":
            talk.close()
        else:
            await honest(question, talk)

    async with tcp_peer(moody) as other, line_to(other) as line:
        await line.ask(b"q", answer_to(b"q"))
        assert await line.ask(b"q", answer_to(b"q")) == b"=q;"
        assert (other.connections, len(other.heard)) == (2, 3)


@pytest.mark.hazard(16)
async def test_a_line_that_is_away_is_tried_ever_more_seldom_and_found_again() -> None:
    now, port = 0.0, free_port()
    line = Line(LineConfig(host="127.0.0.1", port=port), timeout_s=5.0, clock=lambda: now)
    waits: list[float] = []
    for _ in range(8):
        with pytest.raises(LineDown, match="no connection to"):
            await line.ask(b"q", answer_to(b"q"))
        with pytest.raises(LineDown, match="next attempt soon"):
            await line.ask(b"q", answer_to(b"q"))
        waits.append(line._down_until - now)
        now = line._down_until
    assert all(0.5 * limit <= wait <= limit for wait, limit in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30], strict=True))
    async with tcp_peer(honest, port=port):
        assert await line.ask(b"q", answer_to(b"q")) == b"=q;"
        line.close()


async def test_a_converter_that_hangs_up_on_every_request_means_the_line_is_down() -> None:
    async def hang_up(question: bytes, talk: Talk) -> None:
        talk.close()

    async with tcp_peer(hang_up) as other, line_to(other) as line:
        with pytest.raises(LineDown, match="closes the connection instead of answering"):
            await line.ask(b"q", answer_to(b"q"))
        with pytest.raises(LineDown, match="next attempt soon"):
            await line.ask(b"q", answer_to(b"q"))
        assert other.connections == 1


async def test_a_serial_port_that_is_not_there_means_the_line_is_down() -> None:
    line = Line(LineConfig(serial="/dev/no-such-port"), timeout_s=1.0)
    with pytest.raises(LineDown, match="no connection to /dev/no-such-port"):
        await line.ask(b"q", answer_to(b"q"))


@pytest.mark.hazard(12)
async def test_a_serial_port_is_free_again_as_soon_as_the_line_is_closed() -> None:
    async with pty_peer(honest) as other:
        for _ in range(3):
            async with line_to(other) as line:
                assert await line.ask(b"q", answer_to(b"q")) == b"=q;"


async def test_a_serial_port_somebody_else_uses_is_refused() -> None:
    async with pty_peer(honest) as other, line_to(other) as first, line_to(other) as second:
        await first.ask(b"q", answer_to(b"q"))
        with pytest.raises(LineDown, match="lock"):
            await second.ask(b"q", answer_to(b"q"))


async def test_a_port_that_cannot_do_the_framing_says_so() -> None:
    """Linux refuses parity on pseudo terminals."""
    async with pty_peer(honest) as other:
        line = Line(LineConfig(**other.where, parity="E"), timeout_s=1.0)
        with pytest.raises(LineDown, match="cannot do 9600 baud 8E1"):
            await line.ask(b"q", answer_to(b"q"))


@pytest.mark.hazard(15)
async def test_a_half_open_connection_is_given_up_at_the_deadline_and_replaced() -> None:
    """Established, yet nothing comes back: the next question goes out on a new connection."""

    async def swallow_first(question: bytes, talk: Talk) -> None:
        if other.connections > 1:
            await honest(question, talk)

    async with tcp_peer(swallow_first) as other, line_to(other, timeout_s=0.1) as line:
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await line.ask(b"q", answer_to(b"q"))
        assert await line.ask(b"q", answer_to(b"q"), timeout_s=5.0) == b"=q;"
        assert other.connections == 2
