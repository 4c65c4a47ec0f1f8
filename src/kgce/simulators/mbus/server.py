"""MbusServer: a bus behind a TCP port, as a converter gives one out; MbusPort: one behind a pseudo terminal.

socket --RequestReader--> request --> Bus --> answer --> socket
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Mapping
from typing import Final, Self

from kgce.simulators.devices.device import Clock, SimulatedDevice
from kgce.simulators.faults import Fault
from kgce.simulators.mbus.bus import Bus, RequestReader
from kgce.simulators.mbus.meter import SimulatedMeter
from kgce.simulators.mbus.models import MeterModel

_READ_SIZE: Final = 4096


def meters_of(
    devices: Mapping[int, SimulatedDevice], model: MeterModel, clock: Clock, *, first_number: int = 10_000_000
) -> list[SimulatedMeter]:
    """Meters of one kind at these bus addresses; their numbers are first_number + address."""
    return [
        SimulatedMeter(address, f"{first_number + address:08d}", model, device, clock)
        for address, device in devices.items()
    ]


class MbusServer:
    """Listens on TCP; several masters may connect, each sees the same wires."""

    def __init__(self, bus: Bus, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._bus, self._host, self._wanted_port = bus, host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens on; the wanted one until it has started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._wanted_port

    def set_fault(self, address: int, fault: Fault | None) -> None:
        """Give the meters at an address a fault, or (None) heal them."""
        self._bus.set_fault(address, fault)

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
        requests = RequestReader()
        try:
            # leaving is no news, and `stop` cancels: the task ends here either way
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                while data := await reader.read(_READ_SIZE):
                    for request in requests.feed(data):
                        writer.write(await self._bus.answer(request))
                        await writer.drain()
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class MbusPort:
    """A bus behind a pseudo terminal, as a level converter with a serial port; `path` is what the master opens."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._requests = bus, RequestReader()
        self._ours, self._theirs = -1, -1
        self._answering: set[asyncio.Task[None]] = set()
        self.path = ""

    def set_fault(self, address: int, fault: Fault | None) -> None:
        """Give the meters at an address a fault, or (None) heal them."""
        self._bus.set_fault(address, fault)

    async def start(self) -> None:
        """Open the terminal.

        Raises:
            OSError: the machine has no terminal to give.
        """
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)  # an echo would look like an adapter that repeats what it is told
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    async def stop(self) -> None:
        """Close the terminal."""
        if self._ours < 0:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            for request in self._requests.feed(os.read(self._ours, _READ_SIZE)):
                task = asyncio.create_task(self._respond(request))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _respond(self, request: bytes) -> None:
        answer = await self._bus.answer(request)
        with contextlib.suppress(OSError):
            os.write(self._ours, answer)
