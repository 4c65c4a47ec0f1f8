"""The other end of a line, on a socket or a pty: it hears whole requests of a mode and says the bytes a test decides.

Its frames are made of struct and pymodbus' encoders, not of ours.
"""

import asyncio
import contextlib
import os
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from pymodbus.framer import FramerAscii, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

FRAMERS = {"tcp": FramerSocket, "rtu": FramerRTU, "rtu-over-tcp": FramerRTU, "ascii": FramerAscii}


@dataclass(frozen=True)
class Asked:
    """One read request as it came."""

    frame: bytes
    unit: int
    function: int
    address: int
    count: int
    tid: int = 0


Pieces = list[bytes]  # sent one after the other, with a turn of the loop between them
Say = Callable[[Asked], Pieces]


def encoded(mode: str, pdu: bytes, unit: int, tid: int = 0) -> bytes:
    """A frame as pymodbus writes it."""
    return FRAMERS[mode](DecodePDU(False)).encode(pdu, unit, tid)


def registers_pdu(function: int, registers: list[int]) -> bytes:
    return struct.pack(f">BB{len(registers)}H", function, 2 * len(registers), *registers)


def answer(mode: str, asked: Asked, registers: list[int]) -> bytes:
    """The right answer."""
    return encoded(mode, registers_pdu(asked.function, registers), asked.unit, asked.tid)


def requests_in(mode: str, data: bytes) -> Iterator[tuple[int, Asked]]:
    """Whole read requests with the place behind each."""
    at = 0
    while True:
        end = {"tcp": at + 12, "ascii": data.find(b"\r\n", at) + 2}.get(mode, at + 8)
        if end > len(data) or end < at + 8:
            return
        frame, tid = data[at:end], 0
        body = frame
        if mode == "tcp":
            tid, body = int.from_bytes(frame[:2], "big"), frame[6:]
        elif mode == "ascii":
            body = bytes.fromhex(frame[1:-2].decode())
        unit, function, address, count = struct.unpack(">BBHH", body[:6])
        at = end
        yield end, Asked(frame, unit, function, address, count, tid)


class Peer:
    """What was asked, over how many connections."""

    def __init__(self, mode: str, say: Say) -> None:
        self.mode, self.say = mode, say
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self.path = ""
        self.open: set[asyncio.Task[None]] = set()
        self.send: Callable[[bytes], object] = lambda data: None  # unasked, on the line's last connection

    def heard(self, buffer: bytearray) -> list[Pieces]:
        replies, used = [], 0
        for end, asked in requests_in(self.mode, bytes(buffer)):
            self.asked.append(asked)
            replies.append(self.say(asked))
            used = end
        del buffer[:used]
        return replies

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        self.send = writer.write
        buffer = bytearray()
        try:
            while data := await reader.read(4096):
                buffer += data
                for pieces in self.heard(buffer):
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError):
            pass  # whoever asked has gone, or the test is over
        finally:
            self.open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def tcp_peer(mode: str, say: Say) -> AsyncIterator[Peer]:
    """A peer on a free loopback port."""
    peer = Peer(mode, say)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for connection in list(peer.open):
            connection.cancel()
        await asyncio.gather(*peer.open)


@contextmanager
def pty_pair() -> Iterator[tuple[int, str]]:
    """The master's descriptor and the path of the port."""
    master, port = os.openpty()
    tty.setraw(master)
    tty.setraw(port)
    os.set_blocking(master, False)
    try:
        yield master, os.ttyname(port)
    finally:
        os.close(master)
        os.close(port)


@asynccontextmanager
async def serial_peer(mode: str, say: Say) -> AsyncIterator[Peer]:
    """A peer at the other end of a pty."""
    peer, buffer, loop = Peer(mode, say), bytearray(), asyncio.get_running_loop()
    with pty_pair() as (master, peer.path):
        peer.send = lambda data: os.write(master, data)

        def readable() -> None:
            buffer.extend(os.read(master, 4096))
            for pieces in peer.heard(buffer):
                for piece in pieces:
                    os.write(master, piece)

        loop.add_reader(master, readable)
        try:
            yield peer
        finally:
            loop.remove_reader(master)


@asynccontextmanager
async def null_modem() -> AsyncIterator[tuple[str, str]]:
    """Two serial ports wired to each other."""
    loop = asyncio.get_running_loop()
    with pty_pair() as (one, path_one), pty_pair() as (two, path_two):

        def pump(source: int, sink: int) -> None:
            os.write(sink, os.read(source, 4096))

        loop.add_reader(one, pump, one, two)
        loop.add_reader(two, pump, two, one)
        try:
            yield path_one, path_two
        finally:
            loop.remove_reader(one)
            loop.remove_reader(two)


@asynccontextmanager
async def raw_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A port whose connections are wholly in the hands of `serve`; nothing of them is left over."""
    connections: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()
        connections.discard(task)

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections)
