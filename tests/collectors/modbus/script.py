"""What a peer says to one request after the other, and links that ask it; closed after each test by conftest.py."""

from kgce.collectors.modbus.link import ModbusLink
from kgce.collectors.modbus.plan import Read
from tests.collectors.modbus.meter import LINKS, line
from tests.collectors.modbus.wire import Asked, Pieces, answer

TWO = Read("holding", 0x6B, 2, ())
WORDS = [555, 100]
NETWORK_MODES = ["tcp", "rtu-over-tcp", "ascii"]


def link_to(port: int, **options) -> ModbusLink:
    LINKS.append(ModbusLink(line(port, **{"timeout_s": 0.2, "pause_ms": 0} | options)))
    return LINKS[-1]


def serial_link(path: str, **options) -> ModbusLink:
    LINKS.append(ModbusLink(line(0, serial=path, **{"timeout_s": 0.2, "pause_ms": 5} | options)))
    return LINKS[-1]


class Script:
    """Says one thing after the other, then right answers."""

    def __init__(self, mode: str, *first) -> None:
        self.mode, self.first = mode, list(first)

    def __call__(self, asked: Asked) -> Pieces:
        if self.first:
            return self.first.pop(0)(asked)
        return [answer(self.mode, asked, WORDS)]
