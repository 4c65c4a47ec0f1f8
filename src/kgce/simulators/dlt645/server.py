"""DL/T 645 meters on one line, over TCP or as a serial port."""

from collections.abc import Mapping
from typing import Final

from kgce.simulators.devices.device import Clock, SimulatedDevice
from kgce.simulators.dlt645.codec import cut, unmask, wire
from kgce.simulators.dlt645.meter import Dlt645Meter
from kgce.simulators.line.bus import Bus
from kgce.simulators.line.server import PtyLine, TcpLine

_FROM_METER: Final = 0x80
_ANY: Final = 0xAA


class Dlt645Bus(Bus[Dlt645Meter]):
    """Meters by printed address (twelve digits)."""

    def next_request(self, heard: bytearray) -> bytes | None:
        """The next frame that comes from a master."""
        while (found := cut(heard)) is not None:
            if not unmask(found)[1] & _FROM_METER:
                return found
        return None

    def meant(self, request: bytes) -> list[str]:
        """Meters whose address fits; AA fits any two digits."""
        asked = unmask(request)[0]
        return [
            address
            for address in self.meters
            if all(ours in {_ANY, theirs} for ours, theirs in zip(asked, wire(address), strict=True))
        ]


def dlt645_bus(meters: Mapping[str, SimulatedDevice | Dlt645Meter], clock: Clock) -> Dlt645Bus:
    """A bus; a plain device gets a meter of the 2007 edition."""
    return Dlt645Bus(
        {
            address: found if isinstance(found, Dlt645Meter) else Dlt645Meter(address, found)
            for address, found in meters.items()
        },
        clock,
    )


class Dlt645Server(TcpLine):
    """Meters behind a TCP converter."""

    def __init__(
        self,
        meters: Mapping[str, SimulatedDevice | Dlt645Meter],
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(dlt645_bus(meters, clock), host=host, port=port)


class Dlt645Port(PtyLine):
    """Meters behind a serial port."""

    def __init__(self, meters: Mapping[str, SimulatedDevice | Dlt645Meter], clock: Clock) -> None:
        super().__init__(dlt645_bus(meters, clock))
