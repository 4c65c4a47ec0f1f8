"""Exception codes of Modbus answers: their names and what they tell about asking again."""

from dataclasses import dataclass
from typing import Final

ILLEGAL_FUNCTION: Final = 0x01
ILLEGAL_ADDRESS: Final = 0x02
ILLEGAL_VALUE: Final = 0x03
ACKNOWLEDGE: Final = 0x05
BUSY: Final = 0x06
GATEWAY_PATH_UNAVAILABLE: Final = 0x0A
GATEWAY_TARGET_SILENT: Final = 0x0B

# Modbus Application Protocol V1.1b3, section 7
NAMES: Final = {
    ILLEGAL_FUNCTION: "illegal function",
    ILLEGAL_ADDRESS: "illegal data address",
    ILLEGAL_VALUE: "illegal data value",
    0x04: "server device failure",
    ACKNOWLEDGE: "acknowledge",
    BUSY: "server device busy",
    0x07: "negative acknowledge",
    0x08: "memory parity error",
    GATEWAY_PATH_UNAVAILABLE: "gateway path unavailable",
    GATEWAY_TARGET_SILENT: "gateway target failed to respond",
}
RETRYABLE: Final = frozenset({ACKNOWLEDGE, BUSY, GATEWAY_PATH_UNAVAILABLE, GATEWAY_TARGET_SILENT})
UNSUPPORTED: Final = frozenset({ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE})  # what was asked for is not there
LATER: Final = frozenset({ACKNOWLEDGE, BUSY})  # the device itself is there and works on something else


@dataclass(frozen=True, slots=True)
class ExceptionFacts:
    """What one exception code means."""

    code: int
    name: str
    retryable: bool
    register_unsupported: bool


def exception_facts(code: int) -> ExceptionFacts:
    """Meaning of a code; one nobody defined keeps its number."""
    return ExceptionFacts(code, NAMES.get(code, "unknown code"), code in RETRYABLE, code in UNSUPPORTED)
