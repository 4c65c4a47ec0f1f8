"""Gives a bus out: over TCP as a serial converter does, or as a pseudo terminal.

bytes --> bus.next_request --> device --> fault --> bytes
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

from kgce.simulators.faults import Fault
from kgce.simulators.line.bus import Bus

_LONGEST_HEARD: Final = 4096


class _Conversation:
    """What one side of a line heard so far; requests are answered one after the other, as on two wires."""

    def __init__(self, bus: Bus[Any], write: Callable[[bytes], Awaitable[None]]) -> None:
        self._bus, self._write = bus, write
        self._heard = bytearray()

    async def hear(self, piece: bytes) -> None:
        self._heard += piece
        del self._heard[:-_LONGEST_HEARD]
        while (request := self._bus.next_request(self._heard)) is not None:
            for answer in await self._bus.answers(request):
                await self._write(answer)


class TcpLine:
    """A converter on loopback; every connection reaches the same line."""

    def __init__(self, bus: Bus[Any], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.bus = bus
        self._host, self._wanted_port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens on; the wanted one until it has started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._wanted_port

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._serve, self._host, self._wanted_port)

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def set_fault(self, address: str, fault: Fault | None) -> None:
        """Give a device a fault, or (None) heal it."""
        self.bus.set_fault(address, fault)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        conversation = _Conversation(self.bus, write)
        try:
            # a client that leaves is no news; only stop() cancels, and asyncio would log that as an error
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                while piece := await reader.read(_LONGEST_HEARD):
                    await conversation.hear(piece)
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class PtyLine:
    """A serial port: `path` is what a collector opens."""

    def __init__(self, bus: Bus[Any]) -> None:
        self.bus = bus
        self.path = ""
        self._ours = self._theirs = -1
        self._task: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def start(self) -> None:
        """Make the port."""
        self._ours, self._theirs = os.openpty()  # keeping their end open: a client that leaves hangs nothing up
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._hear)
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """Take the port away."""
        if self._task is None:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        os.close(self._ours)
        os.close(self._theirs)
        self._task = None

    def set_fault(self, address: str, fault: Fault | None) -> None:
        """Give a device a fault, or (None) heal it."""
        self.bus.set_fault(address, fault)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            self._pieces.put_nowait(os.read(self._ours, _LONGEST_HEARD))

    async def _serve(self) -> None:
        async def write(data: bytes) -> None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: bytes on a wire are gone
                os.write(self._ours, data)

        conversation = _Conversation(self.bus, write)
        while True:
            await conversation.hear(await self._pieces.get())
