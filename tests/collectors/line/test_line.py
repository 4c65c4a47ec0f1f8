"""A line against real sockets and pseudo terminals: one question, one answer, nothing left over."""

import asyncio
import contextlib
import itertools

import pytest

from kgce.collectors.line.wire import LONGEST_HEARD
from kgce.domain.errors import DeviceUnreachable
from tests.collectors.line.peer import PEERS, Talk, answer_to, honest, line_to, tcp_peer


@pytest.mark.parametrize("peer", PEERS)
async def test_a_question_gets_its_answer_and_the_connection_is_kept(peer: str) -> None:
    async with PEERS[peer](honest) as other, line_to(other) as line:
        for question in (b"one", b"two", b"three"):
            assert await line.ask(question, answer_to(question)) == b"=" + question + b";"
        assert other.heard == [b"one", b"two", b"three"]
        assert other.connections <= 1


@pytest.mark.hazard(5)
@pytest.mark.parametrize("peer", PEERS)
async def test_an_answer_in_single_bytes_is_one_answer(peer: str) -> None:
    seen: list[bytes] = []

    async def dribble(question: bytes, talk: Talk) -> None:
        for byte in b"=" + question + b";":
            talk.write(bytes([byte]))
            before = len(seen)
            async with asyncio.timeout(5):
                while len(seen) == before:
                    await asyncio.sleep(0)

    def find(heard: bytes) -> bytes | None:
        seen.append(heard)
        return answer_to(b"q")(heard)

    async with PEERS[peer](dribble) as other, line_to(other) as line:
        assert await line.ask(b"q", find) == b"=q;"
    assert seen == [b"=", b"=q", b"=q;"]


@pytest.mark.hazard(9)
@pytest.mark.parametrize("peer", PEERS)
async def test_the_echo_of_our_own_request_is_not_given_as_an_answer(peer: str) -> None:
    async def echo(question: bytes, talk: Talk) -> None:
        talk.write(question[:3])
        talk.write(question[3:] + b"=done;")

    seen: list[bytes] = []
    async with PEERS[peer](echo) as other, line_to(other) as line:
        await line.ask(b"question", lambda heard: seen.append(heard) or (heard if heard.endswith(b";") else None))
    assert set(seen) <= {b"", b"=done;"}
    assert seen[-1] == b"=done;"


@pytest.mark.hazard(9)
@pytest.mark.parametrize("peer", PEERS)
async def test_what_came_unasked_is_forgotten_before_the_next_question(peer: str) -> None:
    async def chatty(question: bytes, talk: Talk) -> None:
        talk.write(b"=" + question + b";")
        talk.write(b"=b;" if question == b"a" else b"!")

    async with PEERS[peer](chatty) as other, line_to(other) as line:
        await line.ask(b"a", lambda heard: heard if heard.endswith(b"=a;=b;") else None)  # the unasked one is there
        heard = await line.ask(b"b", lambda heard: heard if heard.endswith(b"!") else None)
    assert heard == b"=b;!"  # once: its own


@pytest.mark.hazard(1)
@pytest.mark.parametrize("peer", PEERS)
async def test_an_answer_that_comes_too_late_is_never_the_next_ones(peer: str) -> None:
    gone = asyncio.Event()

    async def late_once(question: bytes, talk: Talk) -> None:
        if question == b"slow":
            await gone.wait()
            with contextlib.suppress(OSError):
                talk.write(b"=answer;")  # the same words as the next answer, but to another question
        else:
            talk.write(b"=right;")

    def any_answer(heard: bytes) -> bytes | None:
        return heard if heard.endswith(b";") else None

    async with PEERS[peer](late_once) as other, line_to(other) as line:
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await line.ask(b"slow", any_answer, timeout_s=0.05)
        gone.set()
        assert await line.ask(b"next", any_answer) == b"=right;"


@pytest.mark.parametrize("peer", PEERS)
async def test_a_cancelled_question_leaves_nothing_behind(peer: str) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def late_once(question: bytes, talk: Talk) -> None:
        if question == b"slow":
            asked.set()
            await gone.wait()
            with contextlib.suppress(OSError):
                talk.write(b"=wrong;")
        else:
            talk.write(b"=right;")

    async with PEERS[peer](late_once) as other, line_to(other) as line:
        task = asyncio.create_task(line.ask(b"slow", lambda heard: heard or None))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gone.set()
        assert await line.ask(b"next", lambda heard: heard if heard.endswith(b";") else None) == b"=right;"


@pytest.mark.parametrize("peer", PEERS)
async def test_what_the_finder_raises_ends_the_wait_and_the_rest_of_that_answer_is_waited_out(peer: str) -> None:
    first = asyncio.Event()

    async def in_two(question: bytes, talk: Talk) -> None:
        if question == b"bad":
            talk.write(b"no")
            await first.wait()
            talk.write(b"=late;")
        else:
            await honest(question, talk)

    def refuse(heard: bytes) -> bytes | None:
        first.set()
        raise ValueError(heard.decode())

    async with PEERS[peer](in_two) as other, line_to(other) as line:
        with pytest.raises(ValueError, match="no"):
            await line.ask(b"bad", refuse)
        assert await line.ask(b"q", lambda heard: heard if heard.endswith(b";") else None) == b"=q;"
        assert other.connections <= 1


async def test_a_missing_answer_says_what_was_heard_instead() -> None:
    async def babble(question: bytes, talk: Talk) -> None:
        talk.write(b"\x01\x02\x03")

    async with tcp_peer(babble) as other, line_to(other, timeout_s=0.1) as line:
        with pytest.raises(DeviceUnreachable, match=r"no whole answer in time, only 3 bytes: 010203"):
            await line.ask(b"q", lambda heard: None)


@pytest.mark.hazard(11)
async def test_two_questions_at_once_are_asked_one_after_the_other() -> None:
    under_way = most = 0

    async def slowly(question: bytes, talk: Talk) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        await honest(question, talk)

    async with tcp_peer(slowly) as other, line_to(other) as line:
        questions = [b"%d" % number for number in range(8)]
        answers = await asyncio.gather(*(line.ask(question, answer_to(question)) for question in questions))
        assert answers == [b"=" + question + b";" for question in questions]
        assert (most, other.connections) == (1, 1)


@pytest.mark.hazard(10)
async def test_the_silence_a_device_needs_is_kept_after_each_answer() -> None:
    loop = asyncio.get_running_loop()
    asked_at: list[float] = []

    async def note(question: bytes, talk: Talk) -> None:
        asked_at.append(loop.time())
        await honest(question, talk)

    async with tcp_peer(note) as other, line_to(other, pause_s=0.08) as line:
        for _ in range(3):
            await line.ask(b"q", answer_to(b"q"))
    assert all(later - earlier >= 0.08 for earlier, later in itertools.pairwise(asked_at))


async def test_a_babbling_line_fills_no_memory() -> None:
    most = 0

    async def babble(question: bytes, talk: Talk) -> None:
        for _ in range(16):
            talk.write(b"\x55" * LONGEST_HEARD)
        talk.write(b"=q;")

    def find(heard: bytes) -> bytes | None:
        nonlocal most
        most = max(most, len(heard))
        return answer_to(b"q")(heard)

    async with tcp_peer(babble) as other, line_to(other) as line:
        assert await line.ask(b"q", find) == b"=q;"
    assert most == LONGEST_HEARD


async def test_listening_returns_all_that_was_heard_and_keeps_the_connection() -> None:
    async with tcp_peer(honest) as other, line_to(other) as line:
        assert await line.listen(b"who", for_s=0.1) == b"=who;"
        assert await line.listen(b"who", for_s=0.1) == b"=who;"
        assert other.connections == 1


@pytest.mark.parametrize("peer", PEERS)
async def test_a_broadcast_is_sent_and_nothing_is_waited_for(peer: str) -> None:
    async with PEERS[peer](honest) as other, line_to(other) as line:
        await line.send(b"all")
        async with asyncio.timeout(5):
            while not other.heard:
                await asyncio.sleep(0.001)
        assert other.heard == [b"all"]
