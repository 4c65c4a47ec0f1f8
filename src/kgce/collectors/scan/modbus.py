"""Modbus units on a line: who answers, what it says it is, which profile fits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from kgce.collectors.modbus.config import ModbusLineConfig
from kgce.collectors.modbus.plan import Read
from kgce.collectors.modbus.probe import Prober
from kgce.collectors.scan.found import Found
from kgce.collectors.scan.guessing import guesses
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable

Advance = Callable[[str], None]  # called before each unit with what is asked
PROBE: Final = Read("holding", 0, 1, ())  # the cheapest question; an exception is an answer, too
CONNECT_S: Final = 1.0
_FRAMERS: Final = {
    "tcp": FramerType.SOCKET,
    "rtu": FramerType.RTU,
    "rtu-over-tcp": FramerType.RTU,
    "ascii": FramerType.ASCII,
}
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


async def scan_modbus(
    line: ModbusLineConfig, units: Sequence[int], advance: Advance, *, is_deep: bool = True
) -> AsyncIterator[Found]:
    """Each unit that answers, as soon as it is known; one request at a time, nothing is written.

    Raises:
        LineDown: the line itself cannot be opened.
    """
    if line.host is not None:
        await _reachable(line.host, line.port or 0)
    for unit in units:
        advance(f"{line.address} unit {unit}")
        if unit == 0 and line.mode != "tcp":
            continue  # the broadcast of a serial line
        async with Prober(line) as prober:
            answer = await prober.ask(unit, PROBE)
            if not answer.is_there:
                continue
            found, sample = await guesses(prober, unit) if is_deep else ((), "")
        identification = await device_identification(line, unit) if is_deep else ""
        yield Found("modbus", line.address, str(unit), identification, found, sample, answer.reason)


async def _reachable(host: str, port: int) -> None:
    """Nobody waits long for a host that is not there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S)
    except (OSError, TimeoutError) as error:
        raise LineDown(f"nobody answers at {host}:{port}") from error
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def device_identification(line: ModbusLineConfig, unit: int) -> str:
    """Vendor, product, revision by function 2B/0E (Modbus Application Protocol V1.1b3, 6.21); "" where it has none."""
    framer = _FRAMERS[line.mode]
    client: AsyncModbusSerialClient | AsyncModbusTcpClient
    if line.serial is not None:
        client = AsyncModbusSerialClient(
            line.serial, framer=framer, baudrate=line.baudrate, parity=line.parity, stopbits=line.stopbits,
            bytesize=line.bytesize, timeout=line.timeout_s, retries=0, reconnect_delay=0,
        )  # fmt: skip
    else:
        client = AsyncModbusTcpClient(
            line.host or "", port=line.port or 0, framer=framer, timeout=line.timeout_s, retries=0, reconnect_delay=0
        )
    try:
        if not await client.connect():
            return ""
        answer = await client.read_device_information(device_id=unit)
        said = getattr(answer, "information", {}) if not answer.isError() else {}
        return " ".join(
            value.decode("latin-1").strip() for _, value in sorted(said.items()) if isinstance(value, bytes)
        )
    except (ModbusException, OSError, TimeoutError, DeviceUnreachable):
        return ""
    finally:
        client.close()
