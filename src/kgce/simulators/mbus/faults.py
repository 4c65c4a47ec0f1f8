"""Faults of an M-Bus meter, for `Bus.set_fault`, beside the general ones of simulators/faults.py (silent, slow)."""

from dataclasses import dataclass
from typing import Final

from kgce.simulators.mbus.encode import RSP_UD, long_frame

_APPLICATION_ERROR: Final = 0x70
_TOO_BUSY: Final = 0x08
_SHORTEST_TELEGRAM: Final = 9


def _is_telegram(answer: bytes) -> bool:
    return len(answer) >= _SHORTEST_TELEGRAM


@dataclass(frozen=True, slots=True)
class TooBusy:
    """The meter answers every readout with an application error."""

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """Error 8; acknowledgements stay."""
        return long_frame(bytes((RSP_UD, answer[5], _APPLICATION_ERROR, _TOO_BUSY))) if _is_telegram(answer) else answer


@dataclass(frozen=True, slots=True)
class TornFrame:
    """The answer breaks off."""

    kept: int  # bytes that arrive

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The first bytes of a telegram; acknowledgements stay."""
        return answer[: self.kept] if _is_telegram(answer) else answer


@dataclass(frozen=True, slots=True)
class WrongAddress:
    """The answer carries another meter's bus address, sum and all."""

    address: int

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The same telegram from somebody else."""
        if not _is_telegram(answer):
            return answer
        return long_frame(answer[4:5] + bytes([self.address]) + answer[6:-2])


@dataclass(frozen=True, slots=True)
class FlippedBit:
    """One bit of the telegram is wrong, its sum is not adapted."""

    place: int  # bit counted from the frame's first byte, modulo its length

    async def apply(self, _request: bytes, answer: bytes, /) -> bytes:
        """The damaged telegram; acknowledgements stay."""
        if not _is_telegram(answer):
            return answer
        damaged = bytearray(answer)
        damaged[self.place // 8 % len(damaged)] ^= 1 << self.place % 8
        return bytes(damaged)
