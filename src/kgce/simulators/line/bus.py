"""What a line server needs to know of a protocol: cut requests out of bytes, answer them."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from kgce.simulators.devices.device import Clock
from kgce.simulators.faults import Fault

log = logging.getLogger(__name__)


class Meter(Protocol):
    """One device on the line."""

    def answer(self, request: bytes, clock: Clock) -> bytes | None:
        """The answer frame to a request frame that was meant for it; None: it stays silent."""
        ...


M = TypeVar("M", bound=Meter)


class Bus(ABC, Generic[M]):
    """Devices by address and their faults; a protocol derives `next_request` and `meant`."""

    def __init__(self, meters: Mapping[str, M], clock: Clock) -> None:
        self.meters = dict(meters)
        self._clock = clock
        self._faults: dict[str, Fault] = {}
        self._broken: set[str] = set()  # devices whose values could not be computed, logged once each

    def set_fault(self, address: str, fault: Fault | None) -> None:
        """Give a device a fault, or (None) heal it.

        Raises:
            KeyError: no device has this address.
        """
        _ = self.meters[address]
        if fault is None:
            self._faults.pop(address, None)
        else:
            self._faults[address] = fault

    @abstractmethod
    def next_request(self, heard: bytearray) -> bytes | None:
        """The next whole request, taken out of `heard` together with the noise before it; None: none is whole yet."""

    @abstractmethod
    def meant(self, request: bytes) -> list[str]:
        """Addresses of the devices that feel addressed."""

    async def answers(self, request: bytes) -> list[bytes]:
        """What comes back, one entry per device that answers."""
        found = []
        for address in self.meant(request):
            answer = self._honest(address, request)
            fault = self._faults.get(address)
            if answer is not None and fault is not None:
                answer = await fault.apply(request, answer)
            if answer is not None:
                found.append(answer)
        return found

    def _honest(self, address: str, request: bytes) -> bytes | None:
        try:
            return self.meters[address].answer(request, self._clock)
        except (ValueError, ArithmeticError) as error:  # the simulated device cannot say its value at this time
            if address not in self._broken:
                self._broken.add(address)
                log.warning("simulated meter %s stays silent: %s", address, error)
            return None
