"""A Modbus TCP client of a few lines for tests: frames written out by hand, after the standard's section 4 and 6."""

import asyncio
import contextlib
import struct


class Connection:
    """One TCP connection; every wait has a limit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.transaction = 0

    async def ask(self, unit: int, pdu: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Answer PDU to a request PDU."""
        self.transaction += 1
        await self.send(struct.pack(">HHHB", self.transaction, 0, len(pdu) + 1, unit) + pdu)
        return await asyncio.wait_for(self._answer(unit), timeout_s)

    async def _answer(self, unit: int) -> bytes:
        transaction, protocol, length, from_unit = struct.unpack(">HHHB", await self.reader.readexactly(7))
        assert (transaction, protocol, from_unit) == (self.transaction, 0, unit)
        return await self.reader.readexactly(length - 1)

    async def read(self, unit: int, function: int, address: int, count: int, *, timeout_s: float = 5.0) -> bytes:
        """Answer PDU to a read request."""
        return await self.ask(unit, struct.pack(">BHH", function, address, count), timeout_s=timeout_s)

    async def floats(self, unit: int, address: int, count: int) -> list[float]:
        """Consecutive big-endian floats of input registers."""
        answer = await self.read(unit, 4, address, 2 * count)
        assert answer[:2] == bytes((4, 4 * count)), answer
        return list(struct.unpack(f">{count}f", answer[2:]))

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def closed_by_peer(self, timeout_s: float = 5.0) -> bool:
        """True when the server ends the connection without another byte."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(1), timeout_s) == b""
        return True


@contextlib.asynccontextmanager
async def connected(port: int):
    """A connection to a loopback port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
