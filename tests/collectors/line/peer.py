"""The other end of a line in these tests: answers as told, on TCP or on a pseudo terminal."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line

Reply = Callable[[bytes, "Talk"], Awaitable[None]]


@dataclass
class Talk:
    """What the peer may do with one connection."""

    write: Callable[[bytes], None]
    close: Callable[[], None]


@dataclass
class Peer:
    """What reached the peer."""

    port: int = 0
    serial: str = ""
    connections: int = 0
    heard: list[bytes] = field(default_factory=list)

    @property
    def where(self) -> dict:
        return {"serial": self.serial} if self.serial else {"host": "127.0.0.1", "port": self.port}


@contextlib.asynccontextmanager
async def tcp_peer(reply: Reply, port: int = 0) -> AsyncIterator[Peer]:
    """A converter: calls `reply` for each piece that comes in."""
    peer, writers = Peer(), set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(4096):
                    peer.heard.append(piece)
                    await reply(piece, Talk(writer.write, writer.close))
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            writers.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in list(writers):
            writer.close()
        await server.wait_closed()
        async with asyncio.timeout(5):
            while writers:
                await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def pty_peer(reply: Reply) -> AsyncIterator[Peer]:
    """A serial port: the same over a pseudo terminal."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    peer, loop, tasks = Peer(serial=os.ttyname(theirs)), asyncio.get_running_loop(), set()

    def write(data: bytes) -> None:
        os.write(ours, data)

    talk = Talk(write, lambda: None)

    def heard() -> None:
        piece = os.read(ours, 4096)
        peer.heard.append(piece)
        task = asyncio.create_task(reply(piece, talk))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_reader(ours, heard)
    try:
        yield peer
    finally:
        loop.remove_reader(ours)
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        os.close(ours)
        os.close(theirs)


PEERS = {"tcp": tcp_peer, "pty": pty_peer}


@contextlib.asynccontextmanager
async def line_to(peer: Peer, **options) -> AsyncIterator[Line]:
    line = Line(LineConfig(**peer.where, baudrate=115_200), **{"timeout_s": 5.0} | options)
    try:
        yield line
    finally:
        line.close()
        await asyncio.sleep(0)


def answer_to(question: bytes):
    """Finds `=<question>;` in what was heard, wherever it begins."""
    wanted = b"=" + question + b";"
    return lambda heard: wanted if wanted in heard else None


async def honest(question: bytes, talk: Talk) -> None:
    talk.write(b"=" + question + b";")
