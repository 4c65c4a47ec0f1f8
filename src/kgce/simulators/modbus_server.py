"""ModbusServer: several simulated units behind one TCP port or pseudo terminal, in any mode, with faults on demand.

socket or terminal --Framing--> request --> unit --> answer --> fault --> frame --> fault --> socket or terminal
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Mapping
from typing import Final, Self

from kgce.simulators.faults import Fault
from kgce.simulators.modbus_frames import ModbusUnit
from kgce.simulators.modbus_framing import Framing, NotModbus, WireMode, framing
from kgce.simulators.modbus_units import ModbusUnits, UnknownUnit

__all__ = ["ModbusPort", "ModbusServer", "UnknownUnit"]
_READ_SIZE: Final = 4096


class ModbusServer:
    """Answers reads of functions 1 to 4; a stream that is not Modbus ends its connection, never the server."""

    def __init__(
        self,
        units: Mapping[int, ModbusUnit],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        mode: WireMode = WireMode.TCP,
        unknown_unit: UnknownUnit = UnknownUnit.SILENCE,
    ) -> None:
        self._units = ModbusUnits(units, unknown_unit)
        self._host = host
        self._wanted_port = port
        self._mode = mode
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.accepted = 0  # connections since the start

    @property
    def port(self) -> int:
        """Port it listens on; the wanted one until it has started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._wanted_port

    def set_fault(self, unit: int, fault: Fault | None) -> None:
        """Give a unit a fault, or (None) heal it."""
        self._units.set_fault(unit, fault)

    def drop_connections(self) -> None:
        """Reset every open connection, as a converter that restarts does; new ones are accepted."""
        for writer in tuple(self._writers):
            writer.transport.abort()

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

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._writers.add(writer)
        self.accepted += 1
        try:
            # A client that leaves, even in the middle of a frame, is no news; `stop` cancels: the task ends anyway.
            with contextlib.suppress(NotModbus, ConnectionError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._connections.discard(task)
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = framing(self._mode)
        while data := await reader.read(_READ_SIZE):
            for request in talk.feed(data):
                answer = await self._units.answer(talk, request)
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()


class ModbusPort:
    """Units behind a pseudo terminal, RTU or ASCII; `path` is the side a master opens."""

    def __init__(
        self,
        units: Mapping[int, ModbusUnit],
        *,
        mode: WireMode = WireMode.RTU,
        unknown_unit: UnknownUnit = UnknownUnit.SILENCE,
    ) -> None:
        self._units = ModbusUnits(units, unknown_unit)
        self._mode = mode
        self._ours, self._theirs = -1, -1
        self._job: asyncio.Task[None] | None = None
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.path = ""

    def set_fault(self, unit: int, fault: Fault | None) -> None:
        """Give a unit a fault, or (None) heal it."""
        self._units.set_fault(unit, fault)

    async def start(self) -> None:
        """Open the terminal.

        Raises:
            OSError: the machine has no terminal to give.
        """
        self._ours, self._theirs = os.openpty()  # ours keeps the far side open, so that masters may come and go
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._readable)
        self._job = asyncio.create_task(self._converse(framing(self._mode)), name=f"simulated line {self.path}")

    async def stop(self) -> None:
        """Close the terminal."""
        if self._job is None:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        self._job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._job
        self._job = None
        os.close(self._ours)
        os.close(self._theirs)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._heard.put_nowait(os.read(self._ours, _READ_SIZE))

    async def _converse(self, talk: Framing) -> None:
        while True:
            for request in talk.feed(await self._heard.get()):
                answer = await self._units.answer(talk, request)
                if answer is not None:
                    with contextlib.suppress(OSError):  # a master that does not read loses the answer, as on a wire
                        os.write(self._ours, answer)
