"""Faults of an answer on its way out, each a wrapper around the honest one.

A plain fault sees what the unit says (a Modbus PDU); one that is `OnTheWire` sees whole frames. Servers of protocols
whose exchange is whole frames use both alike.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from kgce.simulators.modbus_frames import ExceptionCode, refusal_pdu


@runtime_checkable
class Fault(Protocol):
    """What becomes of an answer on its way out."""

    async def apply(self, request: bytes, answer: bytes, /) -> bytes | None:
        """The PDU to send instead of `answer`; None sends nothing."""
        ...


class OnTheWire:
    """Marks a fault that works on the frames themselves."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The unit does not answer: cut cable, no power."""

    async def apply(self, _request: bytes, _answer: bytes, /) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Refusing:
    """The unit answers every request with one exception code."""

    code: int

    async def apply(self, request: bytes, _answer: bytes, /) -> bytes:
        """The exception."""
        return refusal_pdu(request, self.code)


@dataclass(frozen=True, slots=True)
class Busy(Refusing):
    """The unit answers every request with exception 06."""

    code: int = ExceptionCode.BUSY


@dataclass(frozen=True, slots=True)
class GatewaySilent(Refusing):
    """A gateway answers 0B in the unit's place: it waited in vain."""

    code: int = ExceptionCode.GATEWAY_TARGET_SILENT


@dataclass(frozen=True, slots=True)
class Slow:
    """The unit answers late; like on a serial line, later requests of the same connection wait."""

    delay_s: float

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The answer, after the delay."""
        await asyncio.sleep(self.delay_s)
        return answer


@dataclass(frozen=True, slots=True)
class WrongUnit:
    """A Modbus unit answers in the name of another one (two devices with one address, a confused gateway)."""

    unit: int

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """What it says is right; in whose name, the server asks `unit`."""
        return answer


@dataclass(frozen=True, slots=True)
class TornFrame(OnTheWire):
    """Only the beginning of the answer arrives."""

    kept_ratio: float = 0.5

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The first part, at least one byte and never all."""
        return answer[: min(max(int(len(answer) * self.kept_ratio), 1), len(answer) - 1)]


@dataclass(slots=True)
class LateReply(OnTheWire):
    """Every other answer comes too late: in front of the answer to the next request."""

    _held: bytes | None = field(default=None, init=False)

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes | None:
        """Nothing, then both."""
        if self._held is None:
            self._held = answer
            return None
        late, self._held = self._held, None
        return late + answer


@dataclass(frozen=True, slots=True)
class Echo(OnTheWire):
    """The adapter repeats the request in front of the answer."""

    async def apply(self, request: bytes, answer: bytes, /) -> bytes:
        """Both."""
        return request + answer


@dataclass(frozen=True, slots=True)
class Garbage(OnTheWire):
    """Noise in front of the answer and one flipped bit inside it."""

    noise: bytes = b"\x00\xff\x55"
    flipped_bit: int | None = None  # counted from the end; None: the answer itself is whole

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """Noise and answer."""
        changed = bytearray(answer)
        if self.flipped_bit is not None:
            changed[-1 - self.flipped_bit // 8 % len(changed)] ^= 1 << self.flipped_bit % 8
        return self.noise + bytes(changed)
