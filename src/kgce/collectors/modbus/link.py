"""One Modbus TCP connection with one request in flight.

Whatever goes wrong closes it, so that no late reply is ever taken for the next one (devices.md hazard 1).
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse

from kgce.collectors.modbus.plan import Read
from kgce.domain.errors import DeviceUnreachable, TryAgain

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0


class LinkDown(DeviceUnreachable):
    """The connection itself is not there: no device behind it can be asked."""


class DeviceRefused(TryAgain):
    """The device answered with an exception code."""

    def __init__(self, code: int, read: Read) -> None:
        """Keep the code, which decides what to do next."""
        super().__init__(f"exception {code:#04x} for {read.table} registers {read.address}+{read.count}")
        self.code = code


class ModbusLink:
    """A connection that is opened when needed and kept until something goes wrong."""

    def __init__(self, host: str, port: int, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is opened yet."""
        self.host, self.port, self.timeout_s = host, port, timeout_s
        self._clock = clock
        self._client: AsyncModbusTcpClient | None = None
        self._pause_s = FIRST_PAUSE_S
        self._closed_until = 0.0

    async def read(self, unit: int, read: Read) -> list[int]:
        """Registers of one request.

        Raises:
            LinkDown: no connection; the next attempt waits longer and longer, at most 30 s, with jitter.
            DeviceUnreachable: no whole answer in time.
            DeviceRefused: the device answered with an exception.
        """
        client = await self._connected()
        ask = client.read_input_registers if read.table == "input" else client.read_holding_registers
        try:
            answer = await ask(read.address, count=read.count, device_id=unit)
        except (ModbusException, OSError, TimeoutError) as error:
            self.close()
            raise DeviceUnreachable(f"no answer from {self.host}:{self.port} unit {unit}: {error}") from error
        except asyncio.CancelledError:
            self.close()  # its answer may still come; nobody must take it for another's
            raise
        if isinstance(answer, ExceptionResponse):
            raise DeviceRefused(answer.exception_code, read)
        if len(answer.registers) != read.count:
            self.close()
            found = len(answer.registers)
            raise DeviceUnreachable(f"{self.host}:{self.port} unit {unit} sent {found} of {read.count} registers")
        return list(answer.registers)

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        self.close()
        if self._clock() < self._closed_until:
            raise LinkDown(f"no connection to {self.host}:{self.port}, next attempt soon")
        client = AsyncModbusTcpClient(
            self.host,
            port=self.port,
            timeout=self.timeout_s,
            retries=0,
            reconnect_delay=0,
            name=f"{self.host}:{self.port}",
        )
        if not await client.connect():
            client.close()
            self._closed_until = self._clock() + self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            raise LinkDown(f"nobody answers at {self.host}:{self.port}")
        self._client, self._pause_s = client, FIRST_PAUSE_S
        return client

    def close(self) -> None:
        """Let the connection go; the next read opens a new one."""
        if self._client is not None:
            self._client.close()
            self._client = None
