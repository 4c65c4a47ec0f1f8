"""Asks a line what is there, for `kgce scan` and `kgce edge check --connect`; its connection is closed afterwards."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kgce.collectors.modbus.config import ModbusLineConfig
from kgce.collectors.modbus.link import DeviceRefused, ModbusLink
from kgce.collectors.modbus.pdu import MOST_BITS, MOST_REGISTERS
from kgce.collectors.modbus.plan import Read
from kgce.collectors.turns import LineDown
from kgce.domain.errors import ConfigError, DeviceUnreachable


@dataclass(frozen=True, slots=True)
class Probed:
    """What one unit made of one read: registers, an exception code, or nothing and why."""

    unit: int
    registers: tuple[int, ...] | None = None
    exception_code: int | None = None
    reason: str = ""  # "" where it gave registers

    @property
    def is_there(self) -> bool:
        """Whether the unit answered at all; an exception is an answer."""
        return self.registers is not None or self.exception_code is not None


class Prober:
    """An open line to ask many units on: `async with Prober(line) as prober`; devices often allow one connection."""

    def __init__(self, line: ModbusLineConfig) -> None:
        """Nothing is opened yet."""
        self._link = ModbusLink(line)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()

    async def ask(self, unit: int, read: Read) -> Probed:
        """What the unit says to this read.

        Raises:
            LineDown: the line itself cannot be opened.
            ConfigError: unit 0 of a serial line, which is its broadcast; more than one request can ask for.
        """
        if unit == 0 and self._link.line.mode != "tcp":
            raise ConfigError("unit 0 is the broadcast of a serial line, nobody answers to it")
        most = MOST_BITS if read.is_bits else MOST_REGISTERS
        if not 1 <= read.count <= most:
            raise ConfigError(f"one request reads 1 to {most} {read.table} registers, not {read.count}")
        try:
            registers = await self._link.read(unit, read)
        except DeviceRefused as refusal:
            return Probed(unit, exception_code=refusal.code, reason=str(refusal))
        except LineDown:
            raise
        except DeviceUnreachable as silence:
            return Probed(unit, reason=str(silence))
        return Probed(unit, tuple(registers))


async def probe(line: ModbusLineConfig, unit: int, read: Read) -> Probed:
    """One question to one unit on a connection of its own.

    Raises:
        LineDown: the line itself cannot be opened.
        ConfigError: unit 0 of a serial line.
    """
    async with Prober(line) as prober:
        return await prober.ask(unit, read)
