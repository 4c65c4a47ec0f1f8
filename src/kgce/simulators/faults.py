"""Faults a simulated unit can have, each a wrapper around its honest answer."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from kgce.simulators.modbus_frames import ExceptionCode, refusal_pdu


class Fault(Protocol):
    """What becomes of an answer on its way out."""

    async def apply(self, request: bytes, answer: bytes, /) -> bytes | None:
        """The PDU to send instead of `answer`; None sends nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Silent:
    """The unit does not answer: cut cable, no power."""

    async def apply(self, _request: bytes, _answer: bytes, /) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The unit answers every request with exception 06."""

    async def apply(self, request: bytes, _answer: bytes, /) -> bytes:
        """Exception 06."""
        return refusal_pdu(request, ExceptionCode.BUSY)


@dataclass(frozen=True, slots=True)
class Slow:
    """The unit answers late; like on a serial line, later requests of the same connection wait."""

    delay_s: float

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The answer, after the delay."""
        await asyncio.sleep(self.delay_s)
        return answer
