"""A Modbus TCP responder made of struct and asyncio alone, so that a test decides every byte that goes back."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    tid: int
    unit: int
    function: int
    address: int
    count: int


Reply = bytes | None  # whole ADU to send, or silence
Handler = Callable[[Request], Awaitable[Reply]]


def registers_reply(
    request: Request, registers: list[int], *, tid: int | None = None, unit: int | None = None
) -> bytes:
    """A good answer, or one with another transaction or unit."""
    body = struct.pack(f">BB{len(registers)}H", request.function, 2 * len(registers), *registers)
    return _adu(request.tid if tid is None else tid, request.unit if unit is None else unit, body)


def exception_reply(request: Request, code: int) -> bytes:
    """An exception answer."""
    return _adu(request.tid, request.unit, bytes([request.function | 0x80, code]))


def _adu(tid: int, unit: int, body: bytes) -> bytes:
    return struct.pack(">HHHB", tid, 0, len(body) + 1, unit) + body


class Responder:
    """What was asked, and on how many connections."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0
        self.open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            while True:
                head = await reader.readexactly(7)
                tid, _, length, unit = struct.unpack(">HHHB", head)
                function, address, count = struct.unpack(">BHH", await reader.readexactly(length - 1))
                request = Request(tid, unit, function, address, count)
                self.requests.append(request)
                reply = await self.handler(request)
                if reply is not None:
                    writer.write(reply)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # whoever asked has gone, or the test is over
        finally:
            self.open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def responder(handler: Handler, port: int = 0) -> AsyncIterator[Responder]:
    """Listen on a loopback port; 0 = a free one."""
    at = Responder(handler)
    server = await asyncio.start_server(at.serve, "127.0.0.1", port)
    at.port = server.sockets[0].getsockname()[1]
    try:
        yield at
    finally:
        server.close()
        for connection in list(at.open):
            connection.cancel()
        await asyncio.gather(*at.open)
