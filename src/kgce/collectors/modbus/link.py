"""One Modbus line with one request in flight: silence kept, answers checked, whatever is late thrown away.

A network connection on which anything goes wrong is closed, so that no late answer is ever taken for the next one
(devices.md hazard 1). A serial line stays open: a unit that was late is given time to finish before it is asked again.
"""

import asyncio
import logging
import random
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pymodbus.exceptions import ModbusException

from kgce.collectors.modbus.config import ModbusLineConfig
from kgce.collectors.modbus.exceptions import GATEWAY_PATH_UNAVAILABLE, GATEWAY_TARGET_SILENT, exception_facts
from kgce.collectors.modbus.expected import Expected, confusion
from kgce.collectors.modbus.pdu import EXCEPTION_BIT, bits_of, expected_byte_count
from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.round_trips import RoundTrips
from kgce.collectors.modbus.transport import Answer, Connection, ConnectionLost
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable, TryAgain

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # tells every timeout; kgce logs a loss once

FUNCTIONS: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}  # Modbus Application Protocol V1.1b3, section 6
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
TIDS: Final = 64_000  # first transaction numbers; pymodbus starts again at 1 above 65 000


class DeviceRefused(TryAgain):
    """The device answered with an exception code."""

    def __init__(self, code: int, read: Read) -> None:
        """Keep the code, which decides what to do next."""
        name = exception_facts(code).name
        super().__init__(f"exception {code:#04x} ({name}) for {read.table} registers {read.address}+{read.count}")
        self.code = code


class ModbusLink:
    """A connection that is opened when needed and kept until something goes wrong."""

    def __init__(
        self,
        line: ModbusLineConfig,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Nothing is opened yet."""
        self.line, self._clock, self._sleep = line, clock, sleep
        self._connection: Connection | None = None
        self._has_answered = False  # on this connection
        self._pause_s = FIRST_PAUSE_S
        self._closed_until = 0.0
        self._quiet_until = 0.0
        self._last_unit: int | None = None
        self._late: dict[int, float] = {}  # units that may still be answering, until when
        self._trips = RoundTrips()
        self._one_at_a_time = asyncio.Lock()

    async def read(self, unit: int, read: Read, *, pause_s: float = 0.0) -> Sequence[int]:
        """Registers of one request; coils and discrete inputs as registers of 0 or 1.

        `pause_s` is the silence this device wants before a request, where it is longer than the line's.

        Raises:
            LineDown: no connection; the next attempt waits longer and longer, at most 30 s, with jitter.
            DeviceUnreachable: no whole answer in time, or a gateway says that nobody is there.
            DeviceRefused: the device answered with an exception.
        """
        async with self._one_at_a_time:
            pdu = await self._exchange(unit, read, pause_s)
        return self._values(pdu, unit, read)

    async def _exchange(self, unit: int, read: Read, pause_s: float) -> bytes:
        """Ask, and ask once more where an idle connection had been closed or a serial answer came damaged."""
        for is_last in (False, True):
            was_idle = self._connection is not None and self._has_answered
            connection = await self._connected()
            try:
                return await self._ask(connection, unit, read, pause_s)
            except ConnectionLost as error:
                self.close()
                if is_last or not was_idle:
                    raise self._unreachable(unit, str(error)) from error
            except (ModbusException, OSError, TimeoutError) as error:
                expected = connection.expected
                damaged = self.line.mode != "tcp" and expected is not None and expected.is_damaged
                self._give_up(unit)
                if is_last or not damaged:
                    raise self._unreachable(unit, self._why(unit, error, expected)) from error
            except asyncio.CancelledError:
                self.close()  # its answer may still come; nobody must take it for another's
                raise
        raise AssertionError("the second attempt returns or raises")

    async def _ask(self, connection: Connection, unit: int, read: Read, pause_s: float) -> bytes:
        await self._keep_silence(unit, pause_s)
        function, began = FUNCTIONS[read.table], self._clock()
        byte_count = expected_byte_count(function, read.count if read.is_bits else read.words)
        answer: Answer = await connection.ask(unit, function, read.address, read.count, byte_count)
        self._quiet_until = self._clock()
        if answer.fault:
            seen = connection.expected.seen if connection.expected else b""
            self.close()
            raise self._unreachable(unit, confusion(self.line.mode, seen) or answer.fault)
        self._trips.note(unit, self._quiet_until - began)
        self._has_answered, self._pause_s = True, FIRST_PAUSE_S
        return answer.pdu

    async def _keep_silence(self, unit: int, pause_s: float) -> None:
        """Wait as long as the line, the device, a switch of units or a late answer ask for."""
        pause_s = max(pause_s, self.line.pause_s)
        if unit != self._last_unit:
            pause_s = max(pause_s, self.line.unit_pause_ms / 1000)
            self._last_unit = unit
        free_at = self._quiet_until + pause_s
        if self._late:
            free_at = max(free_at, self._late.pop(unit, 0.0))
        wait_s = free_at - self._clock()
        if wait_s > 0:
            await self._sleep(wait_s)

    def _give_up(self, unit: int) -> None:
        """Nobody answered in time: nothing that comes now is anybody's answer."""
        now = self._clock()
        self._quiet_until = now
        if self.line.mode != "tcp" or not self.line.echo_transaction:
            self._late[unit] = now + self.line.timeout_s
        if self.line.serial is None:
            self.close()

    def _values(self, pdu: bytes, unit: int, read: Read) -> Sequence[int]:
        if pdu[0] & EXCEPTION_BIT:
            self._refuse(pdu[1], unit, read)
        if read.is_bits:
            return [int(bit) for bit in bits_of(pdu[2:])[: read.count]]
        return struct.unpack(f">{pdu[1] // 2}H", pdu[2:])

    def _refuse(self, code: int, unit: int, read: Read) -> None:
        if code == GATEWAY_TARGET_SILENT:
            raise DeviceUnreachable(f"{self.line.address} has no unit {unit} behind it (exception {code:#04x}): silent")
        if code == GATEWAY_PATH_UNAVAILABLE:
            raise DeviceUnreachable(
                f"{self.line.address} has no unit {unit} behind it (exception {code:#04x}): "
                "the gateway is not set up for this unit, see its routing table"
            )
        raise DeviceRefused(code, read)

    async def _connected(self) -> Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        self.close()
        if self._clock() < self._closed_until:
            raise LineDown(f"no connection to {self.line.address}, next attempt soon")
        connection = Connection(self.line, random.randrange(TIDS))  # noqa: S311 - no secret
        if not await connection.open():
            connection.close()
            self._closed_until = self._clock() + self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            raise LineDown(self._not_open())
        self._connection, self._has_answered = connection, False
        self._quiet_until = max(self._quiet_until, self._clock() + self.line.connect_pause_ms / 1000)
        return connection

    def close(self) -> None:
        """Let the connection go; the next read opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _not_open(self) -> str:
        if self.line.serial is None:
            return f"nobody answers at {self.line.address}"
        return f"cannot open {self.line.serial}: see that the adapter is plugged in, free, and allowed for this user"

    def _unreachable(self, unit: int, why: str) -> DeviceUnreachable:
        return DeviceUnreachable(f"{self.line.address} unit {unit}: {why}")

    def _why(self, unit: int, error: Exception, expected: Expected | None) -> str:
        """The reason in one line: what came instead, or how long answers usually take."""
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return str(error)
        if expected is None or not expected.seen:
            return f"no answer in time{self._trips.hint(unit, self.line.timeout_s)}"
        instead = (
            confusion(self.line.mode, expected.seen) or expected.note or f"{expected.seen.hex()} is no whole frame"
        )
        return f"no answer in time, but {instead}"
