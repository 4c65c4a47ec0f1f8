"""One Modbus TCP connection with one request in flight.

Whatever goes wrong closes it, so that no late reply is ever taken for the next one (devices.md hazard 1).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from kgce.collectors.modbus.plan import Read
from kgce.domain.errors import DeviceUnreachable, TryAgain

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # tells every timeout; kgce logs a loss once

FUNCTIONS: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}  # Modbus Application Protocol V1.1b3, section 6
GATEWAY_PATH_UNAVAILABLE: Final = 0x0A
GATEWAY_TARGET_SILENT: Final = 0x0B
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
        self._one_at_a_time = asyncio.Lock()

    async def read(self, unit: int, read: Read) -> list[int]:
        """Registers of one request; coils and discrete inputs as registers of 0 or 1.

        Raises:
            LinkDown: no connection; the next attempt waits longer and longer, at most 30 s, with jitter.
            DeviceUnreachable: no whole answer in time, or a gateway says that nobody is there.
            DeviceRefused: the device answered with an exception.
        """
        async with self._one_at_a_time:
            client = await self._connected()
            try:
                answer = await _ask(client, unit, read)
            except (ModbusException, OSError, TimeoutError) as error:
                self.close()
                raise DeviceUnreachable(f"{self.host}:{self.port} unit {unit}: {_reason(error)}") from error
            except asyncio.CancelledError:
                self.close()  # its answer may still come; nobody must take it for another's
                raise
            return self._values(answer, unit, read)

    def _values(self, answer: ModbusPDU, unit: int, read: Read) -> list[int]:
        if isinstance(answer, ExceptionResponse):
            code = answer.exception_code
            if code in {GATEWAY_PATH_UNAVAILABLE, GATEWAY_TARGET_SILENT}:
                raise DeviceUnreachable(f"{self.host}:{self.port} has no unit {unit} behind it (exception {code:#04x})")
            raise DeviceRefused(code, read)
        found = [int(bit) for bit in answer.bits[: read.count]] if read.is_bits else list(answer.registers)
        # pymodbus compares unit and transaction, but takes transaction 0 for any and does not look at the function
        if (answer.function_code, len(found)) != (FUNCTIONS[read.table], read.count) or not answer.transaction_id:
            self.close()
            wrong = f"function {answer.function_code} with {len(found)} of {read.count} values"
            raise DeviceUnreachable(f"{self.host}:{self.port} unit {unit} answered to something else: {wrong}")
        return found

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


async def _ask(client: AsyncModbusTcpClient, unit: int, read: Read) -> ModbusPDU:
    match read.table:
        case "coil":
            return await client.read_coils(read.address, count=read.count, device_id=unit)
        case "discrete":
            return await client.read_discrete_inputs(read.address, count=read.count, device_id=unit)
        case "input":
            return await client.read_input_registers(read.address, count=read.count, device_id=unit)
        case _:
            return await client.read_holding_registers(read.address, count=read.count, device_id=unit)


def _reason(error: Exception) -> str:
    return "no answer in time" if isinstance(error, ModbusIOException | TimeoutError) else str(error)
