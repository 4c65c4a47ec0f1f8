"""ModbusServer: several simulated units behind one TCP port, with faults on demand.

socket --> frame --> unit --> answer --> fault --> socket
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from enum import Enum
from typing import Self

from kgce.simulators.faults import Fault
from kgce.simulators.modbus_frames import (
    HEADER,
    ExceptionCode,
    ModbusUnit,
    answer_pdu,
    frame,
    parse_header,
    refusal_pdu,
)

log = logging.getLogger(__name__)


class UnknownUnit(Enum):
    """What a request for a unit that is not there gets."""

    SILENCE = "silence"  # like a serial line
    REFUSAL = "refusal"  # exception 0x0B, like a gateway that gave up waiting


class ModbusServer:
    """Answers reads of functions 1 to 4; a frame that is not Modbus ends its connection, never the server."""

    def __init__(
        self,
        units: Mapping[int, ModbusUnit],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        unknown_unit: UnknownUnit = UnknownUnit.SILENCE,
    ) -> None:
        self._units = dict(units)
        self._host = host
        self._wanted_port = port
        self._unknown_unit = unknown_unit
        self._faults: dict[int, Fault] = {}
        self._broken: set[int] = set()  # units whose values could not be computed, logged once each
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens on; the wanted one until it has started."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._wanted_port

    def set_fault(self, unit: int, fault: Fault | None) -> None:
        """Give a unit a fault, or (None) heal it."""
        if fault is None:
            self._faults.pop(unit, None)
        else:
            self._faults[unit] = fault

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
        try:
            # A client that leaves, even in the middle of a frame, is no news.
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._converse(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            header = parse_header(await reader.readexactly(HEADER.size))
            if header is None:
                return
            request = await reader.readexactly(header.pdu_length)
            answer = await self._answer(header.unit, request)
            if answer is not None:
                writer.write(frame(header, answer))
                await writer.drain()

    async def _answer(self, unit_id: int, request: bytes) -> bytes | None:
        unit = self._units.get(unit_id)
        if unit is None:
            silent = self._unknown_unit is UnknownUnit.SILENCE
            return None if silent else refusal_pdu(request, ExceptionCode.GATEWAY_TARGET_SILENT)
        try:
            answer = answer_pdu(unit, request)
        except (ValueError, ArithmeticError) as error:  # the simulated device cannot say its value at this time
            if unit_id not in self._broken:
                self._broken.add(unit_id)
                log.warning("simulated unit %d on port %d answers exception 04: %s", unit_id, self.port, error)
            answer = refusal_pdu(request, ExceptionCode.DEVICE_FAILURE)
        fault = self._faults.get(unit_id)
        return answer if fault is None else await fault.apply(request, answer)
