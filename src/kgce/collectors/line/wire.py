"""One open connection to a line: what was heard since the last flush, and whether it is still there."""

import asyncio
import socket
import termios
from collections.abc import Callable
from typing import Final

import serial_asyncio_fast

from kgce.collectors.line.config import LineConfig

LONGEST_HEARD: Final = 4096  # several times the longest frame of any line protocol; a babbling line cannot fill memory
BITS_PER_BYTE: Final = 11  # start, 8 data, parity, stop


class Wire(asyncio.Protocol):
    """Bytes in, bytes out; made by `open_wire`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Not connected yet."""
        self.heard = bytearray()
        self.is_lost = False
        self.busy_until = 0.0  # end of the last byte that was sent or heard
        self._clock = clock
        self._news, self._made = asyncio.Event(), asyncio.Event()
        self._transport: asyncio.WriteTransport | None = None
        self._s_per_byte = 0.0

    def at_baudrate(self, baudrate: int) -> None:
        """Bytes take time on this wire."""
        self._s_per_byte = BITS_PER_BYTE / baudrate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio calls this once; a device may need its silence after it, too."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self.busy_until = self._clock()
        self._made.set()

    async def made(self) -> None:
        """Wait until it can be written to."""
        await self._made.wait()

    def data_received(self, data: bytes) -> None:
        """Asyncio calls this for every piece that comes in."""
        self.heard += data
        del self.heard[:-LONGEST_HEARD]
        self.busy_until = self._clock()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes the reason; a loss is a loss
        """Asyncio calls this once, whoever closed."""
        self.is_lost = True
        self._news.set()

    def write(self, data: bytes) -> float:
        """Forget what was heard, send; returns how long the bytes take."""
        self.heard.clear()
        self._news.clear()
        takes_s = len(data) * self._s_per_byte
        if self._transport is not None and not self.is_lost:
            self._transport.write(data)
        self.busy_until = self._clock() + takes_s
        return takes_s

    async def news(self) -> None:
        """Wait until something is heard or the connection is lost."""
        if not self.is_lost:
            await self._news.wait()
        self._news.clear()

    def close(self) -> None:
        """Let the connection go at once; nothing that is still under way will be heard."""
        self.is_lost = True
        transport, self._transport = self._transport, None
        if transport is None or transport.is_closing():
            return
        transport.abort()
        port = transport.get_extra_info("serial")
        if port is not None:
            port.close()  # abort leaves that to a thread; whoever opens the port next would find it taken


async def open_wire(config: LineConfig, clock: Callable[[], float]) -> Wire:
    """Connect to the line.

    Raises:
        OSError: nobody is there, or the port is taken; serial errors are OSErrors too.
        ValueError: no port has this baudrate.
    """
    wire, loop = Wire(clock), asyncio.get_running_loop()
    if config.host is not None and config.port is not None:
        transport, _ = await loop.create_connection(lambda: wire, config.host, config.port)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a converter that lost power says no goodbye
        return wire
    wire.at_baudrate(config.baudrate)
    assert config.serial is not None
    try:
        await serial_asyncio_fast.create_serial_connection(
            loop,
            lambda: wire,
            config.serial,
            baudrate=config.baudrate,
            parity=config.parity,
            stopbits=config.stopbits,
            bytesize=config.bytesize,
            exclusive=True,  # two queues on one line would hear each other's answers
        )
    except termios.error as error:
        framing = f"{config.baudrate} baud {config.bytesize}{config.parity}{config.stopbits}"
        raise OSError(f"the port cannot do {framing} (a pseudo terminal needs parity N)") from error
    await wire.made()
    return wire
