"""The two wires: a byte stream of requests in, what the meters put on the bus out, collisions and faults included."""

import logging
from collections.abc import Iterable
from typing import Final

from kgce.simulators.faults import Fault
from kgce.simulators.mbus.meter import SimulatedMeter

LOG: Final = logging.getLogger(__name__)

SHORT: Final = 0x10
LONG: Final = 0x68
END: Final = 0x16
_SHORT_SIZE: Final = 5
_FRAME: Final = 6


class Bus:
    """Meters on one pair of wires."""

    def __init__(self, meters: Iterable[SimulatedMeter]) -> None:
        self._meters = list(meters)
        self._faults: dict[int, Fault] = {}
        self._broken: set[str] = set()  # meters whose values could not be computed, logged once each

    def set_fault(self, address: int, fault: Fault | None) -> None:
        """Give the meters at an address a fault, or (None) heal them."""
        if fault is None:
            self._faults.pop(address, None)
        else:
            self._faults[address] = fault

    async def answer(self, request: bytes) -> bytes:
        """All answers on top of each other: a 0 of one meter wins, as current does on the wires."""
        answers = [said for meter in self._meters if (said := await self._one(meter, request))]
        size = max(map(len, answers), default=0)
        together = bytearray(b"\xff" * size)
        for said in answers:
            for at, byte in enumerate(said):
                together[at] &= byte
        return bytes(together)

    async def _one(self, meter: SimulatedMeter, request: bytes) -> bytes | None:
        try:
            said = meter.answer(request)
        except (ValueError, ArithmeticError) as error:  # the simulated device cannot say its value at this time
            if meter.number not in self._broken:
                self._broken.add(meter.number)
                LOG.warning("simulated M-Bus meter %s is silent: %s", meter.number, error)
            return None
        fault = self._faults.get(meter.address)
        return said if said is None or fault is None else await fault.apply(request, said)


class RequestReader:
    """Cuts a stream into whole request frames; bytes that begin none are dropped."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that are whole now."""
        self._waiting += data
        found: list[bytes] = []
        while self._waiting:
            size = self._size()
            if size is None or size > len(self._waiting):
                break
            frame = bytes(self._waiting[:size])
            if _is_frame(frame):
                found.append(frame)
                del self._waiting[:size]
            else:
                del self._waiting[0]
        return found

    def _size(self) -> int | None:
        """Bytes of the frame that begins here: 1 for a byte that begins none, None while that cannot be told."""
        start = self._waiting[0]
        if start == SHORT:
            return _SHORT_SIZE
        if start != LONG:
            return 1
        if len(self._waiting) < 2:  # noqa: PLR2004 - start and length
            return None
        return self._waiting[1] + _FRAME


def _is_frame(frame: bytes) -> bool:
    if frame[0] == SHORT:
        summed = frame[1:3]
    elif frame[0] == LONG and len(frame) > _FRAME and frame[1] == frame[2] and frame[3] == LONG:
        summed = frame[4:-2]
    else:
        return False
    return frame[-1] == END and frame[-2] == sum(summed) % 256
