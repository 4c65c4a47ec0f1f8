"""CJ/T 188 meters on one line, over TCP or as a serial port."""

from collections.abc import Mapping
from typing import Final

from kgce.simulators.cjt188.codec import cut, wire
from kgce.simulators.cjt188.meter import Cjt188Meter
from kgce.simulators.devices.device import Clock, SimulatedDevice
from kgce.simulators.line.bus import Bus
from kgce.simulators.line.server import PtyLine, TcpLine

_FROM_METER: Final = 0x80
_ANY: Final = 0xAA


class Cjt188Bus(Bus[Cjt188Meter]):
    """Meters by printed address (fourteen digits)."""

    def next_request(self, heard: bytearray) -> bytes | None:
        """The next frame that comes from a master."""
        while (found := cut(heard)) is not None:
            if not found[9] & _FROM_METER:
                return found
        return None

    def meant(self, request: bytes) -> list[str]:
        """Meters whose address fits; AA fits any two digits."""
        asked = request[2:9]
        return [
            address
            for address in self.meters
            if all(ours in {_ANY, theirs} for ours, theirs in zip(asked, wire(address), strict=True))
        ]


def cjt188_bus(meters: Mapping[str, SimulatedDevice | Cjt188Meter], clock: Clock) -> Cjt188Bus:
    """A bus; a plain device becomes a cold water meter."""
    return Cjt188Bus(
        {
            address: found if isinstance(found, Cjt188Meter) else Cjt188Meter(address, found)
            for address, found in meters.items()
        },
        clock,
    )


class Cjt188Server(TcpLine):
    """Meters behind a TCP converter."""

    def __init__(
        self,
        meters: Mapping[str, SimulatedDevice | Cjt188Meter],
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(cjt188_bus(meters, clock), host=host, port=port)


class Cjt188Port(PtyLine):
    """Meters behind a serial port."""

    def __init__(self, meters: Mapping[str, SimulatedDevice | Cjt188Meter], clock: Clock) -> None:
        super().__init__(cjt188_bus(meters, clock))
